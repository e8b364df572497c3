"""A schema as a grammar, for the engines that mask what may not come next: one for all of them, written here.

The notation is GBNF, llama.cpp's, which XGrammar reads too; the rule `root` is the document. XGrammar 0.1.27's own
reading of schemas lets through what is no JSON (control characters, broken UTF-8, "1x5" for 1.5), and ignores bounds.

Documents are written as Python's json.dumps does, with one space after commas and colons: the tokens of small models
are made for that, and a model that may choose its white space may choose it for ever. No \\u escapes, no exponents.

They differ in this. Beyond ASCII a character class of XGrammar's means single *bytes*, not characters, so there a range
of characters is written as the UTF-8 sequences it has. And it unrolls every repetition: with 49 000 tokens, 40 of them
take 0.6 s to compile, and 400 take 0.8 s for each token. So there only short texts are counted, and those that come
out too long are cut (mending.py). "plain" is what site/engines/grammar.js reads: GBNF in which every repetition is
written as one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, assert_never

from pyapp.engine import Json
from pyapp.structured import formats, numerals, pattern
from pyapp.structured.endless import name_of
from pyapp.structured.numerals import alternatives
from pyapp.structured.pattern import Alt, Char, Node, Ranges, Repeat, Seq, others, points, ranges
from pyapp.structured.subset import normalised

Notation = Literal["gbnf", "xgrammar", "plain"]

MOST_EXTRA = 16  # members beside the named ones
BLOCK = 64  # repetitions that are written as such; llama.cpp refuses very many, and is slow with many
COUNTED = 16  # characters of a text that XGrammar counts
SURROGATES = (0xD800, 0xDFFF)
UNWRITTEN = ranges((0, 0x1F), *points('"\\'), (0x7F, 0x9F), SURROGATES)  # not as themselves
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
TEXT = others(ranges((0, 8), (0x0B, 0x1F), (0x7F, 0x9F), SURROGATES))  # what a string without a pattern is made of
INTEGER = f'("0" | "-"? [1-9] [0-9]{{0,{numerals.DIGITS - 1}}})'
NUMBER = '"-"? ("0" | [1-9] [0-9]{0,8}) ("." [0-9]{1,6})?'


def grammar(schema: Json, notation: Notation = "gbnf") -> str:
    """Every text of it is a document that `schema` describes, but for the length of texts in XGrammar's.

    Raises SchemaUnsupported.
    """
    return _Writer(notation).text(normalised(schema))


class _Writer:
    def __init__(self, notation: Notation) -> None:
        self._notation = notation
        self._class = _bytes if notation == "xgrammar" else _characters
        self._rules: dict[str, str] = {}
        self._known: dict[str, str] = {}  # what a rule says -> its name
        self._refs: dict[str, str] = {}  # $defs -> rule

    def text(self, schema: Json) -> str:
        self._rules["root"] = ""
        for number, name in enumerate(schema.get("$defs", {})):
            self._refs[name] = f"def{number}"
        for name, definition in schema.get("$defs", {}).items():
            self._rules[self._refs[name]] = self._schema(definition)
        self._rules["root"] = self._schema(schema)
        return "".join(f"{name} ::= {body}\n" for name, body in self._rules.items())

    def _rule(self, body: str) -> str:
        """The name of a rule that says so."""
        if body not in self._known:
            self._known[body] = f"r{len(self._known)}"
            self._rules[self._known[body]] = body
        return self._known[body]

    def _schema(self, schema: Json) -> str:
        if "$ref" in schema:
            return self._refs[name_of(schema)]
        if "enum" in schema:
            return alternatives([_literal(_written(value)) for value in schema["enum"]])
        if "anyOf" in schema:
            return alternatives([self._rule(self._schema(branch)) for branch in schema["anyOf"]])
        write: Callable[[_Writer, Json], str] = _BY_TYPE[schema["type"]]
        return write(self, schema)

    # Texts

    def _string(self, schema: Json) -> str:
        least, most = schema.get("minLength", 0), schema["maxLength"]
        if "pattern" not in schema and "format" not in schema:
            unbounded = self._notation == "xgrammar" and most > COUNTED
            return self._quoted(self._repeated(self._text_character(), least, None if unbounded else most))
        wanted = schema["pattern"] if "pattern" in schema else formats.PATTERNS[schema["format"]]
        node = pattern.fitted(pattern.parsed(wanted), least, most)
        assert node is not None  # subset.py
        return self._quoted(self._pattern(node))

    def _quoted(self, inside: str) -> str:
        return f'"\\"" {inside} "\\""'

    def _text_character(self) -> str:
        return self._rule(self._characters(TEXT))

    def _pattern(self, node: Node) -> str:
        match node:
            case Char(found):
                return self._characters(found)
            case Seq(parts):
                return " ".join(filter(None, map(self._pattern, parts)))
            case Alt(options):
                return "(" + " | ".join(self._pattern(option) or '""' for option in options) + ")"
            case Repeat(inner, least, most):
                body = self._pattern(inner)
                return self._repeated(self._rule(body), least, most) if body else ""
            case _ as unknown:
                assert_never(unknown)

    def _characters(self, found: Ranges) -> str:
        """Any one of them, as it is written in a JSON string."""
        plain = without(found, UNWRITTEN)
        escaped = [_literal(escape) for character, escape in ESCAPES.items() if _has(found, character)]
        return alternatives([*([self._class(plain)] if plain else []), *escaped])

    def _repeated(self, what: str, least: int, most: int | None) -> str:
        if most is None:
            return f"{what}{{{least},}}" if least else f"{what}*"
        if most - least <= 2 * BLOCK or self._notation == "plain":
            return f"{what}{{{least},{most}}}" if most else '""'
        first = f"{what}{{{least}}} " if least else ""
        blocks, rest = divmod(most - least - BLOCK + 1, BLOCK)
        block = self._rule(f"{what}{{{BLOCK}}}")
        return f"{first}{block}{{0,{blocks}}} {what}{{0,{rest + BLOCK - 1}}}"

    # Numbers

    def _integer(self, schema: Json) -> str:
        return numerals.whole(schema["minimum"], schema["maximum"]) if "minimum" in schema else INTEGER

    def _number(self, schema: Json) -> str:
        bounds = {keyword: bound for keyword, bound in schema.items() if keyword != "type"}
        found = numerals.real_range(bounds) if bounds else None
        return numerals.real(*found) if found else NUMBER

    # Lists

    def _array(self, schema: Json) -> str:
        least, most = schema["minItems"], schema["maxItems"]
        first = [self._rule(self._schema(item)) for item in schema.get("prefixItems", ())][:most]
        item = self._rule(self._schema(schema["items"])) if most > len(first) else ""
        rest = self._items(item, max(least - len(first), 0), most - len(first), bool(first)) if item else ""
        for index in range(len(first) - 1, -1, -1):
            comma = _literal(", ") + " " if index else ""
            rest = f"{comma}{first[index]} {rest}".strip()
            rest = rest if index < least else f"({rest})?"
        return f'"[" {rest} "]"'

    def _items(self, item: str, least: int, most: int, follows: bool) -> str:
        more = self._rule(f"{_literal(', ')} {item}")
        if follows:
            return self._repeated(more, least, most)
        one = f"{item} {self._repeated(more, max(least - 1, 0), most - 1)}"
        return one if least else f"({one})?"

    # Objects

    def _object(self, schema: Json) -> str:
        named = schema["properties"]
        members = [
            (f"{_literal(_written(name) + ': ')} {self._rule(self._schema(member))}", name in schema["required"])
            for name, member in named.items()
        ]
        extra = ""
        if schema["additionalProperties"] is not False:
            value = self._rule(self._schema(schema["additionalProperties"]))
            extra = f"{self._other_name(list(named))} {_literal(': ')} {value}"
        return f'"{{" {self._first(members, extra)} "}}"'

    def _first(self, members: Sequence[tuple[str, bool]], extra: str) -> str:
        """Members with nothing before them: a chain of choices up to the first that is required."""
        options = []
        for index, (member, required) in enumerate(members):
            options.append(f"{member} {self._after(members[index + 1 :], extra)}".strip())
            if required:
                return alternatives(options)
        if extra:
            options.append(f"{extra} {self._extras(extra, MOST_EXTRA - 1)}")
        return f"({' | '.join(options)})?" if options else '""'

    def _after(self, members: Sequence[tuple[str, bool]], extra: str) -> str:
        """The rest of the members, each with a comma before it."""
        rest = self._extras(extra, MOST_EXTRA) if extra else ""
        for member, required in reversed(members):
            one = f"{_literal(', ')} {member}"
            rest = self._rule(f"{one if required else f'({one})?'} {rest}".strip())
        return rest

    def _extras(self, extra: str, most: int) -> str:
        return self._repeated(self._rule(f"{_literal(', ')} {extra}"), 0, most)

    def _other_name(self, names: Sequence[str]) -> str:
        """A member's name that is none of these: a second one of a name would hide the first."""
        tree: dict[str, Any] = {}
        for name in names:
            branch = tree
            for character in name:
                branch = branch.setdefault(character, {})
            branch[""] = {}
        return self._rule(self._quoted(self._none_of(tree, 40)))

    def _none_of(self, tree: Mapping[str, Any], most: int) -> str:
        rest = self._repeated(self._text_character(), 0, most)
        if not tree:
            return rest
        known = "".join(tree)
        options = [f"{self._characters(without(TEXT, points(known)))} {rest}"]
        for character, branch in tree.items():
            if character and _has(TEXT, character):
                inner = self._none_of(branch, most)
                options.append(f"{self._characters(points(character))} {self._rule(inner)}")
        return alternatives([*options, *([] if "" in tree else ['""'])])


