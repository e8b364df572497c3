"""transformers.js and llama.cpp make the same tokens of the same text."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bench.fidelity import TEXTS, browser_token_ids
from bench.llama_cpp import llama_cpp
from tests.tools.tiny_families import NETWORKS, write_tiny_network
from tests.tools.tiny_gguf import TinyShape, write_tiny_gguf
from tools.convert.conversion import open_source
from tools.convert.encoder import Encoder
from tools.convert.errors import ConvertError
from tools.convert.fidelity import DEFAULT_TEXT
from tools.convert.pre_tokenizers import expressions
from tools.convert.repository import write_settings
from tools.embedded_model import embedded_gguf, prepare

SMALL = TinyShape(layers=1, hidden=32, heads=2, kv_heads=1, ffn=32, context_tokens=64)
COMPOSED = [text for text in TEXTS if "e\u0301" not in text]  # Qwen composes accents, llama.cpp does not


@pytest.mark.parametrize("pre", ["smollm", "llama-bpe", "qwen2", "gpt-2", "default", "sentencepiece"])
def test_token_ids_are_llama_cpps(tmp_path: Path, pre: str) -> None:
    spm = pre == "sentencepiece"
    gguf = write_tiny_gguf(tmp_path / "tiny.gguf", shape=SMALL, sentencepiece=spm, pre="smollm" if spm else pre)
    source = open_source(gguf)
    write_settings(tmp_path, source.network, source.vocabulary, {})
    texts = COMPOSED if pre == "qwen2" else TEXTS
    with llama_cpp(gguf, context_tokens=64) as judge:
        assert browser_token_ids(tmp_path, texts) == [judge.tokenize(text) for text in texts]


CHATS = (
    "<|user|>\nHello <|end|>\n<|assistant|>\n",
    "<start_of_turn>user\nwhat is  this\n\n<table> and   that?<end_of_turn>\n<start_of_turn>model\n",
    "<|im_start|>user\nHello world HTTPServer camelCase DON'T 1234 a/b\n/c<|im_end|>\n<|im_start|>assistant\n",
)


@pytest.mark.parametrize("pre", ["phi-3", "gemma", "gpt-4o", "qwen2", "llama-bpe"])
def test_the_families_token_ids_are_llama_cpps(tmp_path: Path, pre: str) -> None:
    tiny = next((tiny for tiny in NETWORKS.values() if tiny.pre == pre), replace(NETWORKS["phi3"], pre=pre))
    gguf = write_tiny_network(tmp_path / "tiny.gguf", replace(tiny, context_tokens=512))
    source = open_source(gguf)
    write_settings(tmp_path, source.network, source.vocabulary, {})
    texts = [*(COMPOSED if pre == "qwen2" else TEXTS), *CHATS]
    with llama_cpp(gguf, context_tokens=64) as judge:
        expected = [judge.tokenize(text) for text in texts]
    assert browser_token_ids(tmp_path, texts) == expected
    prose = "The quick brown fox; el zorro duerme. DON'T 12345"
    with llama_cpp(gguf, context_tokens=64) as judge:
        assert Encoder(source.vocabulary).encode(prose) == judge.tokenize(prose)


@pytest.mark.real_model
def test_the_embedded_models_token_ids_are_llama_cpps() -> None:
    prose = DEFAULT_TEXT.read_text(encoding="utf-8")
    texts = [*TEXTS, prose]
    with llama_cpp(embedded_gguf(), context_tokens=64) as judge:
        expected = [judge.tokenize(text) for text in texts]
    assert browser_token_ids(prepare(), texts) == expected
    assert Encoder(open_source(embedded_gguf()).vocabulary).encode(prose) == expected[-1]


def test_decoding_gives_the_text_back(tmp_path: Path) -> None:
    source = open_source(write_tiny_gguf(tmp_path / "tiny.gguf", shape=SMALL))
    write_settings(tmp_path, source.network, source.vocabulary, {})
    script = Path(__file__).with_name("tokenize.mjs")
    answer = subprocess.run(
        ["node", str(script), str(tmp_path)], input=json.dumps(TEXTS), capture_output=True, text=True, check=True
    )
    assert [entry["text"] for entry in json.loads(answer.stdout)] == list(TEXTS)


def test_an_unknown_pre_tokenizer_is_named() -> None:
    with pytest.raises(ConvertError, match="'klingon'"):
        expressions("klingon")
