"""Files that leave the page for the disk."""

from __future__ import annotations

import asyncio

from js import URL, Blob, document
from pyodide.ffi import to_js

BROWSER_READS_S = 60  # it may still be reading after the click


def save(name: str, kind: str, data: str | bytes) -> None:
    """As a download, without a server. `kind` is a MIME type."""
    url = URL.createObjectURL(Blob.new(to_js([data]), type=kind))
    link = document.createElement("a")
    link.href = url
    link.download = name
    link.click()
    asyncio.get_running_loop().call_later(BROWSER_READS_S, URL.revokeObjectURL, url)