_BY_TYPE: Mapping[str, Callable[[_Writer, Json], str]] = {
    "string": _Writer._string,
    "integer": _Writer._integer,
    "number": _Writer._number,
    "array": _Writer._array,
    "object": _Writer._object,
    "boolean": lambda _writer, _schema: '("true" | "false")',
    "null": lambda _writer, _schema: '"null"',
}


def _written(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def without(found: Ranges, taken: Ranges) -> Ranges:
    return others(ranges(*others(found), *taken))


def _has(found: Ranges, character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in found)


def _characters(found: Ranges) -> str:
    return "[" + "".join(_span(low, high) for low, high in found) + "]"


def _span(low: int, high: int) -> str:
    return _point(low) if low == high else f"{_point(low)}-{_point(high)}"


def _point(point: int) -> str:
    if point < 0x80 and chr(point).isalnum():
        return chr(point)
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"  # \\x would take in a digit that follows


def _bytes(found: Ranges) -> str:
    """The same in bytes."""
    ascii_only = tuple((low, min(high, 0x7F)) for low, high in found if low < 0x80)
    options = [_characters(ascii_only)] if ascii_only else []
    for low, high in found:
        options += [" ".join(map(_byte, sequence)) for sequence in _sequences(max(low, 0x80), high)]
    return alternatives(options)


def _byte(span: tuple[int, int]) -> str:
    low, high = map(_point, span)
    return f"[{low}{high}]" if low == high else f"[{low}-{high}]"  # a class of one is taken for a character


Sequence8 = list[tuple[int, int]]


def _sequences(low: int, high: int) -> Iterator[Sequence8]:
    """A range of characters beyond ASCII as UTF-8: for each byte of a sequence, from where to where."""
    for first, last in ((0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, pattern.LAST)):
        if max(low, first) <= min(high, last):
            yield from _split(chr(max(low, first)).encode(), chr(min(high, last)).encode())


def _split(low: bytes, high: bytes) -> Iterable[Sequence8]:
    (first, *_), (last, *_) = low, high
    rest_low, rest_high = low[1:], high[1:]
    if not rest_low:
        return [[(first, last)]]
    if first == last:
        return [[(first, first), *rest] for rest in _split(rest_low, rest_high)]
    found: list[Sequence8] = []
    if rest_low.strip(b"\x80"):
        found += [[(first, first), *rest] for rest in _split(rest_low, b"\xbf" * len(rest_low))]
        first += 1
    if rest_high.strip(b"\xbf"):
        found += [[(last, last), *rest] for rest in _split(b"\x80" * len(rest_high), rest_high)]
        last -= 1
    if first <= last:
        found.append([(first, last), *[(0x80, 0xBF)] * len(rest_low)])
    return found
