"""The settings of the app, and what a chat has otherwise.

They are kept as what differs from the defaults, so that a better default reaches whoever never chose. Keys that are
not known (a later Candil wrote them) are kept as they are; a wrong value is the default and is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from pyapp.engine import Sampling
from pyapp.settings.table import BY_KEY, TABLE, NotAllowed, Wrong

Overflow = Literal["trim", "summarise", "stop"]
Theme = Literal["system", "light", "dark"]

Values = Mapping[str, object]
_NOTHING: Values = MappingProxyType({})


_DEFAULT: Mapping[str, Any] = {row.key: row.default for row in TABLE}


@dataclass(frozen=True, slots=True)
class Settings:
    model_key: str = _DEFAULT["model_key"]
    persona_id: str = _DEFAULT["persona_id"]
    system_prompt: str = _DEFAULT["system_prompt"]
    max_new_tokens: int = _DEFAULT["max_new_tokens"]
    temperature: float = _DEFAULT["temperature"]
    top_p: float = _DEFAULT["top_p"]
    top_k: int = _DEFAULT["top_k"]
    min_p: float = _DEFAULT["min_p"]
    repetition_penalty: float = _DEFAULT["repetition_penalty"]
    seed: int | None = _DEFAULT["seed"]
    context_tokens: int | None = _DEFAULT["context_tokens"]
    history_messages: int | None = _DEFAULT["history_messages"]
    overflow: Overflow = _DEFAULT["overflow"]
    theme: Theme = _DEFAULT["theme"]
    send_with_enter: bool = _DEFAULT["send_with_enter"]
    slow_budget_s: int = _DEFAULT["slow_budget_s"]
    unknown: Values = field(default_factory=lambda: _NOTHING)  # of a later version

    def value(self, key: str) -> object:
        """Raises KeyError for a key that is in no row of the table."""
        return getattr(self, BY_KEY[key].key)


@dataclass(frozen=True, slots=True)
class Parsed:
    settings: Settings
    wrong: tuple[Wrong, ...] = ()


@dataclass(frozen=True, slots=True)
class Overrides:
    """What one chat has otherwise: `values` are as `Chat.settings` keeps them, keys of later versions included."""

    values: Values
    wrong: tuple[Wrong, ...] = ()


def parse(value: object) -> Parsed:
    """The settings in a JSON value; of one that is no object, the defaults."""
    known, unknown, wrong = _sorted_out(value)
    return Parsed(replace(Settings(), **known, unknown=MappingProxyType(unknown)), wrong)


def to_json(settings: Settings) -> dict[str, object]:
    """What `parse` reads: the values that are not the default, and what a later version had written."""
    chosen = {row.key: settings.value(row.key) for row in TABLE if settings.value(row.key) != row.default}
    return {**settings.unknown, **chosen}


def overrides(value: object) -> Overrides:
    """The overrides in a JSON value. Settings of the whole app are not overridden and are dropped."""
    known, unknown, wrong = _sorted_out(value)
    per_chat = {key: it for key, it in known.items() if BY_KEY[key].per_chat}
    return Overrides(MappingProxyType({**unknown, **per_chat}), wrong)


def merged(app: Settings, chat: Values) -> Settings:
    """The app's settings as a chat has them; whatever is wrong in `chat` is as in the app."""
    known = {key: it for key, it in overrides(chat).values.items() if key in BY_KEY}
    return replace(app, **known)  # type: ignore[arg-type]


def typed(settings: Settings, texts: Mapping[str, str]) -> Parsed:
    """With what was typed into the form, by key. What is not allowed is as it was, and is reported."""
    known, wrong = _read(texts)
    return Parsed(replace(settings, **known), wrong)


def typed_overrides(chat: Values, texts: Mapping[str, str], inherited: Collection[str]) -> Overrides:
    """The overrides of a chat with what was typed; the keys in `inherited` are "as in the app"."""
    known, wrong = _read({key: text for key, text in texts.items() if key not in inherited})
    others = {key: it for key, it in chat.items() if key not in inherited}
    return Overrides(MappingProxyType({**others, **known}), wrong)


def reset(settings: Settings) -> Settings:
    """The defaults. What a later version wrote stays."""
    return Settings(unknown=settings.unknown)


def sampling(settings: Settings) -> Sampling:
    return Sampling(
        temperature=settings.temperature,
        top_k=settings.top_k,
        top_p=settings.top_p,
        min_p=settings.min_p,
        repetition_penalty=settings.repetition_penalty,
        seed=settings.seed,
    )


def _read(texts: Mapping[str, str]) -> tuple[dict[str, Any], tuple[Wrong, ...]]:
    known: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for key, text in texts.items():
        try:
            known[key] = BY_KEY[key].read(text)
        except NotAllowed as error:
            wrong.append(error.wrong)
    return known, tuple(wrong)


def _sorted_out(value: object) -> tuple[dict[str, Any], dict[str, object], tuple[Wrong, ...]]:
    known: dict[str, Any] = {}
    unknown: dict[str, object] = {}
    wrong: list[Wrong] = []
    if not isinstance(value, Mapping):
        return known, unknown, (Wrong("", "type", value),)
    for key, it in value.items():
        if key not in BY_KEY:
            unknown[key] = it
            continue
        try:
            known[key] = BY_KEY[key].check(it)
        except NotAllowed as error:
            wrong.append(error.wrong)
    return known, unknown, tuple(wrong)
