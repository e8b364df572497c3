"""GGUF files made up for tests: sound ones, and whatever a stranger may write."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from pyapp.models.gguf import Read


class Number(int):
    """A value of a given kind."""

    kind: int

    def __new__(cls, kind: int, value: int) -> Number:
        made = super().__new__(cls, value)
        made.kind = kind
        return made


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def value(of: Any) -> bytes:
    match of:
        case Number():
            return struct.pack("<I", of.kind) + struct.pack("<" + "BbHhIif?xxQqd"[of.kind], of)
        case bool():
            return struct.pack("<I?", 7, of)
        case int():
            return struct.pack("<II", 4, of)
        case str():
            return struct.pack("<I", 8) + text(of)
        case list():
            kind, items = (8, b"".join(map(text, of))) if of and isinstance(of[0], str) else (5, _numbers(of))
            return struct.pack("<IIQ", 9, kind, len(of)) + items
        case bytes():
            return of  # as it is
    raise TypeError(of)


def _numbers(of: list[int]) -> bytes:
    return struct.pack(f"<{len(of)}i", *of)


def tensor(name: str, shape: Sequence[int], kind: int, offset: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


CHATTY: dict[str, Any] = {
    "general.architecture": "llama",
    "general.type": "model",
    "general.name": "Tiny  Chatty\n",
    "general.license": "mit",
    "general.license.link": "https://license.test/mit",
    "general.languages": ["en", "es", "not a tag"],
    "general.file_type": 7,
    "llama.context_length": 512,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    "tokenizer.ggml.token_type": [1, 1, 3],
    "tokenizer.chat_template": "{{ messages }}",
}
TENSORS = (tensor("token_embd.weight", (32, 4), 8, 0), tensor("norm", (4,), 0, 160))
DATA = 4 * 34 + 24 + 16  # bytes: what the tensors take, the first one padded to 32


def gguf(
    values: Mapping[str, Any] = CHATTY,
    tensors: Sequence[bytes] = TENSORS,
    data: int = DATA,
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    tensor_count, entries = counts or (len(tensors), len(values))
    head = b"GGUF" + struct.pack("<IQQ", version, tensor_count, entries)
    head += b"".join(text(key) + value(of) for key, of in values.items()) + b"".join(tensors)
    return head + bytes(-len(head) % 32 + data if tensors else 0)


def part(number: int, count: int, values: Mapping[str, Any] = CHATTY) -> bytes:
    return gguf({**values, "split.no": Number(2, number), "split.count": Number(2, count)})


def reader(content: bytes) -> Read:
    async def read(offset: int, length: int) -> bytes:
        return content[offset : offset + length]

    return read
