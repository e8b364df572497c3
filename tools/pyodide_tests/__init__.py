"""The unit tests inside Pyodide, the Python the page has: `python -m tools.pyodide_tests [pytest's arguments]`."""
