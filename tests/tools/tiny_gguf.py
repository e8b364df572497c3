"""Writes a tiny random Llama as GGUF: real file format, real tokenizer, meaningless weights.

`python -m tests.tools.tiny_gguf OUT.gguf [--quant Q4_K]`: the same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter, TokenType, quantize

from tools.convert.encoder import byte_letters

F32 = npt.NDArray[np.float32]
Rng = np.random.Generator

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QUANTS = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
_MERGES = 120
_TRAINING_TEXT = (
    "the quick brown fox jumps over the lazy dog and then the dog sleeps in the sun while the fox looks for "
    "another place to rest near the river where the water runs and the wind sings in the trees in the evening "
    "el perro duerme al sol y el zorro busca otro lugar para descansar cerca del agua que corre entre los árboles"
)


@dataclass(frozen=True, slots=True)
class TinyShape:
    """Row lengths are multiples of 256, the K-quants' block."""

    layers: int = 2
    hidden: int = 256
    heads: int = 4
    kv_heads: int = 2
    ffn: int = 256
    context_tokens: int = 512

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads


def train_merges(text: str, count: int) -> list[tuple[str, str]]:
    """Byte-level BPE on the words of `text`, the most frequent pair first."""
    letters = byte_letters()
    words = [["".join(letters[byte]) for byte in f" {word}".encode()] for word in text.split()]
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs = Counter(pair for word in words for pair in pairwise(word))
        best = max(sorted(pairs), key=lambda pair: pairs[pair])
        merges.append(best)
        words = [_merged(word, best) for word in words]
    return merges


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for part in word:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out


