"""This device as HTML: what it computes with, what suits it, and how fast the models here are."""

from __future__ import annotations

from collections.abc import Iterator

from pyapp.chat.tree import Origin
from pyapp.device_page import Ranked, ShownDevice
from pyapp.models.capabilities import Adapter, Capabilities
from pyapp.setup.advice import Recommendation
from pyapp.views.html import Html, fill, join
from pyapp.views.language import Language


def device(shown: ShownDevice, language: Language) -> Html:
    if shown.capabilities is None:
        return Html()
    return fill(
        '<section class="storage" aria-labelledby="device-title"><h3 id="device-title">{title}</h3>'
        "<p><strong>{verdict}</strong> {suggestion}</p>"
        '<details><summary>{more}</summary><dl class="facts">{facts}</dl></details>{speeds}{error}</section>',
        title=language.text("device.title"),
        verdict=language.text(f"device.verdict.{shown.verdict}"),
        suggestion=suggestion(shown.suggestion, language),
        more=language.text("device.more"),
        facts=join(
            [
                fill("<dt>{name}</dt><dd>{fact}</dd>", name=language.text(name), fact=fact)
                for name, fact in _facts(shown.capabilities, language)
            ]
        ),
        speeds=_speeds(shown, language),
        error=fill('<p class="bad" role="alert">{text}</p>', text=language.error(shown.error)) if shown.error else "",
    )


def suggestion(found: Recommendation | None, language: Language) -> str:
    """One sentence, and why."""
    if found is None:
        return language.text("device.suggest.none")
    part = language.text(f"device.{found.variant.device}")
    return language.text(f"device.suggest.{found.why}", model=found.model.title, part=part)


def _facts(known: Capabilities, language: Language) -> Iterator[tuple[str, str]]:
    def yes(is_so: bool) -> str:
        return language.text("device.yes" if is_so else "device.no")

    yield "device.facts.webgpu", _adapter(known.webgpu, language)
    memory = language.text("device.facts.unknown")
    if known.memory_gb:
        memory = language.text(
            "device.facts.memory.value", gb=language.number(known.memory_gb, 0 if known.memory_gb >= 1 else 2)
        )
    yield "device.facts.memory", memory
    yield "device.facts.cores", language.number(known.hardware_concurrency)
    yield "device.facts.threads", yes(known.cross_origin_isolated)
    yield "device.facts.files", yes(known.opfs)
    yield "device.facts.builtin", language.text(f"device.facts.builtin.{known.builtin_ai}")


def _adapter(adapter: Adapter | None, language: Language) -> str:
    if adapter is None:
        return language.text("device.facts.webgpu.none")
    name = f"{adapter.vendor} {adapter.architecture}".strip() or language.text("device.facts.webgpu.nameless")
    buffer = language.size(adapter.max_buffer_bytes)
    return language.text(
        "device.facts.webgpu.f16" if adapter.shader_f16 else "device.facts.webgpu.value", name=name, buffer=buffer
    )


def _speeds(shown: ShownDevice, language: Language) -> Html:
    return fill(
        '<h4>{title}</h4>{ranking}<div class="buttons"><button type="button" class="secondary" '
        'data-action="device-measure"{disabled}>{measure}</button></div>'
        '<p class="quiet-line" role="status">{measuring}</p>',
        title=language.text("device.speeds"),
        ranking=_ranking(shown.ranking, language),
        disabled=Html("") if shown.can_measure else Html(" disabled"),
        measure=language.text("device.measure"),
        measuring=language.text("device.measuring", what=_named(shown.measuring, language)) if shown.measuring else "",
    )


def _ranking(ranked: tuple[Ranked, ...], language: Language) -> Html:
    if not ranked:
        return fill('<p class="quiet-line">{text}</p>', text=language.text("device.unmeasured"))
    items = [
        fill(
            "<li>{what}: <strong>{speed}</strong></li>",
            what=_named(each.origin, language),
            speed=language.text("device.speed", speed=language.number(each.tokens_per_s, 1)),
        )
        for each in ranked
    ]
    return fill('<ol class="ranking">{items}</ol>', items=join(items))


def _named(origin: Origin, language: Language) -> str:
    return f"{origin.model}, {language.text(f'device.{origin.device}')} ({origin.engine})"
