"""Hostile and damaged files: one sentence, no allocation, no hang, nothing left behind."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from gguf import GGUFWriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.tiny_gguf import TinyShape, write_tiny_gguf
from tools.convert.conversion import open_source
from tools.convert.errors import ConvertError
from tools.convert.gguf_file import read_gguf

SMALL = TinyShape(layers=1, hidden=32, heads=2, kv_heads=1, ffn=32, context_tokens=64)


@cache
def _valid() -> bytes:
    with TemporaryDirectory() as folder:
        return write_tiny_gguf(Path(folder) / "tiny.gguf", quant="Q4_1", shape=SMALL).read_bytes()


def _open(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    open_source(path)


def _with(offset: int, kind: str, value: int) -> bytes:
    data = bytearray(_valid())
    struct.pack_into(kind, data, offset, value)
    return bytes(data)


def test_the_unchanged_file_is_accepted(tmp_path: Path) -> None:
    _open(tmp_path, _valid())


HEADERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not a GGUF"),
    "another format": (lambda: b"PK\x03\x04" + _valid()[4:], "not a GGUF"),
    "future version": (lambda: _with(4, "<I", 9), "version 9"),
    "big-endian": (lambda: _with(4, ">I", 3), "version"),
    "absurd tensor count": (lambda: _with(8, "<Q", 1 << 62), "tensors"),
    "absurd metadata count": (lambda: _with(16, "<Q", 1 << 62), "metadata"),
    "absurd key length": (lambda: _with(24, "<Q", 1 << 62), "claims a text"),
    "cut in the metadata": (lambda: _valid()[:200], "cut short"),
    "cut in the weights": (lambda: _valid()[:-100], "cut short"),
}


@pytest.mark.parametrize(("data", "message"), HEADERS.values(), ids=HEADERS)
def test_damaged_files_get_one_sentence(tmp_path: Path, data: Callable[[], bytes], message: str) -> None:
    with pytest.raises(ConvertError, match=message) as error:
        _open(tmp_path, data())
    assert "\n" not in str(error.value)


def _written(path: Path, fill: Callable[[GGUFWriter], None]) -> Path:
    writer = GGUFWriter(path, "llama")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_huge_array_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.gguf", lambda writer: writer.add_array("numbers", [1, 2, 3]))
    data = bytearray(path.read_bytes())
    place = data.index(b"numbers") + len(b"numbers") + 8
    struct.pack_into("<Q", data, place, 1 << 40)
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(ConvertError, match="items"):
        read_gguf(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def _tensor_place(name: str) -> int:
    """Where the dimension count of a tensor's description lies in the valid file."""
    return _valid().index(struct.pack("<Q", len(name)) + name.encode()) + 8 + len(name)


OUTPUT_NORM = "output_norm.weight"
DESCRIPTIONS = {
    "no dimension": (0, "<I", 0, "dimensions"),
    "many dimensions": (0, "<I", 1 << 30, "dimensions"),
    "a dimension of zero": (4, "<Q", 0, "zero"),
    "a huge dimension": (4, "<Q", 1 << 62, "beyond its end"),
    "an unknown type": (12, "<I", 999, "unknown type"),
    "a crooked offset": (16, "<Q", 3, "multiple of 32"),
    "a far offset": (16, "<Q", 1 << 62, "beyond its end"),
    "an overlapping offset": (16, "<Q", 0, "overlaps"),
}


@pytest.mark.parametrize("change", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_damaged_tensor_descriptions(tmp_path: Path, change: tuple[int, str, int, str]) -> None:
    offset, kind, value, message = change
    with pytest.raises(ConvertError, match=message):
        _open(tmp_path, _with(_tensor_place(OUTPUT_NORM) + offset, kind, value))


def _renamed(old: str, new: str) -> bytes:
    """The valid file with one name changed to another of the same length."""
    assert len(old) == len(new)
    return _valid().replace(struct.pack("<Q", len(old)) + old.encode(), struct.pack("<Q", len(new)) + new.encode(), 1)


NAMES = {
    "another architecture": (
        lambda: _valid().replace(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0qwen9", 1),
        "qwen9",
    ),
    "a missing tensor": (lambda: _renamed("blk.0.attn_q.weight", "blk.0.attn_x.weight"), "attn_q"),
    "a missing size": (lambda: _renamed("llama.block_count", "llama.block_caunt"), "block_count"),
    "no tokens": (lambda: _renamed("tokenizer.ggml.tokens", "tokenizer.ggml.tokenz"), "tokens"),
    "no merges": (lambda: _renamed("tokenizer.ggml.merges", "tokenizer.ggml.mergez"), "merges"),
    "no tokenizer": (lambda: _renamed("tokenizer.ggml.model", "tokenizer.ggml.madel"), "tokenizer None"),
    "an unknown pre-tokenizer": (lambda: _valid().replace(b"smollm", b"smallm"), "smallm"),
}


@pytest.mark.parametrize(("data", "message"), NAMES.values(), ids=NAMES)
def test_what_is_missing_or_unknown_is_named(tmp_path: Path, data: Callable[[], bytes], message: str) -> None:
    with pytest.raises(ConvertError, match=message):
        _open(tmp_path, data())


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", quant="F32", shape=SMALL)
    source = open_source(path)
    place = source.file.tensors["blk.0.attn_q.weight"].offset
    with path.open("r+b") as data:
        data.seek(place)
        data.write(np.float32(np.nan).tobytes())
    with pytest.raises(ConvertError, match="not a finite number"):
        open_source(path).weights.matrix("blk.0.attn_q.weight")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_harmless(tmp_path: Path, data: st.DataObject) -> None:
    """A changed file is either still a good one or refused with a ConvertError; nothing else happens."""
    valid = _valid()
    changed = bytearray(valid)
    header = _tensor_place("output_norm.weight") + 32
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, header))
        patch = data.draw(st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(PATCHES)))
        changed[place : place + len(patch)] = patch
    cut = data.draw(st.one_of(st.just(len(changed)), st.integers(0, len(changed))))
    try:
        _open(tmp_path, bytes(changed[:cut]))
    except ConvertError as error:
        assert "\n" not in str(error)  # noqa: PT017  # whether it is raised depends on the damage


PATCHES = [struct.pack("<Q", value) for value in (0, 1, 1 << 31, (1 << 32) - 1, 1 << 62, (1 << 64) - 1)]
