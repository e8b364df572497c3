"""Files and long texts that go with a message."""

from __future__ import annotations

import re

from pyapp.chat.tree import Attachment
from pyapp.errors import FileTooLarge, NotText

LONG_PASTE_CHARACTERS = 4_000  # a text this long is easier to live with as an attachment
LARGEST_FILE_BYTES = 2_000_000  # far beyond every context window there is
_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f]")  # what no text has


def attachment(name: str, data: bytes) -> Attachment:
    """Raises NotText, FileTooLarge."""
    if len(data) > LARGEST_FILE_BYTES:
        raise FileTooLarge(name=name, limit_bytes=LARGEST_FILE_BYTES)
    return Attachment(name, _decoded(name, data))


def _decoded(name: str, data: bytes) -> str:
    """In UTF-8, in UTF-16 with its mark, or as old Windows programs write it."""
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text.replace("\r\n", "\n")
    raise NotText(name=name)
