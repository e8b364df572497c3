"""Who answers with a model, as far as it is known before the answer."""

from __future__ import annotations

from dataclasses import replace

from pyapp.chat.tree import Origin
from pyapp.models.manifest import ModelSpec, ServerSource, Variant
from pyapp.servers.address import parse


def origin_of(model: ModelSpec, variant: Variant) -> Origin:
    source = model.source
    origin = Origin(model.title, variant.device, variant.engine)
    if not isinstance(source, ServerSource):
        return origin
    origin = replace(origin, host=parse(source.base_url).shown)
    if source.companies:  # until the answer says which
        return replace(origin, provider=source.readers, model=source.model)
    return origin


def same_author(one: Origin, other: Origin) -> bool:
    """Whether the words of both may stand in one answer. Behind a relay the company may be another each time."""
    if one.provider and other.provider:
        return one.host == other.host
    return (one.model, one.device, one.host) == (other.model, other.device, other.host)
