"""A chat request, from bytes nobody vouches for. What is wrong is told by field and rule, never by value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from starlette.requests import Request

from server import openapi
from server.config import Settings
from server.errors import ApiError

ANY_MODEL = "auto"  # whoever is first and can answer
PASSED_ON = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop")
MOST_FORMAT_CHARS = 16_000  # of a schema: providers read it as a part of the prompt
CHARS_PER_TOKEN = 3  # a careful guess before the provider has counted


@dataclass(frozen=True, slots=True)
class ChatRequest:
    messages: tuple[Mapping[str, str], ...]
    max_tokens: int
    model: str = ANY_MODEL
    stream: bool = False
    include_usage: bool = False
    options: Mapping[str, Any] | None = None  # of PASSED_ON, those that are set
    response_format: Mapping[str, Any] | None = None

    @property
    def prompt_tokens(self) -> int:
        chars = sum(len(message["content"]) for message in self.messages) + length(self.response_format)
        return chars // CHARS_PER_TOKEN + 1


async def read_body(request: Request, limit: int) -> bytes:
    """Raises ApiError without waiting for what is too much."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 18 or int(announced) > limit:
        raise ApiError("body_too_large")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ApiError("body_too_large")
    return bytes(body)


class RequestReader:
    """Checks against the schema that the API's description shows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._validator = Draft202012Validator(openapi.chat_request(settings))

    def read(self, body: bytes) -> ChatRequest:
        """Raises ApiError."""
        found = parsed(body)
        error = next(self._validator.iter_errors(found), None)
        if error is not None:
            raise invalid(error)
        messages = tuple({"role": m["role"], "content": text(m["content"])} for m in found["messages"])
        if sum(len(m["content"]) for m in messages) > self._settings.max_total_chars:
            raise ApiError("too_long", param="messages")
        if length(found.get("response_format")) > MOST_FORMAT_CHARS:
            raise ApiError("too_long", param="response_format")
        wanted = found.get("max_completion_tokens") or found.get("max_tokens") or self._settings.max_tokens
        return ChatRequest(
            messages=messages,
            max_tokens=min(int(wanted), self._settings.max_tokens),
            model=found.get("model") or ANY_MODEL,
            stream=bool(found.get("stream")),
            include_usage=bool((found.get("stream_options") or {}).get("include_usage")),
            options=self._defaults() | {key: found[key] for key in PASSED_ON if found.get(key) is not None},
            response_format=found.get("response_format"),
        )

    def _defaults(self) -> dict[str, Any]:
        defaults = {"temperature": self._settings.temperature, "top_p": self._settings.top_p}
        return {key: value for key, value in defaults.items() if value is not None}


def length(response_format: Mapping[str, Any] | None) -> int:
    return len(json.dumps(response_format)) if response_format else 0


def parsed(body: bytes) -> Any:
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=refuse_constant)
        json.dumps(found, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise ApiError("invalid_json") from None
    return found


def refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def text(content: str | list[dict[str, str]]) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def invalid(error: ValidationError) -> ApiError:
    """By path and rule; of the value not a character."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path).lstrip(".")
    return ApiError("invalid_request", f"{path or 'The request'} {broken_rule(error)}.", param=path or None)


def broken_rule(error: ValidationError) -> str:
    rule, value = error.validator, error.validator_value
    match rule, value:
        case "type", str():
            return f"is not of type {value}"
        case "type", list():
            return f"is not of type {' or '.join(value)}"
        case "required", list():
            return f"lacks one of {', '.join(value)}"
        case "additionalProperties", _:
            return f"has a field that is not known here: {', '.join(unknown_fields(error))}".rstrip(": ")
        case _:
            return f"breaks the rule {rule}: {json.dumps(value)}"


def unknown_fields(error: ValidationError) -> list[str]:
    """Those that look like names; a text in place of a name stays unsaid."""
    assert isinstance(error.instance, dict)
    assert isinstance(error.schema, dict)
    unknown = sorted(error.instance.keys() - error.schema["properties"].keys())
    return [name for name in unknown if re.fullmatch(r"\w{1,40}", name, re.ASCII)][:3]
