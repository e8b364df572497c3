"""Servers of the user's own: their addresses, what is asked of them, which of them answer.

    address.py      what is typed -> an address that may be asked, or a reason why not
    call.py         one HTTP exchange over the Transport, with time limits
    served.py       a model on a server as the rest of the app knows models
    connections.py  the servers that are kept, with their keys, in this browser only
    discovery.py    the ports where such servers usually are, and what was found there

Nothing here is asked for unless the user pressed a button or chose a model of such a server.
"""
