"""Lists of models, as the servers give them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.errors import NotAModelServer
from pyapp.openai.models import MAX_MODELS, ServedModel, parse_models


@pytest.mark.parametrize(
    ("body", "models"),
    [
        (
            {"object": "list", "data": [{"id": "m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 2048}}]},
            [ServedModel("m.gguf", 2048, "llamacpp")],
        ),
        ({"data": [{"id": "m", "meta": {"n_ctx_train": 2048, "n_ctx": 512}}]}, [ServedModel("m", 512)]),
        ({"data": [{"id": "m", "max_model_len": 4096, "owned_by": "vllm"}]}, [ServedModel("m", 4096, "vllm")]),
        ({"data": [{"id": "m", "max_context_length": 9, "loaded_context_length": 8}]}, [ServedModel("m", 8)]),
        ({"data": [{"id": "a"}, {"id": "b", "meta": None}, {"id": "a"}]}, [ServedModel("a"), ServedModel("b")]),
        ([{"id": "a", "context_length": -1}], [ServedModel("a")]),
        ({"object": "list", "data": None}, []),
        (
            {"data": [{"id": ""}, {"id": 3}, {}, 4, {"id": "x" * 301}, {"id": "b", "max_model_len": True}]},
            [ServedModel("b")],
        ),
    ],
)
def test_lists(body: Any, models: list[ServedModel]) -> None:
    assert list(parse_models(json.dumps(body))) == models


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data": 3}', b"null", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_list(body: bytes) -> None:
    with pytest.raises(NotAModelServer):
        parse_models(body)


def test_a_list_has_an_end() -> None:
    assert len(parse_models(json.dumps([{"id": str(n)} for n in range(3000)]))) == MAX_MODELS


@given(st.binary())
def test_any_bytes(body: bytes) -> None:
    with suppress(NotAModelServer):
        parse_models(body)
