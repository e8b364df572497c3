"""What a file's metadata says about its network, checked against the tensors it holds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tools.convert.architecture import Network, Rope, tensor_shapes
from tools.convert.errors import ConvertError
from tools.convert.families import FAMILIES, Activation, Family, known_architectures
from tools.convert.gguf_file import ModelFile, Value

# A browser tab cannot hold the KV cache of more; it also bounds the cos/sin tables made at load time.
MAX_CONTEXT_TOKENS = 32_768

ROPE_FACTORS = "rope_freqs.weight"
LONG_FACTORS, SHORT_FACTORS = "rope_factors_long.weight", "rope_factors_short.weight"

_LIMITS = {  # generous: the largest Llama has 126 layers and a hidden size of 16 384
    "block_count": 1024,
    "embedding_length": 1 << 16,
    "feed_forward_length": 1 << 18,
    "attention.head_count": 1 << 12,
    "context_length": 1 << 30,
    "rope.scaling.original_context_length": 1 << 30,
    "attention.sliding_window": 1 << 30,
}
_NOT_DONE = (  # each asks for arithmetic that no network here does
    "attention.clamp_kqv",
    "logit_scale",
    "attn_logit_softcapping",
    "final_logit_softcapping",
)


class _Metadata:
    """The values of one architecture, by their name without its prefix."""

    def __init__(self, architecture: str, values: Mapping[str, Value]) -> None:
        self._prefix = architecture
        self._values = values

    def key(self, name: str) -> str:
        return f"{self._prefix}.{name}"

    def get(self, name: str, default: Value | None = None) -> Value | None:
        return self._values.get(self.key(name), default)

    def size(self, name: str, default: int | None = None) -> int:
        number = self._number(name, default)
        if not isinstance(number, int) or not 1 <= number <= _LIMITS.get(name, 1 << 20):
            raise ConvertError(f"The metadata value {self.key(name)!r} is {number!r}, which cannot be right.")
        return number

    def positive(self, name: str, default: float | None = None) -> float:
        number = float(self._number(name, default))
        if not 0 < number < 1e12:
            raise ConvertError(f"The metadata value {self.key(name)!r} is {number!r}, which cannot be right.")
        return number

    def _number(self, name: str, default: float | None) -> float:
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConvertError(f"The metadata value {self.key(name)!r} is missing or not a number.")
        return value


def read_network(file: ModelFile, context_tokens: int | None = None) -> Network:
    """The network of `file`, for at most `context_tokens`.

    Raises ConvertError if it is not a complete network of an architecture in FAMILIES.
    """
    architecture = file.metadata.get("general.architecture")
    if not isinstance(architecture, str) or architecture not in FAMILIES:
        raise ConvertError(f"The architecture {architecture!r} is not supported, only {known_architectures()}.")
    family, metadata = FAMILIES[architecture], _Metadata(architecture, file.metadata)
    _refuse_variants(family, metadata)
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None:
        raise ConvertError("The tensor 'token_embd.weight' is missing.")
    hidden, heads, layers = (
        metadata.size(name) for name in ("embedding_length", "attention.head_count", "block_count")
    )
    head_dim = metadata.size("attention.key_length", max(1, hidden // heads))
    context = _context_tokens(file, metadata, context_tokens)
    rope = _rope(file, metadata, context)
    network = Network(
        architecture=architecture,
        family=family,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=metadata.size("attention.head_count_kv", heads),
        head_dim=head_dim,
        rotary_dim=metadata.size("rope.dimension_count", head_dim),
        ffn=metadata.size("feed_forward_length"),
        vocab=embedding.shape[0],
        rope=rope,
        local_rope=Rope(metadata.positive("rope.freq_base_swa", 10_000.0)) if family.global_every else rope,
        window=_window(family, metadata, context),
        query_scale=head_dim**-0.5,
        activation=_activation(family, metadata),
        rms_eps=metadata.positive("attention.layer_norm_rms_epsilon"),
        context_tokens=context,
        tied="output.weight" not in file.tensors,
    )
    _check_sizes(file, network, metadata)
    _check_tensors(file, network)
    return network


def _refuse_variants(family: Family, metadata: _Metadata) -> None:
    """Say no to networks that carry the name but compute something else."""
    if isinstance(experts := metadata.get("expert_count", 0), int) and experts > 0:
        raise ConvertError("A mixture of experts is not supported.")
    for name in (*_NOT_DONE, *(() if family.windowed else ("attention.sliding_window",))):
        if metadata.get(name):
            raise ConvertError(
                f"The metadata value {metadata.key(name)!r} asks for something that {family.models} does not do."
            )
    if metadata.get("attention.sliding_window_pattern", family.global_every) != family.global_every:
        raise ConvertError("The layers with and without a sliding window alternate in an unknown way.")


def _context_tokens(file: ModelFile, metadata: _Metadata, wanted: int | None) -> int:
    """What the file offers and a tab can hold; without a wish, the context that needs no long factors."""
    offered = min(metadata.size("context_length"), MAX_CONTEXT_TOKENS)
    if wanted is None and LONG_FACTORS in file.tensors:
        wanted = metadata.size("rope.scaling.original_context_length")
    return offered if wanted is None else min(offered, wanted)


def _window(family: Family, metadata: _Metadata, context: int) -> int:
    """0 also if nothing that fits the context lies outside of it."""
    if family.global_every:  # its local layers also turn by other angles, so they stay local ones
        return metadata.size("attention.sliding_window")
    if not family.windowed or not metadata.get("attention.sliding_window"):
        return 0
    window = metadata.size("attention.sliding_window")
    return window if window < context else 0


def _activation(family: Family, metadata: _Metadata) -> Activation:
    name = metadata.get("hidden_activation", family.activation)
    if name not in list(Activation):
        raise ConvertError(f"The activation {name!r} is not supported, only {', '.join(Activation)}.")
    return Activation(str(name))


def _rope(file: ModelFile, metadata: _Metadata, context: int) -> Rope:
    factors = ROPE_FACTORS if ROPE_FACTORS in file.tensors else None
    if LONG_FACTORS in file.tensors and SHORT_FACTORS in file.tensors:
        original = metadata.size("rope.scaling.original_context_length")
        factors = LONG_FACTORS if context > original else SHORT_FACTORS
    return Rope(
        theta=metadata.positive("rope.freq_base", 10_000.0),
        scale=_rope_scale(metadata),
        magnitude=metadata.positive("rope.scaling.attn_factor", 1.0),
        factors=factors,
    )


def _rope_scale(metadata: _Metadata) -> float:
    kind = metadata.get("rope.scaling.type", "linear")
    if kind in ("none", "longrope"):  # longrope is all in the factors
        return 1.0
    if kind != "linear":
        raise ConvertError(f"The position scaling {kind!r} is not supported, only linear scaling and factors.")
    old = metadata.positive("rope.scale_linear", 1.0)
    return metadata.positive("rope.scaling.factor", old)


def _check_sizes(file: ModelFile, network: Network, metadata: _Metadata) -> None:
    if network.heads % network.kv_heads:
        raise ConvertError(f"{network.heads} attention heads cannot share {network.kv_heads} key/value heads.")
    if network.head_dim % 16 or network.head_dim > 512:  # what ONNX Runtime's GroupQueryAttention asks for
        raise ConvertError(f"Attention heads of {network.head_dim} are not supported.")
    if metadata.size("attention.value_length", network.head_dim) != network.head_dim:
        raise ConvertError("Values of another size than keys are not supported.")
    if network.rotary_dim % 2 or network.rotary_dim > network.head_dim:
        raise ConvertError(f"{network.rotary_dim} rotary channels do not fit a head of {network.head_dim}.")
    if network.layers > len(file.tensors):
        raise ConvertError(f"The file claims {network.layers} layers but holds {len(file.tensors)} tensors.")
    if network.architecture == "gemma3" and network.layers == 62:
        raise ConvertError("Gemma 3 27B, which scales its queries in another way, is not supported.")


def _check_tensors(file: ModelFile, network: Network) -> None:
    expected = dict(tensor_shapes(network))
    for name, shape in expected.items():
        info = file.tensors.get(name)
        if info is None:
            raise ConvertError(f"The tensor {name!r} is missing.")
        if info.shape != shape:
            raise ConvertError(f"The tensor {name!r} has the shape {info.shape}, expected {shape}.")
    factors = (ROPE_FACTORS, LONG_FACTORS, SHORT_FACTORS)
    for name, info in file.tensors.items():
        if name not in expected and not (name in factors and info.shape == (network.rotary_dim // 2,)):
            raise ConvertError(f"The tensor {name!r} is not part of {network.family.models} as known here.")


def parameter_count(network: Network) -> int:
    """Weights of the network, a tied embedding once, frequency factors not counted."""
    return sum(int(np.prod(shape)) for _, shape in tensor_shapes(network))
