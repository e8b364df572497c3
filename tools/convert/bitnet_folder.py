"""BitNet b1.58 as Hugging Face has it: config.json, tokenizer.json and packed safetensors, read as if it were a GGUF.

Packing (transformers' integrations/bitnet.py): a byte holds four weights of one column, from rows a quarter of the
matrix apart, the first in the lowest bits; 0, 1, 2 stand for -1, 0, 1. `weight_scale` is one number per matrix, which
"autobitlinear" multiplies by and the older "bitlinear" divides by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType

from tools.convert.errors import ConvertError
from tools.convert.gguf_file import BitnetKind, ByteRows, TensorInfo, Value
from tools.convert.huggingface_tokenizer import tokenizer_metadata
from tools.convert.safetensors_file import StoredTensor, read_safetensors

ARCHITECTURE = "bitnet-b1.58"
_MAX_JSON_BYTES = 200_000_000
_SIZES = {  # GGUF's name -> config.json's
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "context_length": "max_position_embeddings",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
    "hidden_activation": "hidden_act",
}
_PARTS = {  # Hugging Face's name within a layer -> GGUF's
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.attn_sub_norm": "attn_sub_norm",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.ffn_sub_norm": "ffn_sub_norm",
    "mlp.down_proj": "ffn_down",
}
_OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


@dataclass(frozen=True, slots=True)
class BitnetFolder:
    """A `ModelFile`."""

    path: Path  # the first file of weights
    metadata: Mapping[str, Value]
    tensors: Mapping[str, TensorInfo]
    stored: Mapping[str, StoredTensor]  # by GGUF's names

    def rows(self, info: TensorInfo) -> ByteRows:
        tensor = self.stored[info.name]
        if info.kind == BitnetKind.I2_S:
            return _as_i2_s(tensor)
        return tensor.floats().view(np.uint8).reshape(int(np.prod(info.shape[:-1])), -1)


def read_bitnet_folder(folder: Path) -> BitnetFolder:
    """Raises ConvertError if the folder holds no complete BitNet, OSError if it cannot be read."""
    config = _json(folder / "config.json")
    if config.get("model_type") != "bitnet":
        kind = config.get("model_type")
        raise ConvertError(f"A folder of the type {kind!r} is not supported, only 'bitnet': make it a GGUF first.")
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ConvertError("The folder holds no safetensors file.")
    found = {name: tensor for path in files for name, tensor in read_safetensors(path).items()}
    stored = {_gguf_name(name): tensor for name, tensor in found.items() if not name.endswith(".weight_scale")}
    divides = _quantization(config).get("linear_class", "bitlinear") == "bitlinear"
    scales = dict(_scales(found, divides))
    tensors = {name: _info(name, tensor, scales) for name, tensor in stored.items()}
    if config.get("tie_word_embeddings", True):
        tensors.pop("output.weight", None)
    return BitnetFolder(files[0], _metadata(folder, config), tensors, stored)


def _json(path: Path) -> Mapping[str, object]:
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise ConvertError(f"{path.name} is absurdly large.")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise ConvertError(f"{path.name} is not JSON.") from None
    if not isinstance(value, dict):
        raise ConvertError(f"{path.name} is not a JSON object.")
    return value


def _quantization(config: Mapping[str, object]) -> Mapping[str, object]:
    quantization = config.get("quantization_config")
    if not isinstance(quantization, Mapping):
        raise ConvertError("config.json has no quantization_config: these are not the packed ternary weights.")
    return quantization


def _metadata(folder: Path, config: Mapping[str, object]) -> dict[str, Value]:
    named = {f"{ARCHITECTURE}.{ours}": config.get(theirs) for ours, theirs in _SIZES.items()}
    parameters = config.get("rope_parameters")  # newer files have it there
    if isinstance(parameters, Mapping):
        named[f"{ARCHITECTURE}.rope.freq_base"] = parameters.get("rope_theta")
    metadata: dict[str, Value] = {"general.architecture": ARCHITECTURE}
    metadata |= {key: value for key, value in named.items() if isinstance(value, int | float | str)}
    settings = {
        name: _json(folder / name) if (folder / name).exists() else {}
        for name in ("tokenizer_config.json", "generation_config.json")
    }
    template = folder / "chat_template.jinja"
    return metadata | tokenizer_metadata(
        _json(folder / "tokenizer.json"),
        {**config, **settings["generation_config.json"], **settings["tokenizer_config.json"]},
        template.read_text(encoding="utf-8") if template.exists() else None,
    )


def _gguf_name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem in _OUTSIDE:
        return f"{_OUTSIDE[stem]}.{kind}"
    layer, _, part = stem.removeprefix("model.layers.").partition(".")
    if not stem.startswith("model.layers.") or part not in _PARTS:
        raise ConvertError(f"The tensor {name!r} is not part of a BitNet as known here.")
    return f"blk.{layer}.{_PARTS[part]}.{kind}"


def _scales(found: Mapping[str, StoredTensor], divides: bool) -> Iterator[tuple[str, float]]:
    for name, tensor in found.items():
        if name.endswith(".weight_scale"):
            values = tensor.floats()
            if values.size != 1 or not np.isfinite(values).all() or np.any(values <= 0):
                raise ConvertError(f"The tensor {name!r} is not one positive number.")
            scale = float(values.reshape(-1)[0])
            yield _gguf_name(name.removesuffix("_scale")), 1 / scale if divides else scale


def _info(name: str, tensor: StoredTensor, scales: Mapping[str, float]) -> TensorInfo:
    if tensor.dtype != "U8":
        return TensorInfo(name, tensor.shape, GGMLQuantizationType.F32, 0, 0)
    if name not in scales:
        raise ConvertError(f"The packed tensor {tensor.name!r} has no weight_scale.")
    if len(tensor.shape) != 2 or tensor.shape[1] % 128:
        raise ConvertError(f"The packed tensor {tensor.name!r} has the shape {tensor.shape}, not whole blocks of 128.")
    rows, columns = tensor.shape
    return TensorInfo(name, (4 * rows, columns), BitnetKind.I2_S, 0, 0, scales[name])


def _as_i2_s(tensor: StoredTensor) -> ByteRows:
    """Repacked: bitnet.cpp's bytes hold four weights of one row."""
    packed = tensor.data.reshape(tensor.shape)
    trits = np.concatenate([(packed >> shift) & 3 for shift in (0, 2, 4, 6)])
    if trits.max() > 2:
        raise ConvertError(f"The packed tensor {tensor.name!r} holds a value that is no ternary weight.")
    groups = trits.reshape(len(trits), -1, 4, 32)
    repacked: ByteRows = groups[:, :, 0] << 6 | groups[:, :, 1] << 4 | groups[:, :, 2] << 2 | groups[:, :, 3]
    return repacked.reshape(len(trits), -1)
