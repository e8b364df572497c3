"""A course as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from pyapp.engine import Json
from pyapp.tasks.course.cartridge import cartridge
from pyapp.tasks.course.documents import as_html, as_markdown
from pyapp.tasks.course.state import State, course
from pyapp.tasks.task import Export, Say

LONGEST_NAME = 60  # characters


def file(kind: str, state: State, say: Say) -> Export:
    ending, mime, made = _KINDS[kind]
    whole = course(state)
    return Export(file_name(whole["title"]) + ending, mime, made(whole, state["language"], say))


def file_name(title: str) -> str:
    """`title` may be anything: letters and digits of all scripts stay."""
    words = " ".join(re.sub(r"[^\w\-]+", " ", title).split())[:LONGEST_NAME].strip()
    return words or "Candil"


def _markdown(whole: Json, _language: str, say: Say) -> bytes:
    return as_markdown(whole, say).encode()


def _html(whole: Json, language: str, say: Say) -> bytes:
    return as_html(whole, language, say).encode()


def _json(whole: Json, _language: str, _say: Say) -> bytes:
    return (json.dumps(whole, ensure_ascii=False, indent=2) + "\n").encode()


_KINDS: Mapping[str, tuple[str, str, Callable[[Json, str, Say], bytes]]] = {
    "markdown": (".md", "text/markdown", _markdown),
    "html": (".html", "text/html", _html),
    "json": (".json", "application/json", _json),
    "cartridge": (".imscc", "application/zip", cartridge),
}
