"""Chats as files: one to read (Markdown), one or all to keep and bring back (JSON, see site/chats.schema.json)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from pyapp.chat.prompt import text as as_asked
from pyapp.chat.tree import Conversation, Entry
from pyapp.settings import personas as persona_library
from pyapp.settings import settings as app_settings
from pyapp.settings.personas import Persona
from pyapp.settings.settings import Settings
from pyapp.transfer.form import FORMAT, VERSION, chat_value

# Not allowed in file names somewhere, or able to turn the order of a name's letters around.
_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+')
LONGEST_NAME = 60  # characters of a title in a file name

Text = Callable[[str], str]  # key -> sentence


def file_name(title: str, day: date, ending: str) -> str:
    """`title` may be anything; what is unfit for a name goes."""
    words = " ".join(_UNFIT.sub(" ", title).split())[:LONGEST_NAME].strip(" .")
    return " - ".join(part for part in ("Candil", words, day.isoformat()) if part) + ending


def chat_text(conversation: Conversation) -> str:
    """One chat as JSON, for `document`."""
    return json.dumps(chat_value(conversation), ensure_ascii=False)


def document(
    chats: Iterable[str],
    now_ms: int,
    settings: Settings | None = None,
    personas: Sequence[Persona] | None = None,
    *,
    runs: Iterable[str] | None = None,
    own_tasks: Iterable[str] | None = None,
) -> str:
    """A file of chats, runs of tasks and tasks of the user's own, as `chat_text`, `run_text` and `file_text` give them;
    one per line, so that files can be compared."""
    head: Mapping[str, object] = {"format": FORMAT, "version": VERSION, "exported_ms": now_ms}
    members = {name: json.dumps(value) for name, value in head.items()}
    if settings is not None:
        members["settings"] = json.dumps(app_settings.to_json(settings), ensure_ascii=False)
    if personas is not None:
        members["personas"] = json.dumps(persona_library.to_json(personas), ensure_ascii=False)
    members["chats"] = _lines(chats)
    if runs is not None:
        members["runs"] = _lines(runs)
    if own_tasks is not None:
        members["own_tasks"] = _lines(own_tasks)
    lines = ",\n".join(f"{json.dumps(name)}: {value}" for name, value in members.items())
    return "{\n" + lines + "\n}\n"


def _lines(values: Iterable[str]) -> str:
    return "[\n" + ",\n".join(values) + "\n]"


def markdown(conversation: Conversation, text: Text) -> str:
    """What is shown of a chat, to be read: the branch of now, attachments fenced, who answered beside each answer."""
    parts = [f"# {_line(conversation.chat.title)}", f"*{text('export.exported')}*"]
    for entry in conversation.path():
        parts += [f"## {_speaker(entry, text)}", as_asked(entry), *_ending(entry, text)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _speaker(entry: Entry, text: Text) -> str:
    if entry.role == "user":
        return text("chat.you")
    return f"Candil ({_line(entry.origin.model)})" if entry.origin else "Candil"


def _ending(entry: Entry, text: Text) -> list[str]:
    match entry.state:
        case "stopped" | "streaming":
            return [f"*{text('export.stopped')}*"]
        case "error":
            return [f"*{text('export.failed')}*"]
        case _:
            return []


def _line(words: str) -> str:
    """On one line, and no Markdown."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", " ".join(words.split()))
