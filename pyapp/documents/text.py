"""What a file of text says."""

from __future__ import annotations

import re

from pyapp.errors import NotText

_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f]")  # what no text has


def decoded(name: str, data: bytes) -> str:
    """In UTF-8, in UTF-16 with its mark, or as old Windows programs write it. Raises NotText."""
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text.replace("\r\n", "\n")
    raise NotText(name=name)
