"""tokenizer.json and tokenizer_config.json, the two files transformers.js reads a tokenizer from."""

from __future__ import annotations

from tools.convert.errors import ConvertError
from tools.convert.pre_tokenizers import byte_level
from tools.convert.vocabulary import BYTE, CONTROL, UNKNOWN, USER_DEFINED, Vocabulary

Json = dict[str, object]

_KEEP_WHAT_FOLLOWS = ("<unk>", "<s>", "<|endoftext|>")  # of Phi-3's special tokens
_SPACE = "\u2581"  # SentencePiece writes spaces as this


def tokenizer_json(vocabulary: Vocabulary) -> Json:
    """Raises ConvertError for a vocabulary that tokenizer.json cannot express."""
    spm = vocabulary.model == "llama"
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added_tokens(vocabulary),
        "normalizer": _sentencepiece_normalizer(vocabulary) if spm else _byte_level_normalizer(vocabulary),
        "pre_tokenizer": None if spm else byte_level(vocabulary.pre),
        "post_processor": _template(vocabulary),
        "decoder": _sentencepiece_decoder(vocabulary) if spm else _byte_level_decoder(),
        "model": _sentencepiece_model(vocabulary) if spm else _byte_level_model(vocabulary),
    }


def tokenizer_config(vocabulary: Vocabulary, context_tokens: int) -> Json:
    config: Json = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context_tokens,
        "clean_up_tokenization_spaces": False,
        "add_bos_token": vocabulary.add_bos,
        "add_eos_token": vocabulary.add_eos,
    }
    for name in ("bos", "eos", "unk", "pad"):
        if (text := vocabulary.token(name)) is not None:
            config[f"{name}_token"] = text
    config.setdefault("pad_token", vocabulary.token("eos"))
    if vocabulary.chat_template is not None:
        config["chat_template"] = vocabulary.chat_template
    return config


def _added_tokens(vocabulary: Vocabulary) -> list[Json]:
    """Tokens found in the text as they are, before anything else looks at it."""
    added: list[Json] = []
    for index, (text, kind) in enumerate(zip(vocabulary.tokens, vocabulary.kinds, strict=True)):
        if kind in (CONTROL, UNKNOWN, USER_DEFINED) and text:
            flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            flags["rstrip"] = vocabulary.strip_after_special and text not in _KEEP_WHAT_FOLLOWS
            added.append({"id": index, "content": text, **flags, "special": kind != USER_DEFINED})
    return added


def _template(vocabulary: Vocabulary) -> Json | None:
    """What is put around every text."""
    before = vocabulary.special.get("bos") if vocabulary.add_bos else None
    after = vocabulary.special.get("eos") if vocabulary.add_eos else None
    if before is None and after is None:
        return None
    around = {vocabulary.tokens[index]: index for index in (before, after) if index is not None}

    def sequence(letter: str, kind: int) -> list[Json]:
        piece: Json = {"Sequence": {"id": letter, "type_id": kind}}
        marks: list[list[Json]] = [
            [] if index is None else [{"SpecialToken": {"id": vocabulary.tokens[index], "type_id": kind}}]
            for index in (before, after)
        ]
        return [*marks[0], piece, *marks[1]]

    special = {text: {"id": text, "ids": [index], "tokens": [text]} for text, index in around.items()}
    pair = sequence("A", 0) + sequence("B", 1)
    return {"type": "TemplateProcessing", "single": sequence("A", 0), "pair": pair, "special_tokens": special}


def _byte_level_normalizer(vocabulary: Vocabulary) -> Json | None:
    return {"type": "NFC"} if vocabulary.pre in ("qwen2", "deepseek-r1-qwen") else None


def _byte_level_decoder() -> Json:
    return {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


def _byte_level_model(vocabulary: Vocabulary) -> Json:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": vocabulary.pre in ("llama-bpe", "llama3", "llama-v3", "falcon3"),
        "vocab": {text: index for index, text in enumerate(vocabulary.tokens)},
        "merges": [list(pair) for pair in vocabulary.merges],
    }


def _sentencepiece_normalizer(vocabulary: Vocabulary) -> Json:
    steps: list[Json] = [{"type": "Replace", "pattern": {"String": " "}, "content": _SPACE}]
    if vocabulary.add_space_prefix:
        steps.insert(0, {"type": "Prepend", "prepend": _SPACE})
    return {"type": "Sequence", "normalizers": steps}


def _sentencepiece_decoder(vocabulary: Vocabulary) -> Json:
    steps: list[Json] = [
        {"type": "Replace", "pattern": {"String": _SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if vocabulary.add_space_prefix:
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {"type": "Sequence", "decoders": steps}


def _sentencepiece_model(vocabulary: Vocabulary) -> Json:
    if "unk" not in vocabulary.special:
        raise ConvertError("The SentencePiece tokenizer has no unknown token.")
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": vocabulary.token("unk"),
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": BYTE in vocabulary.kinds,
        "ignore_merges": False,
        "vocab": {text: index for index, text in enumerate(vocabulary.tokens)},
        "merges": [list(pair) for pair in score_merges(vocabulary)],
    }


def score_merges(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """SentencePiece's scores as a merge list, best first: every way to make a piece of two pieces."""
    assert vocabulary.scores is not None
    mergeable = {
        text: index
        for index, (text, kind) in enumerate(zip(vocabulary.tokens, vocabulary.kinds, strict=True))
        if kind not in (CONTROL, UNKNOWN, BYTE)
    }
    ranked = [
        (-float(vocabulary.scores[index]), index, mergeable[text[:cut]], text[:cut], text[cut:])
        for text, index in mergeable.items()
        for cut in range(1, len(text))
        if text[:cut] in mergeable and text[cut:] in mergeable
    ]
    return [(left, right) for *_, left, right in sorted(ranked)]
