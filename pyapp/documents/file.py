"""A file that the page holds, as Python reads it."""

from __future__ import annotations

from typing import Protocol


class PickedFile(Protocol):
    """A file of the user's."""

    id: str  # what workers and the store know it by; never a sha256
    name: str
    size: int

    async def read(self, offset: int, length: int) -> bytes:
        """Fewer bytes where the file ends. Raises FileUnreadable."""
        ...
