"""How a server is asked for JSON that a schema describes, and for less when it refuses that."""

from __future__ import annotations

from typing import Any

from pyapp.errors import CandilError, RequestRejected

REFUSED = "response_format"  # RequestRejected's reason

Json = Any


def described_by(schema: Json) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "document", "schema": schema, "strict": True}}


class ResponseFormat:
    """What one server takes, as far as it is known: a schema, JSON of any kind, or nothing said."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    @property
    def takes_schemas(self) -> bool:
        """It has not refused one."""
        return "json_schema" not in self._refused

    def member(self, wanted: Json | None) -> dict[str, Json]:
        """Of a request: `wanted`, or what comes nearest to it."""
        if wanted is not None and wanted["type"] == "json_schema" and not self.takes_schemas:
            wanted = {"type": "json_object"}
        return {} if wanted is None or wanted["type"] in self._refused else {"response_format": wanted}

    def learns(self, error: CandilError, sent: dict[str, Json]) -> bool:
        """Whether the refusal was of that: then the next request has less, and is worth a try."""
        if not isinstance(error, RequestRejected) or error.details.get("reason") != REFUSED or not sent:
            return False
        self._refused.add(sent["response_format"]["type"])
        return True
