"""The rules by which an engine is chosen: the user's to change, to save as a file and to read from one.

ROWS is the whole of what Candil does unasked. The task decides first: a summary and labels go to the browser's own
model, a course, code and data to what was downloaded, creative writing and research may leave. Where the task decides
nothing (chat) the length does: short ones stay, long ones may leave. Above all of it stands `privacy`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeVar, cast, get_args

from pyapp.errors import ImportTooNew, ImportUnreadable, ManifestError
from pyapp.models.strict_json import Node
from pyapp.models.strict_json import loads as strict_loads
from pyapp.routing.needs import Kind

Tier = Literal["builtin", "device", "own_server", "cloud"]
"""Where the words go. "own_server": to a server of the user's on this computer or in this network. "cloud": to anyone
else's machine, a server of the user's at a public address included."""
Privacy = Literal["device_only", "ask", "allowed"]

FORMAT, VERSION = "candil.routing", 1
TIERS: tuple[Tier, ...] = get_args(Tier)
KINDS: tuple[Kind, ...] = get_args(Kind)
PRIVACIES: tuple[Privacy, ...] = get_args(Privacy)
MOST = {"long_words": 1_000_000, "least_tokens_per_s": 10_000, "most_cost": 1_000_000}
LONGEST_KEY = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """For one kind of work. Who is not in `order` is not asked; `long_leaves`: from Rules.long_words words on the
    cloud comes first. `always` is the key of a candidate that the user named for good."""

    order: tuple[Tier, ...]
    long_leaves: bool = False
    always: str = ""


ROWS: Mapping[Kind, Row] = MappingProxyType(
    {
        "chat": Row(("builtin", "device", "own_server", "cloud"), long_leaves=True),
        "summarise": Row(("builtin", "device", "own_server", "cloud")),
        "classify": Row(("builtin", "device", "own_server", "cloud")),
        "course": Row(("device", "builtin", "own_server")),
        "code": Row(("device", "builtin", "own_server")),
        "data": Row(("device", "builtin", "own_server")),
        "creative": Row(("cloud", "builtin", "device", "own_server")),
        "research": Row(("cloud", "builtin", "device", "own_server")),
    }
)


@dataclass(frozen=True, slots=True)
class Rules:
    privacy: Privacy = "device_only"
    long_words: int = 100
    least_tokens_per_s: float = 0.0  # who is measured to be slower comes last; 0: nobody is too slow
    most_cost: float | None = None  # for a million tokens; None: whatever it costs
    rows: Mapping[Kind, Row] = field(default_factory=lambda: ROWS)


# ---- what the user does to them ----


def typed(rules: Rules, name: str, text: str) -> Rules:
    """With one of the numbers as it was typed into a form; "" lifts the limit of the cost. Raises ValueError."""
    if name == "most_cost" and not text.strip():
        return replace(rules, most_cost=None)
    value = float(text.strip().replace(",", "."))  # half of the world writes 0,2
    if not 0 <= value <= MOST[name]:  # nor is NaN
        raise ValueError(name)
    match name:
        case "long_words":
            return replace(rules, long_words=int(value))
        case "most_cost":
            return replace(rules, most_cost=value)
        case _:
            return replace(rules, least_tokens_per_s=value)


def moved(rules: Rules, kind: Kind, tier: Tier, by: int) -> Rules:
    """With `tier` earlier (-1) or later (1) in the order of a kind."""
    order = list(rules.rows[kind].order)
    at = order.index(tier)
    order.insert(max(0, at + by), order.pop(at))
    return _with_row(rules, kind, replace(rules.rows[kind], order=tuple(order)))


def toggled(rules: Rules, kind: Kind, tier: Tier) -> Rules:
    """With `tier` out of the order of a kind, or back at its end; somebody stays in it."""
    row = rules.rows[kind]
    order = tuple(t for t in row.order if t != tier) if tier in row.order else (*row.order, tier)
    return _with_row(rules, kind, replace(row, order=order or row.order))


def with_long(rules: Rules, kind: Kind, leaves: bool) -> Rules:
    return _with_row(rules, kind, replace(rules.rows[kind], long_leaves=leaves))


def always(rules: Rules, kind: Kind, key: str) -> Rules:
    """With one candidate named for good; "" for the order again."""
    return _with_row(rules, kind, replace(rules.rows[kind], always=key))


def _with_row(rules: Rules, kind: Kind, row: Row) -> Rules:
    return replace(rules, rows=MappingProxyType({**rules.rows, kind: row}))


# ---- as JSON ----


def to_json(rules: Rules) -> dict[str, object]:
    """All of them: what people read in the file. Kept are only those that differ, so that a better default reaches
    whoever never chose; `parse` reads both."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "privacy": rules.privacy,
        "long_words": rules.long_words,
        "least_tokens_per_s": rules.least_tokens_per_s,
        "most_cost": rules.most_cost,
        "kinds": {kind: asdict(rules.rows[kind]) for kind in KINDS},
    }


