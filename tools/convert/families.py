"""The architectures the converter knows: a table of what each does differently from plain Llama.

The names are GGUF's (`general.architecture`). What the columns mean for the arithmetic is in decoder_graph.py and,
as plain NumPy, in exact_model.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Activation(StrEnum):
    """What the gate of the feed-forward network goes through, in Hugging Face's words."""

    SILU = "silu"
    GELU_TANH = "gelu_pytorch_tanh"
    RELU_SQUARED = "relu2"


@dataclass(frozen=True, slots=True)
class Family:
    models: str  # as people know them
    neighbouring_pairs: bool = False  # Q and K rows are stored with rotary pairs side by side
    fused: bool = False  # one tensor holds queries, keys and values, another gate and up
    qkv_bias: bool = False
    qk_norm: bool = False  # an RMS norm in every query and key head
    sub_norms: bool = False  # RMS norms before the attention's and the feed-forward network's last product
    post_norms: bool = False  # RMS norms after them
    scaled_embedding: bool = False  # by the square root of the hidden size
    windowed: bool = False  # layers may see only the last tokens
    global_every: int = 0  # with windows: every n-th layer still sees everything; 0 means none does
    int8_activations: bool = False  # each token is rounded to 8 bits before a product, as in training
    activation: Activation = Activation.SILU


_BITNET = Family("BitNet b1.58 2B4T", sub_norms=True, int8_activations=True, activation=Activation.RELU_SQUARED)

FAMILIES: dict[str, Family] = {
    "llama": Family("Llama 2 and 3, SmolLM2, TinyLlama", neighbouring_pairs=True),
    "qwen2": Family("Qwen2, Qwen2.5", qkv_bias=True),
    "qwen3": Family("Qwen3", qk_norm=True),
    "phi3": Family("Phi-3, Phi-3.5, Phi-4-mini", fused=True, windowed=True),
    "gemma3": Family(
        "Gemma 3, text only",
        qk_norm=True,
        post_norms=True,
        scaled_embedding=True,
        windowed=True,
        global_every=6,
        activation=Activation.GELU_TANH,
    ),
    "bitnet-b1.58": _BITNET,
    "bitnet-25": _BITNET,
    # llama.cpp's name for it and for older BitNets, which have SiLU: the file's `hidden_activation` says which.
    "bitnet": Family("BitNet b1.58", sub_norms=True, int8_activations=True),
}


def known_architectures() -> str:
    """For a sentence: "llama (Llama 2 and 3, ...), qwen2 (...)"."""
    return ", ".join(f"{name} ({family.models})" for name, family in FAMILIES.items())
