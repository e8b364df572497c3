"""How byte-level BPE vocabularies cut text into words first, by the name a GGUF gives it (`tokenizer.ggml.pre`).

The expressions are the models' own (they are in every such model's tokenizer.json, and listed in llama.cpp's
llama-vocab.cpp under the same names).
"""

from __future__ import annotations

from tools.convert.errors import ConvertError

Json = dict[str, object]

_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = rf"{_CONTRACTIONS}|{_WORDS}|\p{{N}}{{1,3}}|{_REST}"
_QWEN2 = rf"{_CONTRACTIONS}|{_WORDS}|\p{{N}}|{_REST}"
_CAPITALS, _SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_GPT4O = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}*{_SMALL}+{_CONTRACTIONS}?|"
    rf"[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}+{_SMALL}*{_CONTRACTIONS}?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PUNCTUATION = r"[\p{P}\$\+<=>\^~\|]+"

EXPRESSIONS: dict[str, tuple[str, ...]] = {  # applied one after the other, each to the pieces of the one before
    **dict.fromkeys(("default",), (_PUNCTUATION, _GPT2, r"\p{N}+", "[0-9][0-9][0-9]")),
    **dict.fromkeys(("gpt-2", "mpt", "olmo", "jais", "phi-2", "gigachat", "roberta-bpe"), (_GPT2,)),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"), (r"\p{N}", _GPT2)),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "smaug-bpe", "dbrx", "chatglm-bpe"), (_LLAMA3,)),
    **dict.fromkeys(("gpt-4o", "llama4"), (_GPT4O,)),
    **dict.fromkeys(("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez"), (_QWEN2,)),
}
BEGINS_WITH_BOS = frozenset({"llama-bpe", "llama3", "llama-v3", "falcon3"})  # unless the metadata says otherwise


def expressions(name: str) -> tuple[str, ...]:
    """Raises ConvertError for a pre-tokenizer this converter does not know."""
    if name not in EXPRESSIONS:
        raise ConvertError(f"The pre-tokenizer {name!r} is not supported.")
    return EXPRESSIONS[name]


def byte_level(name: str) -> Json:
    """The `pre_tokenizer` of a tokenizer.json."""
    cuts = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        for pattern in expressions(name)
    ]
    to_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"type": "Sequence", "pretokenizers": [*cuts, to_bytes]}
