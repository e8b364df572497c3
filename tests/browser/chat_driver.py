"""What the page runs instead of pyapp.browser.app.main in tests of the storage: all of the app, and a scripted engine.

A test calls `window.python(name, arguments)`, both and the answer JSON; the names are the functions below `Answering`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from js import document, window
from pyodide.ffi import create_proxy

from pyapp.app import App
from pyapp.browser.bridge import Bridge
from pyapp.browser.local import LocalIntent, new_id, now_ms
from pyapp.browser.page import BrowserPage
from pyapp.chat.library import Library
from pyapp.chat.session import Answerer, Session
from pyapp.chat.tree import Origin
from pyapp.engine import Finished, GenerateEvent, GenerateRequest, TextDelta, Usage, values
from pyapp.engines.transformers_js import TransformersJs
from pyapp.errors import CandilError
from pyapp.models.store import Store
from pyapp.setup.setup import Setup
from pyapp.views.language import Language

TOKEN_S = 0.02


class Answering(TransformersJs):
    """Instead of a model: every token is the time at which it was said, in ms since 1970."""

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        for _ in range(int(request.messages[-1].text.split()[-1])):
            await asyncio.sleep(TOKEN_S)
            yield TextDelta(f"{now_ms()} ")
        yield Finished("stop", Usage(1, 0, 1, 1.0, 1.0))


async def op(name: str, payload: Any) -> Any:
    """Every value of an op of the seam, or the code of its error."""
    try:
        return await values(bridge, name, payload)
    except CandilError as error:
        return error.code


async def posted() -> list[Any]:
    """What other tabs have posted since the page was opened."""
    return heard


async def ask(text: str, wait: bool = True) -> None:
    """The last word of `text` is the number of tokens of the answer."""
    task = asyncio.ensure_future(app.session.ask(text, Answerer(engine, Origin("Scripted", "wasm"))))
    tasks.append(task)
    if wait:
        await task


async def shown() -> list[list[str]]:
    """Role, state and text of the messages of the open chat."""
    return [[entry.role, entry.state, entry.text] for entry in app.session.conversation.path()]


async def open_latest() -> None:
    chat = app.library.latest()
    if chat:
        app.session.open(await app.library.open(chat.id))


async def open_chat(chat_id: str) -> float:
    """The time it took in ms, until everything that was asked for is on the page."""
    begin = time.perf_counter()
    app.session.open(await app.library.open(chat_id))
    return 1000 * (time.perf_counter() - begin)


async def search(query: str) -> list[str]:
    return [found.chat_id for found in app.library.search(query)]


async def listed() -> list[str]:
    return [chat.title for group in app.library.groups() for chat in group.chats]


async def settled() -> None:
    await app.library.keeper.settled()


async def _hear() -> None:
    async for value in bridge.stream("page.posts", {}):
        heard.append(value["value"])


async def _call(name: str, arguments: str) -> str:
    work: Callable[..., Awaitable[Any]] = globals()[name]
    return json.dumps(await work(**json.loads(arguments)))


async def _main() -> None:
    await app.library.start()
    tasks.append(asyncio.ensure_future(_hear()))
    window.python = create_proxy(_call)
    document.documentElement.dataset.candil = "python"


def _bridge() -> Bridge:
    from pyscript.js_modules import bridge as module

    return Bridge(module)


heard: list[Any] = []
tasks: list[Any] = []
bridge = _bridge()
engine = Answering(bridge, seed=lambda: 0)
page = BrowserPage(Language("en"))
setup = Setup(bridge, engine, Store(bridge), LocalIntent("candil.download"))
library = Library(bridge, new_id=new_id, now_ms=now_ms)
app = App(page, setup, Session(library.new(), library, new_id, now_ms, page.show_session), library)
tasks.append(asyncio.ensure_future(_main()))
