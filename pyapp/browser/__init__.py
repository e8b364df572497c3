"""The browser's edge: the only package that imports js, pyodide or pyscript.

It carries events in and HTML out, and decides nothing: "is this decision testable in CPython?" If
not, it is in the wrong layer.
"""
