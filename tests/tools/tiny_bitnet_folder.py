"""A BitNet GGUF as the folder that Hugging Face has of such a model: the same weights, names and packing as there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.convert.conversion import Source
from tools.convert.repository import write_json
from tools.convert.tokenizer_json import tokenizer_config, tokenizer_json

F32 = npt.NDArray[np.float32]

_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_sub_norm": "self_attn.attn_sub_norm",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_sub_norm": "mlp.ffn_sub_norm",
    "ffn_down": "mlp.down_proj",
}


def pack_rows(weights: F32) -> npt.NDArray[np.uint8]:
    """Row i in the lowest bits, below the rows a quarter, a half and three quarters of the matrix further on."""
    trits = (np.sign(weights) + 1).astype(np.uint8)
    packed = np.zeros((len(trits) // 4, trits.shape[1]), np.uint8)
    for place, rows in enumerate(np.split(trits, 4)):
        packed |= rows << (2 * place)
    return packed


def bf16(values: F32) -> npt.NDArray[np.uint16]:
    """The upper half of each float32."""
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def write_safetensors(path: Path, tensors: dict[str, tuple[str, npt.NDArray[np.generic]]]) -> None:
    """`tensors` are data types and values by name."""
    header, start = {}, 0
    for name, (dtype, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [start, start + values.nbytes]}
        start += values.nbytes
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    data = b"".join(np.ascontiguousarray(values).tobytes() for _, values in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def write_bitnet_folder(folder: Path, source: Source, *, linear_class: str = "autobitlinear") -> Path:
    """`source` with bfloat16 norms and embedding; gives back `folder`."""
    network, weights = source.network, source.weights
    tensors: dict[str, tuple[str, npt.NDArray[np.generic]]] = {
        "model.embed_tokens.weight": ("BF16", bf16(weights.matrix("token_embd.weight"))),
        "model.norm.weight": ("F32", weights.vector("output_norm.weight")),
    }
    for layer in range(network.layers):
        for ours, theirs in _NAMES.items():
            name, stored = f"model.layers.{layer}.{theirs}.weight", f"blk.{layer}.{ours}.weight"
            if "norm" in ours:
                tensors[name] = "F32", weights.vector(stored)
                continue
            matrix = weights.matrix(stored)
            scale = np.abs(matrix).max(keepdims=True).reshape(1)
            tensors[name] = "U8", pack_rows(matrix)
            tensors[f"{name}_scale"] = "BF16", bf16(scale if linear_class == "autobitlinear" else 1 / scale)
    folder.mkdir()
    write_safetensors(folder / "model.safetensors", tensors)
    config = {
        "model_type": "bitnet",
        "hidden_act": "relu2",
        "num_hidden_layers": network.layers,
        "hidden_size": network.hidden,
        "intermediate_size": network.ffn,
        "num_attention_heads": network.heads,
        "num_key_value_heads": network.kv_heads,
        "max_position_embeddings": network.context_tokens,
        "rms_norm_eps": network.rms_eps,
        "rope_theta": network.rope.theta,
        "tie_word_embeddings": True,
        "vocab_size": network.vocab,
        "bos_token_id": source.vocabulary.special["bos"],
        "eos_token_id": source.vocabulary.special["eos"],
        "quantization_config": {
            "quant_method": "bitnet",
            "linear_class": linear_class,
            "quantization_mode": "offline",
        },
    }
    write_json(folder / "config.json", config)
    write_json(folder / "tokenizer.json", tokenizer_json(source.vocabulary))
    write_json(folder / "tokenizer_config.json", tokenizer_config(source.vocabulary, network.context_tokens))
    return folder
