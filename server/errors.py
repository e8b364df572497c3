"""What the relay answers when it does not answer: OpenAI's shape, codes of our own.

A text that came from a provider is never passed on: it can hold parts of keys, account names and prompts.
"""

from __future__ import annotations

from starlette.responses import JSONResponse

MESSAGES = {
    # ---- the request ----
    "invalid_json": (400, "invalid_request_error", "The body is not JSON in UTF-8."),
    "invalid_request": (400, "invalid_request_error", "The request is not valid."),
    "too_long": (400, "invalid_request_error", "The messages together are too long."),
    "context_length_exceeded": (400, "invalid_request_error", "The messages do not fit the model's context window."),
    "unauthorized": (401, "authentication_error", "This server wants its access token as Bearer."),
    "origin_not_allowed": (403, "permission_error", "Pages of other sites may not use this server."),
    "header_missing": (403, "permission_error", "Pages must send the header X-Candil: 1."),
    "model_not_found": (404, "invalid_request_error", "No provider here offers this model; GET /v1/models lists them."),
    "no_cloud": (404, "invalid_request_error", "This server relays to no cloud."),
    "not_found": (404, "invalid_request_error", "There is nothing at this address."),
    "method_not_allowed": (405, "invalid_request_error", "This address does not take that method."),
    "body_too_large": (413, "invalid_request_error", "The body is too large."),
    "not_json": (415, "invalid_request_error", "The body must come as application/json."),
    # ---- the budgets ----
    "rate_limited": (429, "rate_limit_error", "Too many requests; try again later."),
    "tokens_exhausted": (429, "rate_limit_error", "The tokens of today are used up."),
    "too_many_at_once": (429, "rate_limit_error", "Too many answers at a time; try again when one has ended."),
    # ---- the providers ----
    "internal": (500, "server_error", "Something failed here."),
    "upstream_rejected": (502, "upstream_error", "The provider did not take the request."),
    "upstream_failed": (502, "upstream_error", "The provider failed."),
    "upstream_interrupted": (502, "upstream_error", "The provider stopped in the middle of the answer."),
    "upstream_empty": (502, "upstream_error", "The provider answered without a word."),
    "store_unavailable": (503, "server_error", "The budgets cannot be counted now; try again later."),
    "no_provider": (503, "upstream_error", "No provider can answer now; try again later."),
    "upstream_timeout": (504, "upstream_error", "The provider took too long."),
}
LASTING = {"upstream_rejected"}  # of the 5xx: the same request again would fail again


class ApiError(Exception):
    """`code` is a key of MESSAGES; `param` names a field of the request, never its value."""

    def __init__(
        self, code: str, message: str = "", *, param: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.type, standard = MESSAGES[code]
        self.message = message or standard
        self.param = param
        self.retry_after_s = retry_after_s

    @property
    def retryable(self) -> bool:
        return self.status == 429 or (self.status >= 500 and self.code not in LASTING)

    def body(self, *, partial: bool = False) -> dict[str, object]:
        """`partial`: a part of an answer was already sent; what follows may not be glued to it."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
                "retryable": self.retryable,
                "partial": partial,
            }
        }

    def response(self) -> JSONResponse:
        headers = {} if self.retry_after_s is None else {"Retry-After": str(max(1, round(self.retry_after_s + 0.5)))}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.body(), self.status, headers)
