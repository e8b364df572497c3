"""What a server means when it says no: by status and body, or by an error object inside a stream.

Of the body only numbers and identifiers are kept. What cannot be told apart by a status is told by words that
the servers' own sources use; they are matched, never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pyapp.errors import (
    AnswerBroken,
    CandilError,
    ContextOverflow,
    KeyRefused,
    ModelMissing,
    NotAModelServer,
    RequestRejected,
    ServerOverloaded,
)
from pyapp.models.strict_json import strangers
from pyapp.openai.response_format import REFUSED

MAX_RETRY_AFTER_S = 3600.0

_OVERFLOW = re.compile(
    r"exceed_context_size|context_length_exceeded|maximum context|context (?:length|window|size)|exceeds? the available"
    r"|prompt is too long|too many tokens|longer than the (?:maximum )?(?:model|context)|greater than the context"
    r"|max_model_len"
)
_NO_MODEL = re.compile(
    r"model_not_found|model_decommissioned|model_not_loaded|no models? (?:is |are )?loaded|model[^.]{0,80}not loaded"
    r"|model[^.]{0,120}(?:not found|does not exist|decommissioned|unknown)|(?:unknown|invalid|no such) model"
)
_NO_SCHEMA = re.compile(r"response_format|json_schema|json_object|structured[ _]output|guided[ _]")
_NO_ROUTE = re.compile(r"file not found|page not found|^\W*not found\W*$|cannot (?:get|post)|no route|unknown endpoint")
_CONTEXT_TOKENS = re.compile(r"(?:maximum context length is|context (?:size|length|window)\D{0,20}) ?\(?(\d{1,9})")
_PROMPT_TOKENS = re.compile(
    r"(\d{1,9}) in the messages|(?:prompt contains|resulted in)(?: at least)? (\d{1,9})|\((\d{1,9}) tokens\)"
)
_IDENTIFIER = re.compile(r"[A-Za-z][\w.-]{0,39}")

_OVERLOADED = frozenset({408, 425, 429, 498})


def refusal(
    status: int, body: bytes | str, headers: Mapping[str, str] | None = None, *, now: datetime | None = None
) -> CandilError:
    """The exception for an answer whose status is not 200. Header names are lower-case."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        found: Any = strangers(text)
    except ValueError:
        found = None
    if found is None and text.lstrip()[:1] == "<" and status not in (401, 403) and status < 429:
        return NotAModelServer(f"HTML with status {status}", reason="html", status=status)
    after = retry_after_s((headers or {}).get("retry-after"), now or datetime.now(UTC))
    return classify(_error_in(found), status, retry_after_s=after)


def stream_error(error: Any) -> CandilError:
    """The exception for an error object that arrived with status 200, before any of the answer did."""
    status = error.get("code") if isinstance(error, Mapping) else None
    return classify(error, status if isinstance(status, int) and 400 <= status < 600 else None)


def broken(error: Any) -> AnswerBroken:
    """The exception for an error object that arrived after part of the answer had."""
    return AnswerBroken("the server reported an error", reason=_identifier(error))


def classify(error: Any, status: int | None, *, retry_after_s: float | None = None) -> CandilError:
    """`error` is what the server put there: an object, a sentence, None. No status: it came inside an answer."""
    words = _words(error)
    if status in (401, 403):
        return KeyRefused(f"status {status}", status=status)
    if _OVERFLOW.search(words) and status != 429:
        return ContextOverflow("the server's context is too small", **_token_counts(error, words))
    if status == 404 and _NO_ROUTE.search(words):
        return NotAModelServer("status 404", reason="no_route", status=404)
    if status == 404 or _NO_MODEL.search(words):
        return ModelMissing(f"status {status}", status=status)
    if status is None:
        return broken(error)
    if status in _OVERLOADED or status >= 500:
        return ServerOverloaded(f"status {status}", status=status, retry_after_s=retry_after_s)
    if status < 400:  # a redirect: followed, the words would go to somebody the user did not name
        return NotAModelServer(f"status {status}", reason="redirect", status=status)
    reason = REFUSED if _NO_SCHEMA.search(words) else _identifier(error)
    return RequestRejected(f"status {status}", status=status, reason=reason)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header, a number or a date; at most an hour, None when there is no sense in it."""
    if value is None:
        return None
    try:
        if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", value, re.ASCII):
            seconds = float(value)
        else:
            date = parsedate_to_datetime(value)
            seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _error_in(body: Any) -> Any:
    """The error object of a body: {"error": …}, [{"error": …}], {"message": …}, {"detail": …}."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, Mapping):
        return None
    return next((body[key] for key in ("error", "detail") if body.get(key)), body)


def _words(error: Any) -> str:
    """What can be searched: type, code and message, in lower case."""
    if not isinstance(error, Mapping):
        return str(error or "")[:4000].lower()
    return " ".join(str(error.get(key) or "")[:4000] for key in ("type", "code", "message")).lower()


def _identifier(error: Any) -> str:
    """Its code or type, where that is an identifier and not a sentence."""
    if isinstance(error, Mapping):
        for key in ("code", "type"):
            value = error.get(key)
            if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
                return value
    return ""


def _token_counts(error: Any, words: str) -> dict[str, int]:
    """prompt_tokens and context_tokens, when the server gives both."""
    fields = error if isinstance(error, Mapping) else {}
    prompt, context = fields.get("n_prompt_tokens"), fields.get("n_ctx")
    if not isinstance(prompt, int) or not isinstance(context, int):
        said_prompt, said_context = _PROMPT_TOKENS.search(words), _CONTEXT_TOKENS.search(words)
        if said_prompt is None or said_context is None:
            return {}
        prompt = int(next(filter(None, said_prompt.groups())))
        context = int(said_context[1])
    return {"prompt_tokens": prompt, "context_tokens": context}
