"""The API's description (OpenAPI 3.1), made from the settings and served. Requests are checked against its own schema,
so it cannot say anything else than what is done."""

from __future__ import annotations

from typing import Any

from server.config import Settings
from server.errors import MESSAGES

Schema = dict[str, Any]


def chat_request(settings: Settings) -> Schema:
    """What POST /v1/chat/completions takes; anything else is refused, by name."""
    text: Schema = {"type": "string", "maxLength": settings.max_message_chars}
    part = {
        "type": "object",
        "properties": {"type": {"const": "text"}, "text": text},
        "required": ["type", "text"],
        "additionalProperties": False,
    }
    parts = {"type": "array", "items": part, "minItems": 1, "maxItems": 16}
    message = {
        "type": "object",
        "properties": {
            "role": {"enum": ["system", "user", "assistant"]},
            "content": {"if": {"type": "array"}, "then": parts, "else": text},
        },
        "required": ["role", "content"],
        "additionalProperties": False,
    }
    stops = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 64}, "maxItems": 4}
    whole = {"type": "integer", "minimum": 1, "maximum": 1 << 31}
    penalty = {"type": ["number", "null"], "minimum": -2, "maximum": 2}
    properties: Schema = {
        "model": {"type": "string", "maxLength": 300},
        "messages": {"type": "array", "items": message, "minItems": 1, "maxItems": settings.max_messages},
        "stream": {"type": ["boolean", "null"]},
        "stream_options": {
            "type": ["object", "null"],
            "properties": {"include_usage": {"type": "boolean"}},
            "additionalProperties": False,
        },
        "max_tokens": whole | {"type": ["integer", "null"]},
        "max_completion_tokens": whole | {"type": ["integer", "null"]},
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
        "top_p": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
        "frequency_penalty": penalty,
        "presence_penalty": penalty,
        "seed": {"type": ["integer", "null"], "minimum": -(1 << 53), "maximum": 1 << 53},
        "stop": {"if": {"type": "array"}, "then": stops, "else": {"type": ["string", "null"], "maxLength": 64}},
        "response_format": {
            "type": ["object", "null"],
            "properties": {
                "type": {"enum": ["text", "json_object", "json_schema"]},
                "json_schema": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
                        "description": {"type": "string", "maxLength": 1000},
                        "schema": {"type": "object"},
                        "strict": {"type": ["boolean", "null"]},
                    },
                    "required": ["name", "schema"],
                    "additionalProperties": False,
                },
            },
            "required": ["type"],
            "additionalProperties": False,
        },
        "n": {"enum": [1, None]},
        "user": {"type": ["string", "null"], "maxLength": 300},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["messages"],
        "additionalProperties": False,
    }


def document(settings: Settings) -> Schema:
    failures = {"$ref": "#/components/responses/Error"}
    statuses = sorted({status for status, _, _ in MESSAGES.values()})
    errors = {str(status): failures for status in statuses}
    model_list = object_of(object={"const": "list"}, data={"type": "array", "items": {"type": "object"}})
    chat = {
        "operationId": "chat",
        "summary": "One answer of the first provider that can give it, whole or as a stream of server-sent events",
        "security": [{"token": []}] if settings.access_token else [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": chat_request(settings)}}},
        "responses": {
            "200": {
                "description": "A chat.completion, or chunks of one as events, the last of which is [DONE] or an error",
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Completion"}},
                    "text/event-stream": {"schema": object_of(data={"type": "string"})},
                },
            }
        }
        | errors,
    }
    paths: Schema = {
        "/api/health": get(
            "health",
            "Whether it runs; with providers=1 also who would answer",
            {"type": "object"},
            [{"name": "providers", "in": "query", "schema": {"enum": ["0", "1"]}}],
        ),
        "/api/config": get("config", "What a page may know", {"type": "object", "required": ["cloud"]}),
        "/v1/models": get("models", "What may be asked for as `model`", model_list),
        "/v1/chat/completions": {"post": chat},
    }
    for path in ("/api/health", "/api/config", "/v1/models"):
        paths[path]["get"]["responses"] |= errors
    return {
        "openapi": "3.1.0",
        "info": {"title": "Candil", "version": "1", "description": "The relay, in OpenAI's form."},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": error_schema(), "Completion": completion_schema()},
            "responses": {
                "Error": {
                    "description": "A code of ours; never a provider's words",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
            },
        },
    }


def get(operation: str, summary: str, schema: Schema, parameters: list[Schema] | None = None) -> Schema:
    ok = {"description": summary, "content": {"application/json": {"schema": schema}}}
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "parameters": parameters or [],
            "responses": {"200": ok},
        }
    }


def object_of(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def error_schema() -> Schema:
    inside = object_of(
        message={"type": "string"},
        type={"enum": sorted({kind for _, kind, _ in MESSAGES.values()})},
        param={"type": ["string", "null"]},
        code={"enum": sorted(MESSAGES)},
        retryable={"type": "boolean"},
        partial={"type": "boolean"},
    )
    return object_of(error=inside)


def completion_schema() -> Schema:
    message = object_of(role={"const": "assistant"}, content={"type": "string"})
    choice = object_of(index={"const": 0}, message=message, finish_reason={"enum": ["stop", "length"]})
    return object_of(
        id={"type": "string"},
        object={"const": "chat.completion"},
        created={"type": "integer"},
        model={"type": "string"},
        provider={"type": "string"},
        choices={"type": "array", "items": choice, "minItems": 1, "maxItems": 1},
    )
