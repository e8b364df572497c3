"""Chats made up for tests, and how hypothesis makes them up."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any, Literal

from hypothesis import strategies as st

from pyapp.chat.repair import repaired
from pyapp.chat.tree import Attachment, Chat, Conversation, Entry, Origin
from pyapp.engine import Usage
from pyapp.errors import ContextOverflow, DeviceLost
from pyapp.transfer.form import chat_value
from pyapp.transfer.reading import LATEST_MS

NOW = 1_700_000_000_000
USAGE = Usage(prompt_tokens=9, cached_tokens=4, new_tokens=3, prefill_ms=500.5, decode_ms=100)


def ids(prefix: str = "new") -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers):03}"


def talk() -> Conversation:
    """A question, an answer, and the question in other words with an answer that failed: two branches."""
    entries = [
        Entry("q1", "c", None, "user", "Hi", NOW, attachments=(Attachment("a.txt", "```\ntext"),)),
        Entry(
            "a1", "c", "q1", "assistant", "Hello", NOW + 1, origin=Origin("Tiny", "wasm"), usage=USAGE, reason="stop"
        ),
        Entry("q2", "c", None, "user", "Hi there", NOW + 2),
        Entry("a2", "c", "q2", "assistant", "Hel", NOW + 3, "error", error=DeviceLost("gone")),
    ]
    chat = Chat("c", NOW, NOW + 3, "Greeting", "user", True, "a1", "draft", {"temperature": 0.5}, None, {"": "q1"})
    return Conversation(chat, {entry.id: entry for entry in entries})


def own(*chats: dict[str, object], **members: object) -> str:
    """A file of ours."""
    return json.dumps({"format": "candil.chats", "version": 1, "chats": chats, **members})


def without_ids(conversation: Conversation) -> dict[str, Any]:
    """All of a chat but which ids it happens to have: places in the export stand for them."""
    value: Any = chat_value(conversation)
    places = {entry["id"]: place for place, entry in enumerate(value["entries"])} | {"": "root", None: None}
    del value["id"]
    value["head"] = places[value["head"]]
    value["chosen"] = {places[fork]: places[branch] for fork, branch in value["chosen"].items()}
    for entry in value["entries"]:
        entry["id"], entry["parent"] = places[entry["id"]], places[entry["parent"]]
    return value  # type: ignore[no-any-return]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.one_of(st.integers(0, LATEST_MS), st.just(7))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Any chat there can be."""
    entries: dict[str, Entry] = {}
    for number in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from([None, *entries]))
        role: Literal["user", "assistant"] = draw(st.sampled_from(["user", "assistant"]))
        error = draw(st.sampled_from([None, DeviceLost("gone"), ContextOverflow(prompt_tokens=9, context_tokens=8)]))
        entries[f"e{number}"] = Entry(
            f"e{number}",
            "c",
            parent,
            role,
            draw(WORDS),
            draw(TIMES),
            draw(st.sampled_from(["done", "stopped", "error"])),
            tuple(Attachment(name, text) for name, text in draw(st.lists(st.tuples(WORDS, WORDS), max_size=2))),
            draw(st.sampled_from([None, Origin("Tiny", "webgpu")])),
            draw(st.sampled_from([None, USAGE])),
            draw(st.sampled_from([None, "stop", "length"])),
            error,
        )
    forks = draw(st.dictionaries(st.sampled_from(["", *entries]), st.sampled_from(["", *entries]), max_size=2))
    chat = Chat(
        "c",
        draw(TIMES),
        draw(TIMES),
        draw(WORDS),
        draw(st.sampled_from(["text", "user", "model"])),
        draw(st.booleans()),
        draw(st.sampled_from([None, *entries])),
        draw(WORDS),
        draw(st.sampled_from([{}, {"temperature": 0.5, "later": [1]}])),
        None,
        {fork: branch for fork, branch in forks.items() if branch},
    )
    return repaired(chat, entries.values())


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
        st.sampled_from(["user", "assistant", "system", "q1", "a1", "text", "root", "dexie"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn, value: Any) -> Any:
    """`value` with something in it replaced, taken out or doubled."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value))) if isinstance(value, dict) else draw(st.integers(0, len(value) - 1))
        copy = dict(value) if isinstance(value, dict) else list(value)
        match draw(st.integers(0, 5)):
            case 0:
                del copy[key]
            case 1 if isinstance(copy, list):
                copy.append(copy[key])
            case _:
                copy[key] = draw(damaged(copy[key]))
        return copy
    return draw(JSON)
