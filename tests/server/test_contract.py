"""The served description against the server: thousands of requests made from it, good and bad."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from starlette.types import ASGIApp

from server.app import create_app
from server.config import load
from server.files import Site
from tests.server.rig import GENEROUS

CASES = 300  # of each of the four operations
SEEN: Counter[int] = Counter()


def relay_to_nobody() -> ASGIApp:
    """A provider that refuses every connection: what gets that far is told no_provider or upstream_failed."""
    nobody = {"CLOUD_ENABLED": "1", "PROVIDERS": "p1", "P1_BASE_URL": "http://127.0.0.1:9/v1", "P1_MODELS": "tiny"}
    return create_app(Site((Path("/nonexistent"),), {}), load(nobody | GENEROUS))
