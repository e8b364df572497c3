"""tokenizer.json of a byte-level BPE vocabulary, in the words of a GGUF's metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tools.convert.errors import ConvertError
from tools.convert.gguf_file import Value
from tools.convert.pre_tokenizers import EXPRESSIONS
from tools.convert.vocabulary import CONTROL, NORMAL, SPECIAL_IDS, UNUSED, USER_DEFINED

Json = Mapping[str, object]
_MAX_TOKENS = 1 << 20


def tokenizer_metadata(tokenizer: Json, settings: Json, template: str | None) -> dict[str, Value]:
    """`settings` are config.json, generation_config.json and tokenizer_config.json, the later ones winning.

    Raises ConvertError if the tokenizer is of another kind or incomplete.
    """
    model = _object(tokenizer.get("model"), "model")
    if model.get("type") != "BPE":
        raise ConvertError(f"A tokenizer of the type {model.get('type')!r} is not supported in a folder, only BPE.")
    texts, kinds = _tokens(
        _object(model.get("vocab"), "vocab"), tokenizer.get("added_tokens", []), settings.get("vocab_size", 0)
    )
    metadata: dict[str, Value] = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": _pre_tokenizer(tokenizer.get("pre_tokenizer")),
        "tokenizer.ggml.tokens": texts,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": list(_merges(model.get("merges"))),
    }
    for name, key in SPECIAL_IDS.items():
        if (index := _token_id(texts, settings, name)) is not None:
            metadata[f"tokenizer.ggml.{key}"] = index
    if isinstance(add_bos := settings.get("add_bos_token"), bool):
        metadata["tokenizer.ggml.add_bos_token"] = add_bos
    chat = template or settings.get("chat_template")
    return metadata | ({"tokenizer.chat_template": chat} if isinstance(chat, str) else {})


def _object(value: object, what: str) -> Json:
    if not isinstance(value, Mapping):
        raise ConvertError(f"tokenizer.json has no {what}.")
    return value


def _tokens(vocab: Json, added: object, count: object) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    """Texts and kinds by id; ids that nothing has become unused tokens."""
    named: dict[int, tuple[str, int]] = {}
    for text, index in vocab.items():
        named[_id(index)] = text, NORMAL
    for entry in added if isinstance(added, list) else []:
        token = _object(entry, "proper added_tokens")
        kind = CONTROL if token.get("special") else USER_DEFINED
        named[_id(token.get("id"))] = str(token.get("content")), kind
    if not named:
        raise ConvertError("tokenizer.json has no tokens.")
    end = max(max(named) + 1, min(count, _MAX_TOKENS) if isinstance(count, int) else 0)
    whole = [named.get(index, (f"[PAD{index}]", UNUSED)) for index in range(end)]
    return [text for text, _ in whole], np.array([kind for _, kind in whole], np.int32)


def _id(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MAX_TOKENS:
        raise ConvertError(f"tokenizer.json has a token with the id {value!r}.")
    return value


def _merges(merges: object) -> Iterator[str]:
    if not isinstance(merges, list):
        raise ConvertError("tokenizer.json has no merges.")
    for merge in merges:  # older files have one text, newer ones a pair
        yield merge if isinstance(merge, str) else " ".join(str(part) for part in merge)


def _pre_tokenizer(value: object) -> str:
    """GGUF's name of the expressions that cut words."""
    steps = _object(value, "pre_tokenizer").get("pretokenizers", [value])
    cuts = tuple(
        str(_object(step.get("pattern"), "pattern").get("Regex"))
        for step in (steps if isinstance(steps, list) else [])
        if isinstance(step, Mapping) and step.get("type") == "Split"
    )
    for name, expressions in EXPRESSIONS.items():
        if cuts == expressions:
            return name
    raise ConvertError("The words of tokenizer.json are cut in a way that is not supported.")


def _token_id(texts: list[str], settings: Json, name: str) -> int | None:
    """By id, of which the first counts, or by text."""
    value = settings.get(f"{name}_token_id")
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, int):
        return value
    text = settings.get(f"{name}_token")
    if isinstance(text, Mapping):
        text = text.get("content")
    return texts.index(text) if isinstance(text, str) and text in texts else None
