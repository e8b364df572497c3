"""The files of a transformers.js model repository beside the graphs, and candil.json, which lists them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.convert.architecture import Network
from tools.convert.self_test import SelfTest
from tools.convert.tokenizer_json import tokenizer_config, tokenizer_json
from tools.convert.vocabulary import Vocabulary

Json = Mapping[str, object]

FORMAT = 1
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to store the network, for one device of transformers.js."""

    name: str
    device: str
    dtype: str  # transformers.js picks onnx/model_{dtype}.onnx

    @property
    def graph(self) -> str:
        return f"onnx/model_{self.dtype}.onnx"


WEBGPU = Variant("webgpu", "webgpu", "q4")
WASM = Variant("wasm", "wasm", "int8")
TERNARY_WEBGPU = Variant("webgpu", "webgpu", "q2")  # both devices read the same file
TERNARY_WASM = Variant("wasm", "wasm", "q2")


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as data:
        while chunk := data.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_json(path: Path, value: Json, *, compact: bool = False) -> Path:
    separators, indent = ((",", ":"), None) if compact else (None, 2)
    text = json.dumps(value, ensure_ascii=False, separators=separators, indent=indent)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def write_settings(
    folder: Path, network: Network, vocabulary: Vocabulary, graphs: Mapping[Variant, Sequence[Path]]
) -> list[Path]:
    """Everything transformers.js asks for beside the graphs. Gives back the files written."""
    return [
        write_json(folder / "config.json", _config(network, vocabulary, graphs)),
        write_json(folder / "generation_config.json", _generation_config(vocabulary)),
        write_json(folder / "tokenizer.json", tokenizer_json(vocabulary), compact=True),
        write_json(folder / "tokenizer_config.json", tokenizer_config(vocabulary, network.context_tokens)),
    ]


def _special_ids(vocabulary: Vocabulary) -> dict[str, object]:
    eos = vocabulary.special.get("eos")
    ids = {
        "bos_token_id": vocabulary.special.get("bos"),
        "eos_token_id": eos,
        "pad_token_id": vocabulary.special.get("pad", eos),
    }
    return {name: index for name, index in ids.items() if index is not None}


def _config(network: Network, vocabulary: Vocabulary, graphs: Mapping[Variant, Sequence[Path]]) -> Json:
    chunks = {files[0].name: len(files) - 1 for files in graphs.values() if len(files) > 1}
    devices = {variant.device: {"dtype": variant.dtype} for variant in graphs}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": str(network.activation),
        "hidden_size": network.hidden,
        "intermediate_size": network.ffn,
        "num_hidden_layers": network.layers,
        "num_attention_heads": network.heads,
        "num_key_value_heads": network.kv_heads,
        "head_dim": network.head_dim,
        "vocab_size": network.vocab,
        "max_position_embeddings": network.context_tokens,
        "rms_norm_eps": network.rms_eps,
        "rope_theta": network.rope.theta,
        "tie_word_embeddings": network.tied,
        **_special_ids(vocabulary),
        "transformers.js_config": {
            "device_config": devices,
            **({"use_external_data_format": chunks} if chunks else {}),
        },
    }


def _generation_config(vocabulary: Vocabulary) -> Json:
    ends = list(vocabulary.end_ids)
    return _special_ids(vocabulary) | ({"eos_token_id": ends} if len(ends) > 1 else {})


def write_candil_json(
    folder: Path,
    *,
    source: Json,
    network: Network,
    parameters: int,
    settings: Sequence[Path],
    graphs: Mapping[Variant, Sequence[Path]],
    self_tests: Mapping[Variant, SelfTest],
) -> Path:
    """List the variants with every file they need, relative to `folder`, and how to check that they run."""
    shared = [_entry(folder, path) for path in settings]
    variants = [
        {
            "name": variant.name,
            "device": variant.device,
            "dtype": variant.dtype,
            "files": [*shared, *(_entry(folder, path) for path in files)],
            "self_test": {
                "prompt_ids": list(self_tests[variant].prompt_ids),
                "next_ids": list(self_tests[variant].next_ids),
            },
        }
        for variant, files in graphs.items()
    ]
    head = {"format": FORMAT, "source": source, "context_tokens": network.context_tokens, "parameters": parameters}
    return write_json(folder / "candil.json", {**head, "variants": variants})


def _entry(folder: Path, path: Path) -> Json:
    return {
        "path": path.relative_to(folder).as_posix(),
        "bytes": path.stat().st_size,
        "sha256": sha256_of(path),
    }
