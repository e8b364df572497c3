"""Runs inside Pyodide: pytest, without the plugins that need more than a page has."""

from __future__ import annotations

import os
import sys

import pytest

# Coverage and anyio's plugin are for CPython; Hypothesis's is what makes a failing example readable.
OPTIONS = ["-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider", "-p", "no:faulthandler"]

if __name__ == "__main__":
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.exit(pytest.main([*OPTIONS, *sys.argv[1:]]))
