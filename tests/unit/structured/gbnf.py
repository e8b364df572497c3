"""Texts of a grammar, drawn at random: what an engine could write that does nothing but obey it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

TOKEN = re.compile(
    r"""\s*(?:(?P<name>[a-zA-Z][a-zA-Z0-9]*)|"(?P<text>(?:[^"\\]|\\.)*)"|\[(?P<set>(?:[^\]\\]|\\.)*)\]
    |(?P<sign>[()|*?+])|\{(?P<count>\d+(?:,\d*)?)\})""",
    re.VERBOSE,
)
POINT = re.compile(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|([^\\])")
MANY = 6  # times more than it must be is something repeated, where it may be so more often than
SHORT = 24


@dataclass(frozen=True)
class Text:
    data: bytes


@dataclass(frozen=True)
class Set:
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Rule:
    name: str


@dataclass(frozen=True)
class Row:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    options: tuple[Node, ...]


@dataclass(frozen=True)
class Times:
    node: Node
    least: int
    most: int


Node = Text | Set | Rule | Row | Choice | Times


class Grammar:
    """`in_bytes`: beyond ASCII a set is one of bytes, as XGrammar has it."""

    def __init__(self, grammar: str, *, in_bytes: bool = False) -> None:
        self._in_bytes = in_bytes
        self.rules = {
            name: Reader(body).choice() for name, _, body in (line.partition(" ::= ") for line in grammar.splitlines())
        }
        self._heights: dict[str, int] = {}
        for _ in self.rules:
            for name, node in self.rules.items():
                self._heights[name] = min(self._height(node) + 1, 10_000)

    def text(self, random: Random) -> str:
        """Raises UnicodeDecodeError when the bytes are no text."""
        out: list[bytes] = []
        self._draw(Rule("root"), random, 12, out)
        return b"".join(out).decode()

    def _height(self, node: Node) -> int:
        """How many rules deep the shortest text of it is."""
        match node:
            case Rule(name):
                return self._heights.get(name, 10_000)
            case Row(parts):
                return max(map(self._height, parts), default=0)
            case Choice(options):
                return min(map(self._height, options))
            case Times(inner, least, _):
                return self._height(inner) if least else 0
            case _:
                return 0

    def _draw(self, node: Node, random: Random, depth: int, out: list[bytes]) -> None:
        match node:
            case Text(data):
                out.append(data)
            case Set(spans):
                low, high = random.choice(spans)
                point = random.choice((low, high, random.randint(low, high)))
                out.append(bytes([point]) if self._in_bytes else chr(point).encode())
            case Rule(name):
                self._draw(self.rules[name], random, depth - 1, out)
            case Row(parts):
                for part in parts:
                    self._draw(part, random, depth, out)
            case Choice(options):
                lowest = min(map(self._height, options))
                fitting = [o for o in options if depth > 0 or self._height(o) == lowest]
                self._draw(random.choice(fitting), random, depth, out)
            case Times(inner, least, most):
                usual = most if most <= SHORT else least + MANY
                for _ in range(least if depth <= 0 else random.choice((least, usual, random.randint(least, usual)))):
                    self._draw(inner, random, depth, out)


class Reader:
    def __init__(self, body: str) -> None:
        self._tokens = list(TOKEN.finditer(body))
        assert "".join(token[0] for token in self._tokens) == body, body

    def choice(self) -> Node:
        options = [self._row()]
        while self._sign("|"):
            options.append(self._row())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sign(self, signs: str) -> str:
        found = self._tokens[0]["sign"] if self._tokens else None
        return self._tokens.pop(0)["sign"] if found and found in signs else ""

    def _row(self) -> Node:
        parts = []
        while self._tokens and (self._tokens[0]["sign"] or "x") not in "|)":
            parts.append(self._repeated(self._one()))
        return Row(tuple(parts))

    def _one(self) -> Node:
        if self._sign("("):
            inner = self.choice()
            assert self._sign(")")
            return inner
        token = self._tokens.pop(0)
        if token["name"]:
            return Rule(token["name"])
        if token["set"] is not None:
            return Set(tuple(spans(token["set"])))
        return Text(re.sub(r"\\(.)", r"\1", token["text"]).encode())

    def _repeated(self, node: Node) -> Node:
        sign = self._sign("*?+")
        if sign:
            return Times(node, int(sign == "+"), 1 if sign == "?" else 1000)
        if self._tokens and self._tokens[0]["count"]:
            least, comma, most = self._tokens.pop(0)["count"].partition(",")
            return Times(node, int(least), int(most) if most else 1000 if comma else int(least))
        return node


def spans(inside: str) -> Iterator[tuple[int, int]]:
    points = [(int(short or long, 16) if short or long else ord(plain)) for short, long, plain in POINT.findall(inside)]
    dash = [plain == "-" for _, _, plain in POINT.findall(inside)]
    at = 0
    while at < len(points):
        wide = at + 2 < len(points) and dash[at + 1]
        low, high = points[at], points[at + 2 if wide else at]
        assert low <= high, inside
        yield low, high
        at += 3 if wide else 1
