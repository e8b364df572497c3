"""The catalog as this device sees it: what runs here, in which order, and what would take over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pyapp.errors import EngineUnavailable, ManifestError
from pyapp.models.capabilities import Capabilities
from pyapp.models.choice import Choice, Preference, choose, fit
from pyapp.models.manifest import BrowserSource, EngineFiles, Manifest, ModelSpec, Variant
from pyapp.setup.state import Offer

Pick = tuple[ModelSpec, Variant]


@dataclass(frozen=True, slots=True)
class Catalog:
    capabilities: Capabilities
    preference: Preference  # "auto" unless the user forces a device
    manifest: Manifest = field(default_factory=lambda: Manifest(()))
    served: tuple[ModelSpec, ...] = ()  # on servers of the user's: never offered, only named

    def serving(self, model: ModelSpec) -> Catalog:
        """With a model on a server, in the place of the one of its id."""
        return replace(self, served=(*self.withdrawn(model).served, model))

    def withdrawn(self, model: ModelSpec) -> Catalog:
        """Without a model on a server."""
        return replace(self, served=tuple(each for each in self.served if each.id != model.id))

    def fitting(self) -> Iterator[Pick]:
        """What runs here, best first: models in the catalog's order, of each its variants; the browser's own last."""
        for model in sorted(self.manifest.models, key=lambda model: isinstance(model.source, BrowserSource)):
            choice = self._choice_or_none(model)
            for variant in (choice.variant, *choice.fallbacks) if choice else ():
                yield model, variant

    def first(self) -> tuple[ModelSpec, Choice]:
        """What is offered to a newcomer. Raises ManifestError for an empty catalog, EngineUnavailable."""
        if not self.manifest.models:
            raise ManifestError("It names no model.")
        model, _ = next(self.fitting(), (self.manifest.models[0], None))
        return model, self._choice(model)

    def named(self, key: str | None) -> Iterator[Pick]:
        """The variant that `key` names, if it may run here."""
        for model in (*self.manifest.models, *self.served):
            for variant in model.variants:
                if pick_key(model, variant) == key and self._may_run(variant):
                    yield model, variant

    def having(self, *models: ModelSpec) -> Catalog:
        """Each in the place of the one of its id, or at the end, and of what was read in place until now."""
        sources = {model.source for model in models if model.own}
        rest = (model for model in self.manifest.models if not (model.in_place and model.source in sources))
        known = {model.id: model for model in rest} | {model.id: model for model in models}
        return replace(self, manifest=replace(self.manifest, models=tuple(known.values())))

    def without(self, model: ModelSpec) -> Catalog:
        rest = tuple(each for each in self.manifest.models if each.id != model.id)
        return replace(self, manifest=replace(self.manifest, models=rest))

    def fallback(self, model: ModelSpec, variant: Variant) -> Variant | None:
        """The next variant that could run here, None when the user forced the device or there is none."""
        choice = self._choice_or_none(model)
        order = [choice.variant, *choice.fallbacks] if choice else []
        later = order[order.index(variant) + 1 :] if variant in order else order
        return later[0] if later else None

    def offer(self, model: ModelSpec, variant: Variant, received_bytes: int, reason: str | None = None) -> Offer:
        """`reason`: why this variant, when it is not for the device's sake."""
        choice = self._choice_or_none(model)
        chosen = choice is not None and choice.variant == variant
        reasons = choice.reasons if choice and chosen else fit(variant, self.capabilities).reasons
        engine_bytes = self.manifest.engines.get(variant.engine, EngineFiles({})).wire_bytes(variant.device)
        return Offer(model, variant, (reason,) if reason else reasons, engine_bytes, received_bytes)

    def _may_run(self, variant: Variant) -> bool:
        return self.preference in ("auto", variant.device) and fit(variant, self.capabilities).verdict != "no"

    def _choice(self, model: ModelSpec) -> Choice:
        return choose(model, self.capabilities, self.preference)

    def _choice_or_none(self, model: ModelSpec) -> Choice | None:
        try:
            return self._choice(model)
        except EngineUnavailable:
            return None


def pick_key(model: ModelSpec, variant: Variant) -> str:
    return f"{model.id}/{variant.name}"
