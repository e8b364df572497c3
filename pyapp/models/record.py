"""What is written down about an installed variant: its entry of the catalog, as it was when it was fetched.

So a page without the catalog, offline or after the entry is gone from it, can still load the model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pyapp.errors import ManifestError
from pyapp.models.manifest import (
    FORMAT,
    BrowserSource,
    EmbeddedSource,
    HubSource,
    ManifestFile,
    ModelSpec,
    OwnSource,
    Source,
    UrlSource,
    Variant,
    read,
    read_source,
)
from pyapp.models.names import URL
from pyapp.models.strict_json import Node

_KINDS: dict[type[Source], str] = {
    EmbeddedSource: "embedded",
    HubSource: "hub",
    BrowserSource: "browser",
    OwnSource: "own",
    UrlSource: "url",
}


@dataclass(frozen=True, slots=True)
class Installed:
    model: ModelSpec
    variant: Variant
    damaged: tuple[ManifestFile, ...] = ()  # missing, or not of the right size: evicted, or half deleted

    @property
    def key(self) -> str:
        return key(self.model, self.variant)


def key(model: ModelSpec, variant: Variant) -> str:
    return f"{model.id}.{variant.name}"


def content(variant: Variant) -> frozenset[str]:
    """What tells whether two are the same: an edit of the catalog's words does not make the files others."""
    return frozenset(file.sha256 for file in variant.files)


def _source(node: Node) -> Source:
    """Also what no catalog has: the user's own."""
    match node.at("kind").value:
        case "own":
            return OwnSource(node.at("name").text())
        case "url":
            return UrlSource(node.at("url").text(URL, "an address"))
        case _:
            return read_source(node)


def to_wire(model: ModelSpec, variant: Variant) -> dict[str, Any]:
    entry = asdict(model)
    entry["source"]["kind"] = _KINDS[type(model.source)]
    entry["variants"] = [_stated(written) for written in entry["variants"]]
    return {"format": FORMAT, "models": [entry], "variant": variant.name}


def _stated(members: dict[str, Any]) -> dict[str, Any]:
    """Without the members that are not there."""
    return {
        name: _stated(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if value not in (None, ())
    }


def from_wire(wire: object, blobs: dict[str, int]) -> Installed | None:
    """None for what this version cannot read: as if it were not installed. `blobs`: bytes by sha256."""
    try:
        root = Node(wire, "$")
        (model,) = read(root, _source).models
        name = root.at("variant").text()
        (variant,) = (v for v in model.variants if v.name == name)
    except (ManifestError, ValueError):
        return None
    return Installed(model, variant, tuple(f for f in variant.files if blobs.get(f.sha256) != f.bytes))
