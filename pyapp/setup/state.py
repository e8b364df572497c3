"""Where the way to a loaded model stands: one class per situation, each with all the page needs to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pyapp.errors import CandilError
from pyapp.models.download import DownloadProgress
from pyapp.models.manifest import ModelSpec, Variant


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be downloaded, before anything is."""

    model: ModelSpec
    variant: Variant
    reasons: tuple[str, ...]  # codes of models.choice: why this variant
    engine_bytes: int  # of engine code still to fetch, as it crosses the wire
    received_bytes: int = 0  # of the model, from an earlier attempt

    @property
    def total_bytes(self) -> int:
        return self.variant.bytes + self.engine_bytes


@dataclass(frozen=True, slots=True)
class Checking:
    """Looking at the device and at what is installed."""


@dataclass(frozen=True, slots=True)
class Choosing:
    offer: Offer


@dataclass(frozen=True, slots=True)
class Declined:
    offer: Offer


@dataclass(frozen=True, slots=True)
class Downloading:
    """`progress` is of the model alone; None while the engine's code is fetched."""

    offer: Offer
    progress: DownloadProgress | None = None
    engine_received_bytes: int = 0
    share: float = 0.0  # of a download that the browser makes for itself, and whose size it does not tell

    @property
    def received_bytes(self) -> int:
        return self.engine_received_bytes + (
            self.progress.received_bytes if self.progress else self.offer.received_bytes
        )

    @property
    def fraction(self) -> float:
        total = self.offer.total_bytes
        return min(1.0, self.received_bytes / total) if total else self.share


@dataclass(frozen=True, slots=True)
class DownloadFailed:
    offer: Offer
    error: CandilError


@dataclass(frozen=True, slots=True)
class Loading:
    model: ModelSpec
    variant: Variant
    stage: Literal["reading", "session", "self_test"] = "reading"


@dataclass(frozen=True, slots=True)
class LoadFailed:
    model: ModelSpec
    variant: Variant
    error: CandilError


@dataclass(frozen=True, slots=True)
class Ready:
    model: ModelSpec
    variant: Variant


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another tab runs the engine."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing can be offered: no engine runs here, or the catalog is broken."""

    error: CandilError


SetupState = (
    Checking
    | Choosing
    | Declined
    | Downloading
    | DownloadFailed
    | Loading
    | LoadFailed
    | Ready
    | Elsewhere
    | Unavailable
)
