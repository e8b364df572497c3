"""Documents from the worker by itself: a schema's grammar goes in, a text comes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator

from pyapp.structured.grammar import grammar
from tests.browser.bare import Call
from tests.schemas.corpus import Case

SAMPLING = {"temperature": 0.7, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1.1, "seed": 1}


@dataclass(frozen=True, slots=True)
class Made:
    text: str
    finished: dict[str, Any]
    outcome: Literal["valid", "invalid", "cut off"]


def made(engine: Call, case: Case, tokens: int, **sampling: object) -> Made:
    """`jsonschema`, which shares nothing with the page, says whether it is valid."""
    told = engine(
        "generate",
        {
            "messages": [{"role": "user", "content": case.prompt}],
            "sampling": SAMPLING | sampling,
            "max_new_tokens": tokens,
            "stop": [],
            "continue_last": False,
            "grammar": grammar(case.schema, "plain"),
        },
    )
    assert told["error"] is None, (case.name, told["error"])
    *deltas, last = told["values"]
    text = "".join(delta["text"] for delta in deltas)
    finished = last["finished"]
    if finished["reason"] == "length":
        return Made(text, finished, "cut off")
    return Made(text, finished, "valid" if is_valid(case, text) else "invalid")


def is_valid(case: Case, text: str) -> bool:
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return Draft202012Validator(case.schema).is_valid(document)
