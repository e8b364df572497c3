"""Tiny random networks of every architecture as GGUF, with that architecture's real metadata keys and tensor names.

`python -m tests.tools.tiny_families ARCHITECTURE OUT.gguf`: the same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFWriter, TokenType, quantize

from tests.tools.tiny_gguf import CHAT_TEMPLATE, byte_level_tokenizer, sentencepiece_tokenizer
from tools.convert.gguf_file import BitnetKind

F32 = npt.NDArray[np.float32]
Shapes = Iterator[tuple[str, tuple[int, ...]]]

SENTENCEPIECE = {  # the tokens a model adds to its vocabulary
    "phi-3": dict.fromkeys(("<|endoftext|>", "<|user|>", "<|end|>", "<|assistant|>"), TokenType.CONTROL),
    "gemma": {
        **dict.fromkeys(("<start_of_turn>", "<end_of_turn>"), TokenType.CONTROL),
        **dict.fromkeys(("\n\n", "  ", "   ", "<table>"), TokenType.USER_DEFINED),
    },
}


@dataclass(frozen=True, slots=True)
class Tiny:
    """One network. What is None or empty is not written to the file."""

    architecture: str
    layers: int = 2
    hidden: int = 128
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    ffn: int = 256
    context_tokens: int = 1024
    tied: bool = True
    pre: str = "qwen2"  # the pre-tokenizer, or one of SENTENCEPIECE
    metadata: dict[str, object] = field(default_factory=dict)  # without the architecture's prefix
    vectors: dict[str, F32] = field(default_factory=dict)
    extra: tuple[str, ...] = ()  # of "bias", "qk_norm", "post_norms", "sub_norms", "fused"


def llama3_factors(half: int, theta: float, original: int) -> F32:
    """`rope_freqs` as llama.cpp's converter writes them for Llama 3.1 and 3.2: factor 8, from 1 to 4 turns."""
    factors = []
    for index in range(half):
        wavelength = 2 * math.pi * theta ** (index / half)
        smooth = (original / wavelength - 1) / (4 - 1)
        factors.append(1 / ((1 - min(max(smooth, 0), 1)) / 8 + min(max(smooth, 0), 1)))
    return np.array(factors, np.float32)


_PHI3 = Tiny(
    "phi3",
    head_dim=32,
    tied=False,
    pre="phi-3",
    metadata={"rope.dimension_count": 24, "rope.scaling.original_context_length": 512, "rope.scaling.attn_factor": 1.2},
    vectors={
        "rope_factors_long.weight": np.linspace(1, 30, 12, dtype=np.float32),
        "rope_factors_short.weight": np.linspace(1, 1.5, 12, dtype=np.float32),
    },
    extra=("fused",),
)
_BITNET = {"hidden": 256, "head_dim": 64, "pre": "llama-bpe", "extra": ("sub_norms",)}

NETWORKS: dict[str, Tiny] = {
    "llama3": Tiny(
        "llama",
        pre="llama-bpe",
        metadata={"rope.freq_base": 500_000.0, "rope.dimension_count": 32},
        vectors={"rope_freqs.weight": llama3_factors(16, 500_000.0, 64)},
    ),
    "smollm2": Tiny("llama", heads=3, kv_heads=1, hidden=96, pre="smollm", metadata={"rope.freq_base": 100_000.0}),
    "qwen2": Tiny("qwen2", metadata={"rope.freq_base": 1_000_000.0}, extra=("bias",)),
    "qwen3": Tiny("qwen3", head_dim=48, metadata={"rope.freq_base": 1_000_000.0}, extra=("qk_norm",)),
    "phi3": _PHI3,
    "phi3-sliding": Tiny(
        "phi3", kv_heads=4, tied=False, pre="phi-3", metadata={"attention.sliding_window": 40}, extra=("fused",)
    ),
    "gemma3": Tiny(
        "gemma3",
        layers=7,
        heads=2,
        kv_heads=1,
        head_dim=48,
        pre="gemma",
        metadata={
            "attention.sliding_window": 64,
            "rope.freq_base": 1_000_000.0,
            "rope.scaling.type": "linear",
            "rope.scaling.factor": 8.0,
        },
        extra=("qk_norm", "post_norms"),
    ),
    "bitnet": Tiny("bitnet", **_BITNET),  # type: ignore[arg-type]
    "bitnet-b1.58": Tiny("bitnet-b1.58", **_BITNET),  # type: ignore[arg-type]
}


def shapes(tiny: Tiny) -> Shapes:
    """The matrices of one layer."""
    q_rows, kv_rows = tiny.heads * tiny.head_dim, tiny.kv_heads * tiny.head_dim
    if "fused" in tiny.extra:
        yield "attn_qkv", (q_rows + 2 * kv_rows, tiny.hidden)
        yield "ffn_up", (2 * tiny.ffn, tiny.hidden)
    else:
        yield from (("attn_q", (q_rows, tiny.hidden)), ("attn_k", (kv_rows, tiny.hidden)))
        yield from (("attn_v", (kv_rows, tiny.hidden)), ("ffn_gate", (tiny.ffn, tiny.hidden)))
        yield "ffn_up", (tiny.ffn, tiny.hidden)
    yield from (("attn_output", (tiny.hidden, q_rows)), ("ffn_down", (tiny.hidden, tiny.ffn)))


