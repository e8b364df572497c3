"""From what a file says to an entry like the catalog's, and what of it is written down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyapp.errors import GgufDamaged, NotAChatModel, PartsMissing, SeveralModels
from pyapp.models import record
from pyapp.models.gguf import Header, read_header
from pyapp.models.manifest import OwnSource, UnpinnedFile, UrlSource
from pyapp.models.own import OwnModel, Part, in_order, kept_as, own_model, split_names
from tests.unit.models.ggufs import CHATTY, gguf, part, reader, tensor
from tests.unit.run import run

SOURCE = OwnSource("tiny.gguf")


def header(content: bytes) -> Header:
    return run(read_header(reader(content), len(content)))


def found(values: dict[str, Any], name: str = "some file.GGUF", **made: Any) -> OwnModel:
    return own_model([Part(name, header(gguf(values, **made)), "picked-1")], SOURCE)


def test_what_it_is() -> None:
    own = found(CHATTY)
    assert (own.architecture, own.has_template, own.trained_context) == ("llama", True, 512)
    model, variant = own.model, own.variant
    assert (model.title, model.license, model.license_url) == ("Tiny Chatty", "mit", "https://license.test/mit")
    assert (model.parameters, model.context_tokens, model.languages) == (132, 512, ("en", "es"))
    assert model.id.startswith("tiny-chatty-")
    assert not model.verified
    assert model.own
    assert model.in_place
    assert (variant.engine, variant.device, variant.dtype) == ("wllama", "wasm", "Q8_0")
    assert [(f.path, f.sha256) for f in variant.files] == [("tiny-chatty.gguf", "picked-1")]


def test_a_file_that_says_little() -> None:
    own = found({"tokenizer.ggml.model": "gpt2"})
    assert (own.model.title, own.variant.dtype, own.has_template) == ("some file", "Q8_0", False)
    assert (own.model.context_tokens, own.trained_context) == (8192, None)
    assert (own.model.license, own.model.license_url, own.model.languages) == ("", "", ())
    assert found({"tokenizer.ggml.model": "gpt2"}, ".gguf", tensors=[]).model.title == "GGUF"
    assert found({"tokenizer.ggml.model": "gpt2"}, tensors=[]).variant.dtype == "F32"


def test_a_long_context_is_cut_to_what_memory_holds() -> None:
    own = found(CHATTY | {"llama.context_length": 131_072})
    assert (own.model.context_tokens, own.trained_context) == (8192, 131_072)


@pytest.mark.parametrize("length", [0, "long"])
def test_a_context_that_makes_no_sense(length: Any) -> None:
    assert found(CHATTY | {"llama.context_length": length}).trained_context is None


def test_names_are_made_fit_to_be_shown_and_to_be_names() -> None:
    evil = CHATTY | {"general.name": "\x1b[2J<script>../../\N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 500}
    own = found(evil)
    assert own.model.title.isprintable()
    assert len(own.model.title) == 80
    assert "/" not in own.variant.files[0].path
    assert found(CHATTY | {"general.name": "模型"}).variant.files[0].path == "model.gguf"
    assert found(CHATTY | {"general.license.link": "javascript:alert(1)"}).model.license_url == ""


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"general.type": "mmproj"}, "mmproj"),
        ({"general.architecture": "bert", "bert.attention.causal": False}, "bert"),
    ],
)
def test_what_cannot_chat(changes: dict[str, Any], kind: str) -> None:
    with pytest.raises(NotAChatModel) as raised:
        found(CHATTY | changes)
    assert raised.value.details == {"kind": kind}


def test_a_file_without_a_tokenizer_cannot_chat() -> None:
    with pytest.raises(NotAChatModel) as raised:
        found({})
    assert raised.value.details == {"kind": "?"}


# ---- split models ----


def parts(*contents: bytes) -> list[Part]:
    return [Part(f"p{n}.gguf", header(content), f"picked-{n}") for n, content in enumerate(contents, 1)]


def test_parts_are_put_in_order() -> None:
    own = own_model(parts(part(1, 2), part(0, 2)), SOURCE)
    assert [(f.path, f.sha256) for f in own.variant.files] == [
        ("tiny-chatty-00001-of-00002.gguf", "picked-2"),
        ("tiny-chatty-00002-of-00002.gguf", "picked-1"),
    ]
    assert own.model.parameters == 264


def test_a_part_that_is_missing_is_told() -> None:
    with pytest.raises(PartsMissing) as raised:
        in_order(parts(part(2, 3), part(0, 3)))
    assert raised.value.details == {"have": 2, "count": 3}


@pytest.mark.parametrize("contents", [(gguf(), gguf()), (part(0, 2), part(0, 2)), (part(0, 2), part(1, 3))])
def test_files_of_several_models(contents: tuple[bytes, ...]) -> None:
    with pytest.raises(SeveralModels):
        in_order(parts(*contents))


def test_a_part_beyond_the_last() -> None:
    with pytest.raises(GgufDamaged):
        in_order(parts(part(0, 2), part(7, 2)))


def test_the_names_of_the_other_parts() -> None:
    assert split_names("https://h/x-00002-of-00003.gguf", 3) == [
        "https://h/x-00001-of-00003.gguf",
        "https://h/x-00002-of-00003.gguf",
        "https://h/x-00003-of-00003.gguf",
    ]
    assert split_names("https://h/x.gguf", 3) == ["https://h/x.gguf"]


# ---- what is written down ----


def test_what_is_kept_is_called_by_its_bytes() -> None:
    own = found(CHATTY)
    model, variant = kept_as(own.model, own.variant, {"picked-1": "a" * 64})
    assert model.id == "tiny-chatty-aaaaaaaa"
    assert model.variants == (variant,)
    assert not variant.in_place
    assert kept_as(model, variant, {}) == (model, variant)


@pytest.mark.parametrize("source", [SOURCE, UrlSource("https://hub.test/a/b/resolve/main/x.gguf")])
@pytest.mark.parametrize("values", [CHATTY, {"tokenizer.ggml.model": "gpt2"}])
def test_it_is_there_again_after_a_reload(source: OwnSource | UrlSource, values: dict[str, Any]) -> None:
    url = source.url if isinstance(source, UrlSource) else ""
    own = own_model([Part("x.gguf", header(gguf(values)), "b" * 64, url)], source)
    kept = kept_as(own.model, own.variant, {"b" * 64: "a" * 64})
    wire = json.loads(json.dumps(record.to_wire(*kept)))
    read = record.from_wire(wire, {"a" * 64: own.variant.bytes})
    assert read is not None
    assert (read.model, read.variant, read.damaged) == (*kept, ())


def test_from_an_address_it_is_not_pinned() -> None:
    own = own_model([Part("x.gguf", header(gguf()), "b" * 64, "https://h/x.gguf")], UrlSource("https://h/x.gguf"))
    assert isinstance(own.variant.files[0], UnpinnedFile)
    assert not own.variant.in_place


def test_the_type_most_weights_have_names_a_rare_quantization() -> None:
    iq = [tensor("token_embd.weight", (256, 4), 23, 0), tensor("norm", (4,), 0, 544)]
    assert found(CHATTY | {"general.file_type": 30}, tensors=iq, data=600).variant.dtype == "IQ4_XS"
