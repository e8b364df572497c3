"""A file at an address the user gave, looked at before it is fetched."""

from __future__ import annotations

from pyapp.errors import DownloadError, FileChanged
from pyapp.models.chunk_fetch import Surroundings
from pyapp.models.gguf import FIRST_BLOCK


class RemoteFile:
    """Raises DownloadError; what may pass is asked for again."""

    def __init__(self, url: str, given: Surroundings) -> None:
        self.url = url
        self.size = 0  # until `open`
        self._given = given
        self._start = b""

    async def open(self) -> None:
        self._start, self.size = await self._peek(0, FIRST_BLOCK)

    async def read(self, offset: int, length: int) -> bytes:
        """See pyapp.models.gguf.Read."""
        if offset + length <= len(self._start):
            return self._start[offset : offset + length]
        part, size = await self._peek(offset, length)
        if size != self.size:
            raise FileChanged("the file has another length now")
        return part

    async def _peek(self, offset: int, length: int) -> tuple[bytes, int]:
        given, failures = self._given, 0
        while True:
            try:
                return await given.wire.peek(self.url, offset, length, given.policy.idle_timeout_ms)
            except DownloadError as error:
                failures += 1
                wait_s = given.policy.delay_s(error, failures, given.chance())
                if wait_s is None:
                    raise
                await given.sleep(wait_s)
