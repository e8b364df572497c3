"""What a failure of the relay of this page's own server means for the user; see server/errors.py for what it says."""

from __future__ import annotations

from typing import cast

from pyapp.errors import (
    AnswerBroken,
    CandilError,
    CloudBusy,
    CloudError,
    CloudFailed,
    CloudInterrupted,
    CloudSpent,
    CloudTokenRefused,
    CloudTooLong,
    CloudUnreachable,
    ContextOverflow,
    KeyRefused,
    ModelMissing,
    NotAModelServer,
    RequestRejected,
    ServerOverloaded,
    ServerUnreachable,
)

BUSY_S = 60.0  # a budget of a minute is there again by then; what takes longer is one of a day

_BY_CODE: dict[str, type[CloudError]] = {
    "rate_limited": CloudBusy,
    "too_many_at_once": CloudBusy,
    "tokens_exhausted": CloudSpent,
    "too_long": CloudTooLong,
    "body_too_large": CloudTooLong,
    "invalid_request": CloudTooLong,  # of ours it can only be the number of messages or the length of one
    "upstream_interrupted": CloudInterrupted,
    "connection": CloudInterrupted,
    "cut": CloudInterrupted,
}


def as_cloud_error(error: CandilError) -> CandilError:
    """What is not about the cloud stays as it is."""
    match error:
        case CloudError():
            return error
        case ContextOverflow():
            return CloudTooLong(error.message)
        case KeyRefused():
            return CloudTokenRefused(error.message) if error.details["status"] == 401 else CloudFailed(error.message)
        case ServerUnreachable() | ModelMissing() | NotAModelServer():
            return CloudUnreachable(error.message)
        case ServerOverloaded():
            return _overloaded(error)
        case AnswerBroken() | RequestRejected():
            return _BY_CODE.get(str(error.details.get("reason")), CloudFailed)(error.message)
        case _:
            return CloudFailed(error.message)


def _overloaded(error: ServerOverloaded) -> CloudError:
    if error.details["status"] != 429:
        return CloudFailed(error.message)
    after = cast("float | None", error.details["retry_after_s"])
    return CloudSpent(error.message) if after is not None and after > BUSY_S else CloudBusy(error.message)
