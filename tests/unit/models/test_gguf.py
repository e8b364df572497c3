"""What is read of a GGUF's header; and that no file, however written, does more than be refused."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import GgufDamaged, GgufTruncated, GgufUnsupported, ModelRefused, NotGguf
from pyapp.models import gguf as parser
from pyapp.models.gguf import Header, read_header
from tests.unit.models.ggufs import CHATTY, DATA, TENSORS, Number, gguf, reader, tensor, text, value
from tests.unit.run import run


def header(content: bytes, size: int | None = None) -> Header:
    return run(read_header(reader(content), len(content) if size is None else size))


def test_what_a_file_says_of_itself() -> None:
    found = header(gguf())
    assert found.values["general.name"] == "Tiny  Chatty\n"
    assert found.values["general.languages"] == ("en", "es", "not a tag")
    assert found.values["llama.context_length"] == 512
    assert "tokenizer.ggml.tokens" not in found.values
    assert (found.tensors, found.types, found.parameters) == (2, {"Q8_0": 128, "F32": 4}, 132)
    assert found.size == len(gguf())


@pytest.mark.parametrize("version", [2, 3])
def test_both_versions_in_use(version: int) -> None:
    assert header(gguf(version=version)).tensors == 2


def test_the_fingerprint_is_of_the_header_alone() -> None:
    content = gguf()
    assert header(content).fingerprint == header(content[:-1] + b"x").fingerprint
    assert header(content).fingerprint != header(gguf(CHATTY | {"general.name": "Other"})).fingerprint


@pytest.mark.parametrize("block", [1, 7, 64])
def test_it_is_read_in_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    whole = header(gguf())
    monkeypatch.setattr(parser, "FIRST_BLOCK", block)
    monkeypatch.setattr(parser, "LARGEST_BLOCK", block)
    assert header(gguf()) == whole


def test_the_weights_are_not_read() -> None:
    asked: list[int] = []
    content = gguf(data=DATA + (8 << 20))

    async def read(offset: int, length: int) -> bytes:
        asked.append(offset + length)
        return content[offset : offset + length]

    run(read_header(read, len(content)))
    assert max(asked) <= parser.FIRST_BLOCK


def test_a_file_of_ten_gigabytes() -> None:
    big = tensor("token_embd.weight", (4096, 600_000), 1, 0)
    content = gguf(tensors=[big], data=1 << 20)
    assert header(content, size=10 << 30).parameters == 4096 * 600_000


def test_a_file_without_tensors() -> None:
    assert header(gguf(tensors=[])).parameters == 0


def test_long_texts_are_cut() -> None:
    found = header(gguf({"general.name": "n" * 5000, "other": "o" * 70_000}))
    assert found.values == {"general.name": "n" * 1024}


def test_long_lists_are_cut() -> None:
    assert len(header(gguf({"general.languages": ["en"] * 100})).values["general.languages"]) == 64  # type: ignore[arg-type]


def test_text_that_is_no_utf8() -> None:
    name = struct.pack("<I", 8) + text(b"\xff\xfe")
    assert header(gguf({"general.name": name})).values["general.name"] == "\N{REPLACEMENT CHARACTER}" * 2


def test_every_kind_of_number() -> None:
    numbers = {f"x{kind}": Number(kind, 1) for kind in (0, 1, 2, 3, 4, 5, 6, 10, 11, 12)}
    assert header(gguf(numbers | {"x7": True})).values == {}


HUGE = 2**63
BAD: dict[str, tuple[bytes, type[ModelRefused]]] = {
    "empty": (b"", NotGguf),
    "another format": (b"PK\3\4" + bytes(100), NotGguf),
    "cut in the magic": (b"GGU", NotGguf),
    "cut after the magic": (b"GGUF\3", GgufTruncated),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), GgufUnsupported),
    "version 1": (gguf(version=1), GgufUnsupported),
    "absurd tensor count": (gguf(counts=(HUGE, len(CHATTY))), GgufDamaged),
    "absurd entry count": (gguf(counts=(2, HUGE)), GgufDamaged),
    "more tensors than fit": (gguf(counts=(16_000, len(CHATTY))), GgufTruncated),
    "more entries than fit": (gguf(counts=(2, 16_000)), GgufTruncated),
    "one entry too many": (gguf(counts=(2, len(CHATTY) + 1)), ModelRefused),
    "absurd key": (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, HUGE) + bytes(64), GgufDamaged),
    "absurd text": (gguf({"k": struct.pack("<IQ", 8, HUGE)}), GgufDamaged),
    "text beyond the end": (gguf({"k": struct.pack("<IQ", 8, 10_000)}), GgufTruncated),
    "absurd list": (gguf({"k": struct.pack("<IIQ", 9, 4, HUGE)}), GgufDamaged),
    "list beyond the end": (gguf({"k": struct.pack("<IIQ", 9, 4, 10_000)}), GgufTruncated),
    "absurd list of texts": (gguf({"k": struct.pack("<IIQ", 9, 8, HUGE)}), GgufDamaged),
    "absurd text in a list": (gguf({"k": struct.pack("<IIQQ", 9, 8, 1, HUGE)}), GgufDamaged),
    "a list of lists": (gguf({"k": struct.pack("<IIQ", 9, 9, 1)}), GgufDamaged),
    "a value of no kind": (gguf({"k": struct.pack("<I", 13)}), GgufDamaged),
    "a key twice": (
        gguf({"general.name": "a"}, counts=(0, 2), tensors=[text("general.name") + value("b")]),
        GgufDamaged,
    ),
    "an alignment of 3": (gguf({"general.alignment": 3}), GgufDamaged),
    "an alignment of 0": (gguf({"general.alignment": 0}), GgufDamaged),
    "an alignment of words": (gguf({"general.alignment": "wide"}), GgufDamaged),
    "an absurd alignment": (gguf({"general.alignment": 1 << 30}), GgufDamaged),
    "five dimensions": (gguf(tensors=[tensor("t", (1,) * 5, 0, 0)]), GgufDamaged),
    "an absurd dimension": (gguf(tensors=[tensor("t", (HUGE, HUGE), 0, 0)]), GgufDamaged),
    "no dimension left": (gguf(tensors=[tensor("t", (0,), 0, 0)]), GgufDamaged),
    "half a block": (gguf(tensors=[tensor("t", (33,), 8, 0)]), GgufDamaged),
    "an unaligned offset": (gguf(tensors=[tensor("t", (1,), 0, 7)]), GgufDamaged),
    "an overflowing offset": (gguf(tensors=[tensor("t", (1,), 0, 2**64 - 32)]), GgufTruncated),
    "an overflowing size": (gguf(tensors=[tensor("t", (1 << 40,) * 4, 0, 0)]), GgufTruncated),
    "an unsupported type": (gguf(tensors=[tensor("t", (32,), 36, 0)]), GgufUnsupported),
    "cut in the weights": (gguf()[:-20], GgufTruncated),
    "a text that ends the longest header": (
        gguf({f"k{n}": "x" * (1 << 24) for n in range(4)}),
        GgufDamaged,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused(name: str) -> None:
    content, refused = BAD[name]
    with pytest.raises(refused):
        header(content)


def test_what_is_unsupported_is_named() -> None:
    with pytest.raises(GgufUnsupported) as raised:
        header(BAD["an unsupported type"][0])
    assert raised.value.details == {"feature": "tensor type 36"}


def test_a_file_that_shrinks_while_it_is_read() -> None:
    with pytest.raises(GgufTruncated):
        header(gguf()[:40], size=len(gguf()))


# ---- whatever a stranger writes ----

SOUND = gguf()
NUMBERS = st.sampled_from([0, 1, 2**16, 2**31, 2**32 - 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)


def endure(content: bytes, size: int) -> None:
    """It ends, with a header or refused; and asks only for what is in the file, in blocks."""
    asked = 0

    async def read(offset: int, length: int) -> bytes:
        nonlocal asked
        assert 0 < length <= max(parser.LARGEST_BLOCK, 4 * parser.LONGEST_KEPT)
        assert offset + length <= size
        asked += length
        assert asked <= parser.LONGEST_HEADER + parser.LARGEST_BLOCK
        return content[offset : offset + length].ljust(length, b"\0")

    with suppress(ModelRefused):
        run(read_header(read, size))


@given(st.binary(max_size=400), st.integers(0, 2**62))
def test_noise_after_the_magic(noise: bytes, more: int) -> None:
    content = b"GGUF\3\0\0\0" + noise
    endure(content, len(content))
    endure(content, len(content) + more)


@given(st.lists(st.tuples(st.integers(8, len(SOUND) - 9), NUMBERS), min_size=1, max_size=4), st.integers(0, 2**40))
def test_numbers_anywhere(changes: list[tuple[int, int]], more: int) -> None:
    content = bytearray(SOUND)
    for at, number in changes:
        content[at : at + 8] = struct.pack("<Q", number)
    endure(bytes(content), len(content) + more)


@given(st.integers(0, len(SOUND) - 1))
def test_cut_anywhere(length: int) -> None:
    with pytest.raises(ModelRefused):
        header(SOUND[:length])


KEYS = st.sampled_from([*CHATTY, "general.alignment", "split.count"]) | st.text(max_size=20)
VALUES: st.SearchStrategy[Any] = (
    st.text(max_size=50)
    | st.integers(0, 2**32 - 1)
    | st.booleans()
    | st.lists(st.text(max_size=9), max_size=80)
    | st.lists(st.integers(-(2**31), 2**31 - 1), max_size=80)
    | st.binary(max_size=30)
)
TENSOR = st.builds(
    tensor,
    st.text(max_size=9),
    st.lists(NUMBERS, max_size=6),
    st.integers(0, 60),
    NUMBERS,
)


@given(st.dictionaries(KEYS, VALUES, max_size=8), st.lists(TENSOR | st.sampled_from(TENSORS), max_size=4), NUMBERS)
def test_any_header(values: dict[str, Any], tensors: list[bytes], size: int) -> None:
    content = gguf(values, tensors)
    endure(content, len(content))
    endure(content, max(size, 1))


@given(st.sampled_from([8, 4, 0, 12]), NUMBERS, st.integers(1, 2**40))
def test_lists_of_any_announced_length(kind: int, count: int, size: int) -> None:
    endure(gguf({"k": struct.pack("<IIQ", 9, kind, count)}), size)
