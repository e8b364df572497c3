"""The body of GET /models: which models a server has, and how large their windows are where it says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyapp.errors import NotAModelServer
from pyapp.models.strict_json import strangers

MAX_MODELS = 500  # what is beyond is not shown: a list of thousands is a service's catalog
_WINDOW_KEYS = ("loaded_context_length", "max_model_len", "context_window", "context_length", "max_context_length")


@dataclass(frozen=True, slots=True)
class ServedModel:
    id: str
    context_tokens: int | None = None  # None: the server does not say
    owned_by: str = ""  # "llamacpp", "vllm", "library": a hint at what the server is


def parse_models(body: bytes | str) -> tuple[ServedModel, ...]:
    """In the server's order, none twice. Raises NotAModelServer when it is no list of models."""
    try:
        found = strangers(body)
    except ValueError:
        raise NotAModelServer("the list of models is not JSON", reason="not_json") from None
    rows = found.get("data") if isinstance(found, Mapping) else found  # Together gives the bare list
    if rows is None and isinstance(found, Mapping) and found.get("object") == "list":
        rows = []  # Ollama without a model says null
    if not isinstance(rows, list):
        raise NotAModelServer("the answer is not a list of models", reason="not_json")
    return tuple({model.id: model for model in _models(rows)}.values())[:MAX_MODELS]


def _models(rows: list[Any]) -> Iterator[ServedModel]:
    for row in rows:
        if isinstance(row, Mapping) and isinstance(name := row.get("id"), str) and 0 < len(name) <= 300:
            owner = row.get("owned_by")
            yield ServedModel(name, _window(row), owner if isinstance(owner, str) else "")


def _window(row: Mapping[str, Any]) -> int | None:
    """The window as it is served where that is told, else what the model was trained with."""
    meta = row.get("meta")
    told = [row.get(key) for key in _WINDOW_KEYS]
    if isinstance(meta, Mapping):
        told += [meta.get("n_ctx"), meta.get("n_ctx_train")]
    return next((n for n in told if isinstance(n, int) and not isinstance(n, bool) and n > 0), None)
