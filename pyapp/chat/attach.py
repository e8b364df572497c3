"""Files and long texts that go with a message."""

from __future__ import annotations

from pyapp.chat.tree import Attachment
from pyapp.documents.text import decoded
from pyapp.errors import FileTooLarge

LONG_PASTE_CHARACTERS = 4_000  # a text this long is easier to live with as an attachment
LARGEST_FILE_BYTES = 2_000_000  # far beyond every context window there is


def attachment(name: str, data: bytes) -> Attachment:
    """Raises NotText, FileTooLarge."""
    if len(data) > LARGEST_FILE_BYTES:
        raise FileTooLarge(name=name, limit_bytes=LARGEST_FILE_BYTES)
    return Attachment(name, decoded(name, data))