def byte_level_tokenizer(writer: GGUFWriter, pre: str) -> int:
    """Adds a byte-level BPE tokenizer; gives back its number of tokens."""
    merges = train_merges(_TRAINING_TEXT, _MERGES)
    tokens = [*SPECIAL, *byte_letters(), *dict.fromkeys(left + right for left, right in merges)]
    kinds = [TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * (len(tokens) - len(SPECIAL))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{left} {right}" for left, right in merges])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    return len(tokens)


def sentencepiece_tokenizer(
    writer: GGUFWriter, special: Mapping[str, TokenType] = MappingProxyType({}), *, space_prefix: bool = True
) -> int:
    """Adds a SentencePiece tokenizer in the way of Llama 2, and `special`; gives back its number of tokens."""
    letters = sorted(set("▁" + _TRAINING_TEXT.replace(" ", "▁") + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?'\n"))
    marked = {letter: "▁" if letter == byte_letters()[32] else letter for letter in byte_letters()}
    joined = [
        "".join(marked[letter] for letter in left + right)
        for left, right in train_merges(_TRAINING_TEXT, _MERGES)
        if (left + right).isascii() or byte_letters()[32] in left
    ]
    joined = [piece for piece in dict.fromkeys(joined) if all(letter in letters for letter in piece)]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *joined, *letters, *special]
    kinds = [TokenType.UNKNOWN, *[TokenType.CONTROL] * 2, *[TokenType.BYTE] * 256]
    kinds += [TokenType.NORMAL] * (len(tokens) - len(kinds) - len(special)) + list(special.values())
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * 259 + [-float(rank) for rank in range(len(tokens) - 259)])
    if not space_prefix:
        writer.add_add_space_prefix(False)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    return len(tokens)


_HALVES: dict[str, tuple[tuple[int, float], ...]] = {  # K-quants: where a block's float16 lie, and how large they are
    "Q2_K": ((80, 0.16), (82, 0.24)),
    "Q3_K": ((108, 0.03),),
    "Q4_K": ((0, 0.008), (2, 0.06)),
    "Q5_K": ((0, 0.004), (2, 0.06)),
    "Q6_K": ((208, 0.001),),
}


def random_k_quant(rng: Rng, quant: str, shape: tuple[int, int], scale: float) -> npt.NDArray[np.uint8]:
    """Random blocks with sane scales: gguf can read K-quants but not make them."""
    block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType[quant]]
    blocks = rng.integers(0, 256, (shape[0], shape[1] // block, block_bytes), np.uint8)
    for place, size in _HALVES[quant]:
        halves = (rng.uniform(0.5, 1.0, blocks.shape[:2]) * size * scale).astype("<f2")
        blocks[..., place : place + 2] = halves[..., None].view(np.uint8)
    return blocks.reshape(shape[0], -1)


class _Tensors:
    def __init__(self, writer: GGUFWriter, rng: Rng) -> None:
        self._writer = writer
        self._rng = rng

    def matrix(self, name: str, rows: int, columns: int, quant: str, scale: float) -> None:
        kind = GGMLQuantizationType[quant]
        if quant in _HALVES:
            data: npt.NDArray[Any] = random_k_quant(self._rng, quant, (rows, columns), scale)
        else:
            data = quantize(self._rng.normal(0, scale, (rows, columns)).astype(np.float32), kind)
        self._writer.add_tensor(name, data, raw_dtype=kind)

    def gains(self, name: str, size: int) -> None:
        self._writer.add_tensor(name, self._rng.uniform(0.5, 1.5, size).astype(np.float32))


def _layer_matrices(shape: TinyShape) -> Iterator[tuple[str, int, int]]:
    kv_rows = shape.kv_heads * shape.head_dim
    yield from (("attn_q", shape.hidden, shape.hidden), ("attn_k", kv_rows, shape.hidden))
    yield from (("attn_v", kv_rows, shape.hidden), ("attn_output", shape.hidden, shape.hidden))
    yield from (("ffn_gate", shape.ffn, shape.hidden), ("ffn_up", shape.ffn, shape.hidden))
    yield ("ffn_down", shape.hidden, shape.ffn)


def _add_network(writer: GGUFWriter, shape: TinyShape) -> None:
    writer.add_context_length(shape.context_tokens)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)


def write_tiny_gguf(
    path: Path,
    *,
    quant: str = "Q4_1",
    embedding_quant: str = "Q8_0",
    shape: TinyShape = TinyShape(),
    tied: bool = True,
    pre: str = "smollm",
    sentencepiece: bool = False,
    rope_factors: bool = False,
    seed: int = 0,
) -> Path:
    """Write the file and give back its path. `quant` is one of QUANTS and holds for the layers' matrices."""
    rng = np.random.default_rng(seed)
    writer = GGUFWriter(path, "llama")
    writer.add_name("Tiny random Llama")
    _add_network(writer, shape)
    vocab = sentencepiece_tokenizer(writer) if sentencepiece else byte_level_tokenizer(writer, pre)
    writer.add_vocab_size(vocab)
    writer.add_chat_template(CHAT_TEMPLATE)
    tensors = _Tensors(writer, rng)
    tensors.matrix("token_embd.weight", vocab, shape.hidden, embedding_quant, 0.2)
    for layer in range(shape.layers):
        tensors.gains(f"blk.{layer}.attn_norm.weight", shape.hidden)
        for part, rows, columns in _layer_matrices(shape):
            tensors.matrix(f"blk.{layer}.{part}.weight", rows, columns, quant, 0.08)
        tensors.gains(f"blk.{layer}.ffn_norm.weight", shape.hidden)
    tensors.gains("output_norm.weight", shape.hidden)
    if not tied:
        tensors.matrix("output.weight", vocab, shape.hidden, quant, 0.2)
    if rope_factors:
        writer.add_tensor("rope_freqs.weight", np.linspace(1, 8, shape.head_dim // 2, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.tiny_gguf", description="Write a tiny random Llama.")
    parser.add_argument("out", type=Path, metavar="OUT.gguf")
    parser.add_argument("--quant", choices=QUANTS, default="Q4_1")
    arguments = parser.parse_args()
    print(write_tiny_gguf(arguments.out, quant=arguments.quant))


if __name__ == "__main__":
    main()
