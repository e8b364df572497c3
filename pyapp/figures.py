"""What an answer took, whether that was slow, and what would make the next one faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pyapp.chat.tree import Origin
from pyapp.engine import Usage
from pyapp.models.capabilities import Capabilities
from pyapp.models.manifest import ModelSpec
from pyapp.servers.address import Refused, parse
from pyapp.setup.catalog import Catalog

Advice = Literal[
    "threads",  # the page is not isolated, so WebAssembly has one thread
    "graphics_card",  # there is one that could do it
    "long_context",  # most of the time went into reading
    "long_answer",
    "smaller_model",
    "webgpu_browser",  # another browser might use the graphics card
    "other_programs",  # nothing of ours is to blame
]

MOST_ADVICE = 2  # a list of everything helps nobody
LONG_ANSWER_TOKENS = 400


@dataclass(frozen=True, slots=True)
class Conditions:
    """What answers are measured by. `capabilities` is None until the device was looked at."""

    budget_s: float = 30  # an answer that took longer was slow
    capabilities: Capabilities | None = None
    smaller_model: bool = False  # the catalog has one that runs here


def conditions(catalog: Catalog | None, in_use: ModelSpec | None, budget_s: float) -> Conditions:
    """What is known of the device so far, and of the model that answers."""
    if catalog is None:
        return Conditions(budget_s)
    smaller = in_use is not None and any(0 < model.parameters < in_use.parameters for model, _ in catalog.fitting())
    return Conditions(budget_s, catalog.capabilities, smaller)


def where(origin: Origin) -> Literal["here", "this_computer", "sent", "cloud"]:
    """How far the words went for an answer."""
    if origin.provider:
        return "cloud"
    if not origin.host:
        return "here"
    try:
        place = parse(f"https://{origin.host}").place
    except Refused:  # of an import
        return "sent"
    return "this_computer" if place == "this_computer" else "sent"


def seconds(usage: Usage) -> float:
    """From the question to the last word."""
    return (usage.prefill_ms + usage.decode_ms) / 1000


def prefill_tokens(usage: Usage) -> int:
    """Tokens that were read; those the KV cache held were not read again."""
    return usage.prompt_tokens - usage.cached_tokens


def prefill_tokens_per_s(usage: Usage) -> float:
    """0.0 when nothing was read."""
    return 1000 * prefill_tokens(usage) / usage.prefill_ms if usage.prefill_ms > 0 else 0.0


def advice(usage: Usage, origin: Origin, conditions: Conditions) -> tuple[Advice, ...]:
    """What would have made the answer faster, what helps most first; empty when it was fast enough."""
    if seconds(usage) <= conditions.budget_s:
        return ()
    if origin.device == "server":  # which is not ours to advise on
        return tuple(_of_the_answer(usage))
    found = [*_of_the_device(origin, conditions), *_of_the_answer(usage)]
    if conditions.smaller_model:
        found.append("smaller_model")
    if _could_have_webgpu(origin, conditions):
        found.append("webgpu_browser")
    return tuple(found[:MOST_ADVICE]) or ("other_programs",)


def _of_the_device(origin: Origin, conditions: Conditions) -> Iterator[Advice]:
    given = conditions.capabilities
    if given is None or origin.device != "wasm":
        return
    if not given.cross_origin_isolated and given.hardware_concurrency > 1:
        yield "threads"
    if given.webgpu and not given.webgpu.software:
        yield "graphics_card"


def _of_the_answer(usage: Usage) -> Iterator[Advice]:
    if usage.prefill_ms > usage.decode_ms:
        yield "long_context"
    elif usage.new_tokens >= LONG_ANSWER_TOKENS:
        yield "long_answer"


def _could_have_webgpu(origin: Origin, conditions: Conditions) -> bool:
    return conditions.capabilities is not None and origin.device == "wasm" and conditions.capabilities.webgpu is None
