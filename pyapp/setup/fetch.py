"""A download as the page tells it: the engine's code, then the model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Protocol

from pyapp.engine import Transport, values
from pyapp.engines.builtin_ai import declared
from pyapp.errors import OfflineUnavailable
from pyapp.models.download import DownloadProgress
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.models.record import Installed
from pyapp.setup.state import Downloading, Offer


class ModelStore(Protocol):
    """What the setup needs of pyapp.models.store and pyapp.models.download."""

    async def installed(self) -> Sequence[tuple[ModelSpec, Variant]]:
        """Whole variants, ready to load."""
        ...

    async def received_bytes(self, variant: Variant) -> int:
        """Of an earlier, unfinished download."""
        ...

    async def records(self) -> Sequence[Installed]:
        """Every variant that was installed, also those of which a file is gone by now."""
        ...

    async def pin(self, variant: Variant) -> Variant:
        """With the files that its hub has for it now. Raises DownloadError."""
        ...

    def download(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[DownloadProgress, None]: ...

    async def delete(self, model: ModelSpec, variant: Variant) -> None: ...


async def fetch(offer: Offer, transport: Transport, store: ModelStore) -> AsyncGenerator[Downloading, None]:
    """Ends when the variant is installed. Closing it keeps what has arrived. Raises CandilError."""
    yield Downloading(offer)
    if offer.variant.device == "browser":
        async with aclosing(transport.stream("builtin_ai.download", {"languages": declared(())})) as shares:
            async for value in shares:
                yield Downloading(offer, share=value["share"])
        return
    await values(transport, "page.persist")
    group = f"{offer.variant.engine}:{offer.variant.device}"
    with suppress(OfflineUnavailable):  # then the engine is fetched when it is loaded, each time
        async with aclosing(transport.stream("page.keep", {"group": group})) as kept:
            async for value in kept:
                # The page counts bytes as they are unpacked; people were told what crosses the wire.
                done = value["received"] / value["total"] if value["total"] else 1.0
                yield Downloading(offer, None, int(done * offer.engine_bytes))
    async with aclosing(store.download(offer.model, offer.variant)) as steps:
        async for progress in steps:
            yield Downloading(offer, progress, offer.engine_bytes)