def differences(rules: Rules) -> dict[str, object]:
    usual = to_json(Rules())
    chosen = {key: value for key, value in to_json(rules).items() if value != usual[key]}
    if "kinds" in chosen:
        chosen["kinds"] = {kind: asdict(rules.rows[kind]) for kind in KINDS if rules.rows[kind] != ROWS[kind]}
    return {"format": FORMAT, "version": VERSION, **chosen}


def dumps(rules: Rules) -> str:
    return json.dumps(to_json(rules), ensure_ascii=False, indent=1)


def loads(text: str) -> Rules:
    """The rules in a file. Raises ImportUnreadable, whose message names the place, and ImportTooNew."""
    return _read(lambda: strict_loads(text))


def parse(value: object) -> Rules:
    """As `loads`, of a JSON value. What is not in it is as it is unasked."""
    return _read(lambda: Node(value, "$"))


def _read(root: Callable[[], Node]) -> Rules:
    try:
        return _rules(root())
    except ManifestError as error:
        raise ImportUnreadable(error.message) from error


def _rules(root: Node) -> Rules:
    root.at("format").one_of({FORMAT})
    version = root.at("version").integer(least=1)
    if version > VERSION:
        raise ImportTooNew(version=version, known=VERSION)
    usual = Rules()
    return Rules(
        privacy=_or(root, "privacy", usual.privacy, lambda node: cast(Privacy, node.one_of(PRIVACIES))),
        long_words=_or(root, "long_words", usual.long_words, _words),
        least_tokens_per_s=_or(root, "least_tokens_per_s", 0.0, lambda node: _number(node, MOST["least_tokens_per_s"])),
        most_cost=_or(root, "most_cost", None, lambda n: None if n.value is None else _number(n, MOST["most_cost"])),
        rows=MappingProxyType({**ROWS, **_or(root, "kinds", {}, _rows)}),
    )


def _rows(node: Node) -> dict[Kind, Row]:
    return {cast(Kind, Node(name, row.path).one_of(KINDS)): _row(row) for name, row in node.members()}


def _row(node: Node) -> Row:
    order = tuple(cast(Tier, tier.one_of(TIERS)) for tier in node.at("order").items(least=1))
    if len(set(order)) != len(order):
        raise node.at("order").wrong("names one of them twice")
    return Row(
        order=order,
        long_leaves=_or(node, "long_leaves", False, Node.boolean),
        always=_or(node, "always", "", _key),
    )


def _key(node: Node) -> str:
    if not isinstance(node.value, str) or len(node.value) > LONGEST_KEY:
        raise node.wrong("must be the name of a model, or empty")
    return node.value


def _words(node: Node) -> int:
    node.integer(least=0)
    return int(_number(node, MOST["long_words"]))


def _number(node: Node, most: float) -> float:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:  # nor is NaN
        raise node.wrong(f"must be a number from 0 to {most}")
    return float(value)


def _or(node: Node, key: str, usual: T, read: Callable[[Node], T]) -> T:
    return read(node.at(key)) if node.has(key) else usual
