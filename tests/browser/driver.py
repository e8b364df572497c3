"""Runs inside the page instead of the application: shows what a test or a benchmark says, without a model.

`drive(op, json)` becomes a function of the window; it promises the JSON of what the op of OPS gives.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from js import document, performance, window
from pyodide.ffi import create_once_callable, create_proxy

from pyapp.browser import answers
from pyapp.browser.page import BrowserPage
from pyapp.browser.sidebar import Sidebar
from pyapp.chat.drafts import Draft
from pyapp.chat.groups import Group
from pyapp.chat.search import Excerpt, Found
from pyapp.chat.shown import Changed, Opened
from pyapp.chat.tree import Attachment, Chat, Conversation, Entry, Origin
from pyapp.engine import Usage
from pyapp.errors import InvalidRequest, ManifestError, NotText
from pyapp.views.language import Language

page = BrowserPage(Language("en"))
sidebar = Sidebar(lambda: page.language, page.announce)
ids = itertools.count(1)


def show(entry: Entry) -> Entry:
    page.show_session(Changed(entry, None, (entry.id,)))
    return entry


def answer(text: str, **more: Any) -> Entry:
    return show(Entry(str(next(ids)), "c", None, "assistant", text, 0, **more))


def ask(text: str, *files: Attachment) -> Entry:
    return show(Entry(str(next(ids)), "c", None, "user", text, 0, attachments=files))


def chat(title: str) -> Chat:
    return Chat("c", 0, 0, title, head="1")


# Where text that is not the answer itself comes to stand, by name: a new one is one line here.
PLACES: dict[str, Callable[[str], object]] = {
    "a message": ask,
    "an attachment": lambda text: ask("x", Attachment(text, text)),
    "a draft": lambda text: page.set_draft(Draft(text, (Attachment(text, text),))),
    "a refused file's name": lambda text: page.show_notice(NotText(name=text)),
    "a title that is edited": lambda text: sidebar.show_rename(chat(text)),
    "a deleted chat": lambda text: sidebar.show_deleted(chat(text)),
    "an answer's error": lambda text: answer("x", state="error", error=InvalidRequest(text)),
    "a notice": lambda text: page.show_notice(ManifestError(text)),
    "a model's title": lambda text: answer("x", origin=Origin(text, "wasm"), usage=Usage(1, 0, 1, 1.0, 1.0)),
}


# Where many texts stand at once.
LISTS: dict[str, Callable[[list[str]], None]] = {
    "chats' titles": lambda texts: sidebar.show_chats(
        [Group("today", None, [chat(text) for text in texts])], "c", lambda _: 1
    ),
    "what a search finds": lambda texts: sidebar.show_found(
        [Found("c", Excerpt(text, ((0, 1),)), "1", Excerpt(text, ((0, 1),))) for text in texts]
    ),
}


async def put(place: str, texts: list[str]) -> None:
    """Every text at a place of PLACES or LISTS."""
    if place in LISTS:
        LISTS[place](texts)
    else:
        for text in texts:
            PLACES[place](text)
    await frame()


async def grow(pieces: list[list[str]]) -> list[str]:
    """Answers that grow together, one piece each per frame; the HTML of their texts once nothing changes any more."""
    entries = [answer("", state="streaming") for _ in pieces]
    for round_ in itertools.zip_longest(*pieces):
        for entry, piece in zip(entries, round_, strict=True):
            if piece is not None:
                page.show_session(Changed(entry, piece))
        await frame()
    for entry, its in zip(entries, pieces, strict=True):
        show(replace(entry, text="".join(its), state="done"))
    return await settled(entries)


async def whole(texts: list[str]) -> list[str]:
    """Answers that are there at once; the HTML of their texts."""
    return await settled([answer(text) for text in texts])


async def settled(entries: list[Entry]) -> list[str]:
    while page._answers._streams:
        await frame()
    while document.querySelector("pre[data-highlight] > code:not([data-finished]), [data-tex]:not([data-finished])"):
        await frame()
    selector = 'article[data-id="{}"] [data-part="text"]'
    return [str(document.querySelector(selector.format(entry.id)).innerHTML) for entry in entries]


async def begin() -> None:
    """An answer that has no words yet."""
    answer("", state="streaming")


async def clear() -> None:
    page.show_session(Opened(Conversation(Chat("c", 0, 0))))
    page.show_notice(None)
    page.set_draft(Draft())


async def stream(text: str, piece: int, per_second: int) -> None:
    """`text` in pieces of `piece` characters, so many per second, between two marks of the performance timeline."""
    entry = answer("", state="streaming")
    performance.mark("stream-begin")
    begin = performance.now()
    for n, at in enumerate(range(0, len(text), piece)):
        late = begin + 1000 * n / per_second - performance.now()
        if late > 0 or n % 16 == 0:
            await asyncio.sleep(max(late, 0) / 1000)
        page.show_session(Changed(entry, text[at : at + piece]))
    show(replace(entry, text=text, state="done"))
    while page._answers._streams:
        await frame()
    performance.mark("stream-end")


async def hurry(budget_ms: float) -> None:
    """More work per frame than a person would like: for tests of what is shown, not of how smoothly."""
    answers.BUDGET_MS = budget_ms


def frame() -> Awaitable[None]:
    shown: asyncio.Future[None] = asyncio.get_event_loop().create_future()
    window.requestAnimationFrame(create_once_callable(lambda _time: shown.set_result(None)))
    return shown


OPS: dict[str, Callable[..., Awaitable[Any]]] = {
    op.__name__: op for op in (put, grow, whole, begin, clear, stream, hurry)
}


async def drive(op: str, arguments: str) -> str:
    return json.dumps(await OPS[op](**json.loads(arguments)))


def clicked(event: Any) -> None:
    button = event.target.closest('[data-action="copy-code"]')
    if button:
        page.copy_code(button)


window.drive = create_proxy(drive)
document.addEventListener("click", create_proxy(clicked))
document.documentElement.dataset.candil = "python"
