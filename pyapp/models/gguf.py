"""What a GGUF file says of itself: its header, read from the front in blocks, never its weights.

The file is a stranger's. Every number in it is held against a limit before anything is read or kept because of it, so
the work is bounded by LONGEST_HEADER and the memory by one block and a few short strings. The chat template is never
looked into here: the engine evaluates it, in WebAssembly.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import prod

from pyapp.errors import GgufDamaged, GgufTruncated, GgufUnsupported, NotGguf
from pyapp.models.gguf_types import TENSOR_TYPES

Read = Callable[[int, int], Awaitable[bytes]]  # offset, length; fewer bytes only where the file ends
Value = str | int | float | bool | tuple[str, ...]

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_ENTRIES = 1 << 14  # of metadata, and of tensors: the largest models have a few thousand
MOST_ITEMS = 1 << 21  # of one list: the largest vocabularies have a quarter of a million tokens, and twice the merges
MOST_LISTED = 64  # of a list that is kept
LONGEST_KEY = 1 << 16
LONGEST_STRING = 1 << 24
LONGEST_KEPT = 1 << 10
LONGEST_HEADER = 1 << 26
LARGEST_ALIGNMENT = 1 << 20
MOST_DIMENSIONS = 4
LARGEST_DIMENSION = 1 << 40
FIRST_BLOCK = 1 << 18
LARGEST_BLOCK = 1 << 21

_KEPT = re.compile(
    r"general\.(?:architecture|type|name|size_label|license|license\.link|languages|alignment|file_type)"
    r"|split\.(?:no|count)|tokenizer\.(?:chat_template|ggml\.model)|[a-z0-9_-]+\.(?:context_length|attention\.causal)"
)
_STRING, _LIST = 8, 9
_SCALARS = {n: struct.Struct("<" + form) for n, form in enumerate("BbHhIif?")} | {
    n: struct.Struct("<" + form) for n, form in ((10, "Q"), (11, "q"), (12, "d"))
}
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_LEAST_ENTRY, _LEAST_TENSOR = 13, 24  # bytes


@dataclass(frozen=True, slots=True)
class Header:
    """`values` has the metadata that says what the model is; strings are cut at LONGEST_KEPT characters."""

    size: int  # of the file
    values: Mapping[str, Value]
    tensors: int
    types: Mapping[str, int]  # tensor type -> values stored in it
    fingerprint: str  # sha256 of the header

    @property
    def parameters(self) -> int:
        return sum(self.types.values())


async def read_header(read: Read, size: int) -> Header:
    """The header of a file of `size` bytes. Raises ModelRefused, and what `read` raises."""
    window = _Window(read, size)
    await _check_version(window)
    tensors = await window.count(_U64, MOST_ENTRIES, _LEAST_TENSOR)
    entries = await window.count(_U64, MOST_ENTRIES, _LEAST_ENTRY)
    values = await _metadata(window, entries)
    types, end = await _tensors(window, tensors, _alignment(values))
    if end > size - window.position:
        raise GgufTruncated(f"the file has {size} bytes; its tensors need {window.position + end}")
    return Header(size, values, tensors, types, window.fingerprint())


async def _check_version(window: _Window) -> None:
    if window.size < len(MAGIC) or await window.take(len(MAGIC)) != MAGIC:
        raise NotGguf()
    version = await window.number(_U32)
    if version & 0xFFFF == 0:
        raise GgufUnsupported("big-endian", feature="big-endian")
    if version not in VERSIONS:
        raise GgufUnsupported(f"version {version}", feature=f"GGUF {version}")


async def _metadata(window: _Window, entries: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for _ in range(entries):
        key = await window.text(LONGEST_KEY)
        kept = _KEPT.fullmatch(key) is not None
        value = await _value(window, await window.number(_U32), kept)
        if kept and value is not None:
            if key in values:
                raise GgufDamaged(f"{key} is there twice")
            values[key] = value
    return values


async def _value(window: _Window, kind: int, kept: bool) -> Value | None:
    if kind in _SCALARS:
        return await window.number(_SCALARS[kind])
    if kind == _LIST:
        return await _list(window, kept)
    if kind != _STRING:
        raise GgufDamaged(f"a value of kind {kind}")
    return await window.text(LONGEST_STRING)


async def _list(window: _Window, kept: bool) -> tuple[str, ...] | None:
    kind = await window.number(_U32)
    if kind in _SCALARS:
        size = _SCALARS[kind].size
        await window.skip(size * await window.count(_U64, MOST_ITEMS, size))
        return None
    if kind != _STRING:
        raise GgufDamaged(f"a list of kind {kind}")
    items = await window.count(_U64, MOST_ITEMS, _U64.size)
    listed = min(items, MOST_LISTED) if kept else 0
    found = [await window.text(LONGEST_STRING) for _ in range(listed)]
    await window.pass_texts(items - listed)
    return tuple(found) if kept else None


def _alignment(values: Mapping[str, Value]) -> int:
    alignment = values.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= LARGEST_ALIGNMENT or alignment & (alignment - 1):
        raise GgufDamaged("the alignment is not a power of two")
    return alignment


async def _tensors(window: _Window, tensors: int, alignment: int) -> tuple[dict[str, int], int]:
    """Values by type, and how many bytes after the header's last one the data ends."""
    types: Counter[str] = Counter()
    end = 0
    for _ in range(tensors):
        await window.text(LONGEST_KEY)
        dimensions = [await window.number(_U64) for _ in range(await window.count(_U32, MOST_DIMENSIONS, _U64.size))]
        if not all(0 < each <= LARGEST_DIMENSION for each in dimensions):
            raise GgufDamaged("a tensor with an absurd dimension")
        number, offset = await window.number(_U32), await window.number(_U64)
        if number not in TENSOR_TYPES:
            raise GgufUnsupported(f"tensor type {number}", feature=f"tensor type {number}")
        kind = TENSOR_TYPES[number]
        if offset % alignment or (dimensions[0] if dimensions else 1) % kind.block:
            raise GgufDamaged("a tensor that begins or ends inside a block")
        values = prod(dimensions)
        types[kind.name] += values
        end = max(end, offset + values // kind.block * kind.bytes)
    padding = -window.position % alignment if tensors else 0
    return dict(types), padding + end


class _Window:
    """The file from the front; what has been passed is let go."""

    def __init__(self, read: Read, size: int) -> None:
        self.size = size
        self._read = read
        self._data = b""
        self._at = 0  # in `_data`
        self._base = 0  # of `_data`, in the file
        self._block = FIRST_BLOCK
        self._hash = hashlib.sha256()

    @property
    def position(self) -> int:
        return self._base + self._at

    def fingerprint(self) -> str:
        """Of all that was passed."""
        self._let_go()
        return self._hash.hexdigest()

    async def take(self, length: int) -> bytes:
        if self._at + length > len(self._data):
            await self._fill(length)
        self._at += length
        return self._data[self._at - length : self._at]

    async def skip(self, length: int) -> None:
        while length:
            step = min(length, self._block)
            await self.take(step)
            length -= step

    async def number(self, form: struct.Struct) -> int:
        """Also for floats and truth values, which nobody computes with."""
        (value,) = form.unpack(await self.take(form.size))
        return value  # type: ignore[no-any-return]

    async def count(self, form: struct.Struct, most: int, least_size: int) -> int:
        """How many things of at least `least_size` bytes follow. Raises GgufDamaged for more than `most`."""
        count = await self.number(form)
        if count > most:
            raise GgufDamaged(f"{count} where at most {most} make sense")
        self._promise(count * least_size)
        return count

    async def text(self, longest: int) -> str:
        length = await self._length(longest)
        kept = min(length, 4 * LONGEST_KEPT)
        raw = await self.take(kept)
        await self.skip(length - kept)
        return raw.decode("utf-8", "replace")[:LONGEST_KEPT]

    async def pass_text(self) -> None:
        await self.skip(await self._length(LONGEST_STRING))

    async def pass_texts(self, count: int) -> None:
        """A vocabulary has hundreds of thousands: those that are here whole are passed without a coroutine each."""
        unpack = _U64.unpack_from
        while count:
            data, at = self._data, self._at
            while count and at + _U64.size <= len(data):
                end = at + _U64.size + unpack(data, at)[0]
                if end > len(data):
                    break
                at = end
                count -= 1
            self._at = at
            if count:
                await self.pass_text()
                count -= 1

    async def _length(self, longest: int) -> int:
        length = await self.number(_U64)
        if length > longest:
            raise GgufDamaged(f"a text of {length} bytes")
        self._promise(length)
        return length

    def _promise(self, length: int) -> None:
        """So much has to follow."""
        if length > self.size - self.position:
            raise GgufTruncated(f"{length} bytes should follow byte {self.position} of {self.size}")
        if self.position + length > LONGEST_HEADER:
            raise GgufDamaged(f"a header of more than {LONGEST_HEADER} bytes")

    def _let_go(self) -> None:
        self._hash.update(self._data[: self._at])
        self._base += self._at
        self._data = self._data[self._at :]
        self._at = 0

    async def _fill(self, length: int) -> None:
        self._promise(length)
        self._let_go()
        here = len(self._data)
        wanted = min(max(length - here, self._block), self.size - self._base - here)
        self._data += await self._read(self._base + here, wanted)
        if len(self._data) < here + wanted:
            raise GgufTruncated("the file is shorter than it was")
        self._block = min(2 * self._block, LARGEST_BLOCK)
