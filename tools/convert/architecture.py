"""What a Llama-architecture GGUF says about its network, checked against the tensors it holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tools.convert.errors import ConvertError
from tools.convert.gguf_file import GgufFile, Value

# A browser tab cannot hold the KV cache of more; it also bounds the cos/sin tables made at load time.
MAX_CONTEXT_TOKENS = 32_768

_LIMITS = {  # generous: the largest Llama has 126 layers and a hidden size of 16 384
    "block_count": 1024,
    "embedding_length": 1 << 16,
    "feed_forward_length": 1 << 18,
    "attention.head_count": 1 << 12,
    "context_length": 1 << 30,
}


@dataclass(frozen=True, slots=True)
class Network:
    """The sizes of one network."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    rope_theta: float
    rope_scale: float  # positions are divided by it (linear scaling), 1 for none
    rms_eps: float
    context_tokens: int
    tied: bool  # the output head is the embedding matrix

    @property
    def q_rows(self) -> int:
        return self.heads * self.head_dim

    @property
    def kv_rows(self) -> int:
        return self.kv_heads * self.head_dim


def layer_tensor(layer: int, part: str) -> str:
    """The GGUF name of a weight of one layer, `part` as in "attn_q"."""
    return f"blk.{layer}.{part}.weight"


def tensor_shapes(network: Network) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every tensor a Llama network must have."""
    yield "token_embd.weight", (network.vocab, network.hidden)
    yield "output_norm.weight", (network.hidden,)
    if not network.tied:
        yield "output.weight", (network.vocab, network.hidden)
    parts = {
        "attn_norm": (network.hidden,),
        "attn_q": (network.q_rows, network.hidden),
        "attn_k": (network.kv_rows, network.hidden),
        "attn_v": (network.kv_rows, network.hidden),
        "attn_output": (network.hidden, network.q_rows),
        "ffn_norm": (network.hidden,),
        "ffn_gate": (network.ffn, network.hidden),
        "ffn_up": (network.ffn, network.hidden),
        "ffn_down": (network.hidden, network.ffn),
    }
    for layer in range(network.layers):
        for part, shape in parts.items():
            yield layer_tensor(layer, part), shape


def _number(value: Value | None, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConvertError(f"The metadata value {key!r} is missing or not a number.")
    return value


def _size(file: GgufFile, name: str, default: int | None = None) -> int:
    key = f"llama.{name}"
    value = file.metadata.get(key, default)
    number = _number(value, key)
    if not isinstance(number, int) or not 1 <= number <= _LIMITS.get(name, 1 << 20):
        raise ConvertError(f"The metadata value {key!r} is {number!r}, which cannot be right.")
    return number


def _positive(file: GgufFile, key: str, default: float | None = None) -> float:
    number = float(_number(file.metadata.get(key, default), key))
    if not 0 < number < 1e12:
        raise ConvertError(f"The metadata value {key!r} is {number!r}, which cannot be right.")
    return number


def _rope_scale(file: GgufFile) -> float:
    kind = file.metadata.get("llama.rope.scaling.type", "linear")
    if kind == "none":
        return 1.0
    if kind != "linear":
        raise ConvertError(f"The position scaling {kind!r} is not supported, only linear scaling and llama3's factors.")
    old = _positive(file, "llama.rope.scale_linear", 1.0)
    return _positive(file, "llama.rope.scaling.factor", old)


def _refuse_variants(file: GgufFile) -> None:
    """Say no to networks that carry the name but compute something else."""
    if isinstance(experts := file.metadata.get("llama.expert_count", 0), int) and experts > 0:
        raise ConvertError("A mixture of experts is not supported.")
    for key in ("llama.attention.sliding_window", "llama.attention.clamp_kqv", "llama.logit_scale"):
        if file.metadata.get(key):
            raise ConvertError(f"The metadata value {key!r} asks for something that plain Llama does not do.")


def _check_tensors(file: GgufFile, network: Network) -> None:
    expected = dict(tensor_shapes(network))
    for name, shape in expected.items():
        info = file.tensors.get(name)
        if info is None:
            raise ConvertError(f"The tensor {name!r} is missing.")
        if info.shape != shape:
            raise ConvertError(f"The tensor {name!r} has the shape {info.shape}, expected {shape}.")
    optional = {"rope_freqs.weight": (network.head_dim // 2,)}
    for name, info in file.tensors.items():
        if name not in expected and optional.get(name) != info.shape:
            raise ConvertError(f"The tensor {name!r} is not part of a plain Llama network.")


def read_network(file: GgufFile) -> Network:
    """The network of `file`. Raises ConvertError if it is not a complete plain Llama."""
    architecture = file.metadata.get("general.architecture")
    if architecture != "llama":
        raise ConvertError(f"The architecture {architecture!r} is not supported, only 'llama'.")
    _refuse_variants(file)
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None:
        raise ConvertError("The tensor 'token_embd.weight' is missing.")
    hidden, heads = _size(file, "embedding_length"), _size(file, "attention.head_count")
    head_dim = _size(file, "attention.key_length", max(1, hidden // heads))
    network = Network(
        layers=_size(file, "block_count"),
        hidden=hidden,
        heads=heads,
        kv_heads=_size(file, "attention.head_count_kv", heads),
        head_dim=head_dim,
        ffn=_size(file, "feed_forward_length"),
        vocab=embedding.shape[0],
        rope_theta=_positive(file, "llama.rope.freq_base", 10_000.0),
        rope_scale=_rope_scale(file),
        rms_eps=_positive(file, "llama.attention.layer_norm_rms_epsilon"),
        context_tokens=min(_size(file, "context_length"), MAX_CONTEXT_TOKENS),
        tied="output.weight" not in file.tensors,
    )
    _check_sizes(file, network)
    _check_tensors(file, network)
    return network


def _check_sizes(file: GgufFile, network: Network) -> None:
    if network.heads % network.kv_heads:
        raise ConvertError(f"{network.heads} attention heads cannot share {network.kv_heads} key/value heads.")
    if network.head_dim % 16 or network.head_dim > 512:  # what ONNX Runtime's GroupQueryAttention asks for
        raise ConvertError(f"Attention heads of {network.head_dim} are not supported.")
    for name in ("attention.value_length", "rope.dimension_count"):
        if _size(file, name, network.head_dim) != network.head_dim:
            raise ConvertError(f"The metadata value 'llama.{name}' differs from the size of an attention head.")
    if network.layers > len(file.tensors):
        raise ConvertError(f"The file claims {network.layers} layers but holds {len(file.tensors)} tensors.")


def parameter_count(file: GgufFile) -> int:
    """Weights in the file, a tied embedding once, frequency factors not counted."""
    return sum(int(np.prod(info.shape)) for name, info in file.tensors.items() if name != "rope_freqs.weight")
