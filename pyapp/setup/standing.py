"""How every variant of every model stands on this device: here or not, whole or not, in use or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pyapp.errors import CandilError
from pyapp.models import record
from pyapp.models.choice import Fit, fit
from pyapp.models.manifest import ManifestFile, ModelSpec, Variant
from pyapp.models.record import Installed
from pyapp.models.store import Survey
from pyapp.setup.catalog import Catalog
from pyapp.setup.state import DownloadFailed, Downloading, LoadFailed, Loading, Ready, SetupState


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing of it is here."""


@dataclass(frozen=True, slots=True)
class Partly:
    received_bytes: int


@dataclass(frozen=True, slots=True)
class Fetching:
    download: Downloading


@dataclass(frozen=True, slots=True)
class Whole:
    pass


@dataclass(frozen=True, slots=True)
class Damaged:
    """`files` have to be fetched again: missing, or not what they were."""

    files: tuple[ManifestFile, ...]


@dataclass(frozen=True, slots=True)
class Verifying:
    checked_bytes: int
    total_bytes: int


Standing = Absent | Partly | Fetching | Whole | Damaged | Verifying
Use = Literal["no", "loading", "yes"]
Remark = CandilError | Literal["intact"]


@dataclass(frozen=True, slots=True)
class Row:
    model: ModelSpec
    variant: Variant
    fit: Fit
    standing: Standing
    recommended: bool = False  # the best of its model here
    listed: bool = True  # False: no longer in the catalog
    use: Use = "no"
    usable: bool = True  # False: another tab runs the engine
    blocked: bool = False  # another download runs: nothing else may change the store
    remark: Remark | None = None  # what the last thing done to it came to
    asks_to_delete: bool = False

    @property
    def key(self) -> str:
        return record.key(self.model, self.variant)

    @property
    def received_bytes(self) -> int:
        """What the next download begins with."""
        match self.standing:
            case Partly(received_bytes):
                return received_bytes
            case Damaged(files):
                return self.variant.bytes - sum(file.bytes for file in files)
            case _:
                return 0


_VERDICTS = ("fits", "doubtful", "no")


def rows(catalog: Catalog, survey: Survey) -> Iterator[Row]:
    """The models in the catalog's order, of each what suits best first; then what is in the catalog no more."""
    best = {model.id: variant for model, variant in reversed(list(catalog.fitting()))}
    known: set[str] = set()
    for model in catalog.manifest.models:
        if model.in_place:
            continue  # nothing of it is kept
        of_model = [_row(model, variant, catalog, survey, best.get(model.id) == variant) for variant in model.variants]
        known.update(row.key for row in of_model)
        yield from sorted(of_model, key=lambda row: (not row.recommended, _VERDICTS.index(row.fit.verdict)))
    for each in survey.records:
        if each.key not in known:
            fits = fit(each.variant, catalog.capabilities)
            yield Row(each.model, each.variant, fits, _of_record(each), listed=False)


def _row(model: ModelSpec, variant: Variant, catalog: Catalog, survey: Survey, recommended: bool) -> Row:
    standing = _standing(model, variant, survey)
    if variant.device == "browser" and catalog.capabilities.builtin_ai == "available":
        standing = Whole()
    return Row(model, variant, fit(variant, catalog.capabilities), standing, recommended)


def _standing(model: ModelSpec, variant: Variant, survey: Survey) -> Standing:
    """By content: an edit of the catalog's words does not make the files others."""
    for each in survey.records:
        if each.variant.files and record.content(each.variant) == record.content(variant):
            return _of_record(each)
    received = survey.received.get(record.key(model, variant))
    return Absent() if received is None else Partly(received)


def _of_record(installed: Installed) -> Standing:
    return Damaged(installed.damaged) if installed.damaged else Whole()


def use(row: Row, state: SetupState) -> Use:
    """Whether it answers."""
    match state:
        case Ready(model, variant) if record.key(model, variant) == row.key:
            return "yes"
        case Loading(model, variant) if record.key(model, variant) == row.key:
            return "loading"
        case _:
            return "no"


def failure(row: Row, state: SetupState) -> CandilError | None:
    """Why it is not here, or does not answer."""
    match state:
        case DownloadFailed(offer, error) if record.key(offer.model, offer.variant) == row.key:
            return error
        case LoadFailed(model, variant, error) if record.key(model, variant) == row.key:
            return error
        case _:
            return None
