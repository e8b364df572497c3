"""The page's table of tensor types is the one of the library that writes them."""

from __future__ import annotations

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from pyapp.models.gguf_types import TENSOR_TYPES

INTERMEDIATE = {"Q8_1", "Q8_K"}  # of a computation, never in a file


def test_the_table_is_that_of_the_library() -> None:
    theirs = {int(t): (t.name, *GGML_QUANT_SIZES[t]) for t in GGMLQuantizationType if t.name not in INTERMEDIATE}
    assert {number: tuple(kind) for number, kind in TENSOR_TYPES.items()} == theirs