def norms(tiny: Tiny) -> Shapes:
    """The norms of one layer."""
    yield from (("attn_norm", (tiny.hidden,)), ("ffn_norm", (tiny.hidden,)))
    if "qk_norm" in tiny.extra:
        yield from (("attn_q_norm", (tiny.head_dim,)), ("attn_k_norm", (tiny.head_dim,)))
    if "post_norms" in tiny.extra:
        yield from (("post_attention_norm", (tiny.hidden,)), ("post_ffw_norm", (tiny.hidden,)))
    if "sub_norms" in tiny.extra:
        yield from (("attn_sub_norm", (tiny.heads * tiny.head_dim,)), ("ffn_sub_norm", (tiny.ffn,)))


def _write_metadata(writer: GGUFWriter, tiny: Tiny) -> None:
    writer.add_context_length(tiny.context_tokens)
    writer.add_embedding_length(tiny.hidden)
    writer.add_block_count(tiny.layers)
    writer.add_feed_forward_length(tiny.ffn)
    writer.add_head_count(tiny.heads)
    writer.add_head_count_kv(tiny.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    if tiny.head_dim * tiny.heads != tiny.hidden:
        writer.add_key_length(tiny.head_dim)
        writer.add_value_length(tiny.head_dim)
    for name, value in tiny.metadata.items():
        key = f"{tiny.architecture}.{name}"
        if isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        else:
            writer.add_string(key, str(value))


def _write_tokenizer(writer: GGUFWriter, pre: str) -> int:
    if pre not in SENTENCEPIECE:
        return byte_level_tokenizer(writer, pre)
    return sentencepiece_tokenizer(writer, SENTENCEPIECE[pre], space_prefix=pre != "gemma")


def ternary(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> F32:
    return (rng.integers(-1, 2, shape) * np.float32(scale)).astype(np.float32)


def pack_i2_s(weights: F32) -> npt.NDArray[np.uint8]:
    """Ternary weights as bitnet.cpp's converter packs them: of 128 weights, 0-31 in the highest bits of 32 bytes,
    the next 32 below them, and so on; one float32 scale and 28 unused bytes behind all.
    """
    scale = np.abs(weights).max()
    places = (np.sign(weights) + 1).astype(np.uint8).reshape(-1, 4, 32)
    packed = places[:, 0] << 6 | places[:, 1] << 4 | places[:, 2] << 2 | places[:, 3]
    tail = np.zeros(32, np.uint8)
    tail[:4] = np.frombuffer(np.float32(scale).tobytes(), np.uint8)
    return np.concatenate([packed.reshape(-1), tail])


def _add_matrix(writer: GGUFWriter, name: str, weights: F32, kind: Kind | BitnetKind) -> None:
    if isinstance(kind, BitnetKind):  # as int8, because the writer knows what uint8 would have to be
        raw = pack_i2_s(weights).view(np.int8)
        writer.add_tensor(name, raw, raw_shape=weights.shape, raw_dtype=kind)  # type: ignore[arg-type]
    else:
        writer.add_tensor(name, quantize(weights, kind), raw_dtype=kind)


def write_tiny_network(
    path: Path, tiny: Tiny, *, kind: Kind | BitnetKind = Kind.F32, embedding: Kind = Kind.F32, seed: int = 0
) -> Path:
    """Write the file and give back its path; `kind` holds for the layers' matrices, which BitNet has ternary."""
    rng = np.random.default_rng(seed)
    writer = GGUFWriter(path, tiny.architecture)
    writer.add_name(f"Tiny {tiny.pre}")
    _write_metadata(writer, tiny)
    vocab = _write_tokenizer(writer, tiny.pre)
    writer.add_vocab_size(vocab)
    writer.add_chat_template(CHAT_TEMPLATE)

    def random(shape: tuple[int, ...], scale: float) -> F32:
        return rng.normal(0, scale, shape).astype(np.float32)

    def gains(size: int) -> F32:
        return rng.uniform(0.5, 1.5, size).astype(np.float32)

    _add_matrix(writer, "token_embd.weight", random((vocab, tiny.hidden), 0.2), embedding)
    for layer in range(tiny.layers):
        for part, shape in shapes(tiny):
            bitnet = tiny.architecture.startswith("bitnet")
            # 0.0625: a scale that float16 holds exactly.
            values = ternary(rng, shape, 0.0625) if bitnet else random(shape, 1.2 * shape[1] ** -0.5)
            _add_matrix(writer, f"blk.{layer}.{part}.weight", values, kind)
        for part, shape in norms(tiny):
            writer.add_tensor(f"blk.{layer}.{part}.weight", gains(*shape))
        if "bias" in tiny.extra:
            for part, shape in list(shapes(tiny))[:3]:
                writer.add_tensor(f"blk.{layer}.{part}.bias", random(shape[:1], 0.5))
    writer.add_tensor("output_norm.weight", gains(tiny.hidden))
    if not tiny.tied:
        writer.add_tensor("output.weight", random((vocab, tiny.hidden), 0.2))
    for name, values in tiny.vectors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.tiny_families")
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("out", type=Path, metavar="OUT.gguf")
    parser.add_argument("--kind", choices=("F32", "TQ1_0", "TQ2_0"), default="F32")
    arguments = parser.parse_args()
    tiny, kind = NETWORKS[arguments.network], Kind[arguments.kind]
    print(write_tiny_network(arguments.out, tiny, kind=kind, embedding=Kind.Q8_0))


if __name__ == "__main__":
    main()
