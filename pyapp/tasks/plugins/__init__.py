"""Tasks of the user's own: Python that nobody here has read, in a worker without the network and without the chats.

`host` and `modules` run in that worker, everything else in the page, which believes nothing that comes from there.
"""
