"""A model on a server of the user's, as the rest of the app knows models: a ModelSpec with one variant."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyapp.engine import Transport
from pyapp.errors import CandilError
from pyapp.models.manifest import ModelSpec, ServerSource, Variant
from pyapp.models.strict_json import strangers
from pyapp.openai.models import ServedModel, parse_models
from pyapp.servers.address import Address
from pyapp.servers.call import Request, read

ENGINE = "openai_http"
DEFAULT_CONTEXT_TOKENS = 4096  # Ollama's default, and what LM Studio loads most models with; said by no server
BYTES_PER_TOKEN = 3.5  # of an estimate: a little too many tokens rather than too few
LIST_S = 15.0

LLAMA_CPP, LM_STUDIO, VLLM = "llamacpp", "organization_owner", "vllm"  # what the servers put into owned_by


async def models_of(
    transport: Transport, address: Address, key: str, seconds: float = LIST_S, *, relay: bool = False
) -> list[ServedModel]:
    """What the server has, each with its window where the server says it somewhere. Raises ServerError."""
    body = await read(transport, Request(address.url("/models"), key, relay=relay), seconds)
    models = parse_models(body)
    owners = {model.owned_by for model in models}
    if LLAMA_CPP in owners:
        window = _llama_cpp_window(await _aside(transport, Request(address.beside("/props"), key)))
        return [replace(model, context_tokens=window or model.context_tokens) for model in models]
    if LM_STUDIO in owners:
        windows = _lm_studio_windows(await _aside(transport, Request(address.beside("/api/v0/models"), key)))
        return [replace(model, context_tokens=windows.get(model.id, model.context_tokens)) for model in models]
    return list(models)


def described(address: Address, model: ServedModel) -> tuple[ModelSpec, Variant]:
    variant = Variant(name="server", engine=ENGINE, device="server", dtype="", features=(), files=())
    spec = ModelSpec(
        id=f"{address}#{model.id}",
        title=title_of(model.id),
        parameters=0,
        context_tokens=model.context_tokens or DEFAULT_CONTEXT_TOKENS,
        license="",
        license_url="",
        languages=(),
        source=ServerSource(str(address), model.id),
        verified=False,
        variants=(variant,),
    )
    return spec, variant


def title_of(model_id: str) -> str:
    """llama.cpp names a model by the path of its file."""
    return re.split(r"[/\\]", model_id)[-1] if model_id.endswith(".gguf") else model_id


async def _aside(transport: Transport, request: Request) -> Any:
    """JSON from an endpoint that is a kindness of the server: None where it has none."""
    try:
        return strangers(await read(transport, request, LIST_S))
    except (CandilError, ValueError):
        return None


def _llama_cpp_window(props: Any) -> int | None:
    """The window of one slot, which is what one conversation has."""
    settings = props.get("default_generation_settings") if isinstance(props, Mapping) else None
    window = settings.get("n_ctx") if isinstance(settings, Mapping) else None
    return window if isinstance(window, int) and window > 0 else None


def _lm_studio_windows(body: Any) -> dict[str, int]:
    """By id, the window as it is loaded, else the largest there could be."""
    try:
        return {m.id: m.context_tokens for m in parse_models(json.dumps(body)) if m.context_tokens}
    except CandilError:
        return {}
