"""The vocabulary in a GGUF's metadata, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.convert.errors import ConvertError
from tools.convert.gguf_file import Value
from tools.convert.pre_tokenizers import BEGINS_WITH_BOS, expressions

_MAX_TOKEN_CHARACTERS = 1024
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)  # `tokenizer.ggml.token_type`
SPECIAL_IDS = {"bos": "bos_token_id", "eos": "eos_token_id", "unk": "unknown_token_id", "pad": "padding_token_id"}
_END_IDS = ("eos_token_id", "eot_token_id", "eom_token_id")
_END_TEXTS = ("<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>")  # older files do not name their ids


@dataclass(frozen=True, slots=True)
class Vocabulary:
    model: str  # "gpt2" (byte-level BPE) or "llama" (SentencePiece)
    pre: str  # the pre-tokenizer's name
    tokens: tuple[str, ...]
    kinds: tuple[int, ...]  # NORMAL, CONTROL, ...
    scores: npt.NDArray[np.float32] | None  # SentencePiece only
    merges: tuple[tuple[str, str], ...]  # byte-level BPE only
    special: Mapping[str, int]  # "bos", "eos", "unk", "pad" -> token id
    end_ids: tuple[int, ...]  # every token that ends an answer
    add_bos: bool
    add_eos: bool
    add_space_prefix: bool
    strip_after_special: bool  # spaces and line ends after a special token are not read
    chat_template: str | None

    def token(self, name: str) -> str | None:
        """The text of a special token."""
        index = self.special.get(name)
        return None if index is None else self.tokens[index]


def _texts(metadata: Mapping[str, Value], key: str) -> tuple[str, ...]:
    values = metadata.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ConvertError(f"The metadata value {key!r} is missing: the file has no complete tokenizer.")
    return tuple(values)


def _numbers(metadata: Mapping[str, Value], key: str, count: int) -> npt.NDArray[np.generic] | None:
    values = metadata.get(key)
    if values is None:
        return None
    if not isinstance(values, np.ndarray) or len(values) != count:
        raise ConvertError(f"The metadata value {key!r} does not fit the {count} tokens.")
    return values


def _flag(metadata: Mapping[str, Value], name: str, default: bool) -> bool:
    value = metadata.get(f"tokenizer.ggml.{name}", default)
    if not isinstance(value, bool):
        raise ConvertError(f"The metadata value 'tokenizer.ggml.{name}' is not true or false.")
    return value


def _token_id(metadata: Mapping[str, Value], name: str, count: int) -> int | None:
    value = metadata.get(f"tokenizer.ggml.{name}")
    if value is None or value in (-1, 0xFFFFFFFF):  # both are written for "none"
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise ConvertError(f"The metadata value 'tokenizer.ggml.{name}' is {value!r}, which is no token.")
    return value


def _merges(metadata: Mapping[str, Value], known: frozenset[str]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for line in _texts(metadata, "tokenizer.ggml.merges"):
        left, _, right = line.partition(" ")
        if left not in known or right not in known or left + right not in known:
            raise ConvertError(f"The merge {line[:80]!r} joins what is not in the vocabulary.")
        pairs.append((left, right))
    return tuple(pairs)


def _tokens(metadata: Mapping[str, Value], vocab: int) -> tuple[str, ...]:
    tokens = _texts(metadata, "tokenizer.ggml.tokens")
    if len(tokens) != vocab:
        raise ConvertError(f"The tokenizer has {len(tokens)} tokens but the network {vocab}.")
    if len(set(tokens)) != len(tokens):
        raise ConvertError("The tokenizer has a token twice.")
    if max(map(len, tokens)) > _MAX_TOKEN_CHARACTERS:
        raise ConvertError("The tokenizer has a token of absurd length.")
    return tokens


def read_vocabulary(metadata: Mapping[str, Value], vocab: int) -> Vocabulary:
    """The tokenizer of a network with `vocab` tokens. Raises ConvertError if it is missing, unknown or inconsistent."""
    model = metadata.get("tokenizer.ggml.model")
    if model not in ("gpt2", "llama"):
        raise ConvertError(f"The tokenizer {model!r} is not supported, only 'gpt2' and 'llama'.")
    assert isinstance(model, str)
    pre = metadata.get("tokenizer.ggml.pre", "default")
    template = metadata.get("tokenizer.chat_template")
    if not isinstance(pre, str) or not isinstance(template, str | None):
        raise ConvertError("The metadata of the tokenizer is not text where it should be.")
    if model == "gpt2":
        expressions(pre)  # says so if it is unknown
    tokens = _tokens(metadata, vocab)
    kinds = _numbers(metadata, "tokenizer.ggml.token_type", vocab)
    scores = _numbers(metadata, "tokenizer.ggml.scores", vocab)
    spm = model == "llama"
    if spm and scores is None:
        raise ConvertError("The SentencePiece tokenizer has no scores.")
    special = {name: _token_id(metadata, key, vocab) for name, key in SPECIAL_IDS.items()}
    ends = [_token_id(metadata, key, vocab) for key in _END_IDS]
    ends += [tokens.index(text) for text in _END_TEXTS if text in tokens]
    return Vocabulary(
        model=model,
        pre=pre,
        tokens=tokens,
        kinds=(NORMAL,) * vocab if kinds is None else tuple(int(kind) for kind in kinds.tolist()),
        scores=np.nan_to_num(scores.astype(np.float32)) if spm and scores is not None else None,
        merges=() if spm else _merges(metadata, frozenset(tokens)),
        special={name: index for name, index in special.items() if index is not None},
        end_ids=tuple(dict.fromkeys(index for index in ends if index is not None)),
        add_bos=_flag(metadata, "add_bos_token", spm or pre in BEGINS_WITH_BOS),
        add_eos=_flag(metadata, "add_eos_token", False),
        add_space_prefix=_flag(metadata, "add_space_prefix", spm),
        strip_after_special=spm and metadata.get("general.architecture") == "phi3",
        chat_template=template,
    )
