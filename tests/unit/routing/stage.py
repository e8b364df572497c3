"""A whole app with everybody there: the browser's own model, a downloaded one, a server of ours, the cloud."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from pyapp.app import App
from pyapp.chat.drafts import Draft
from pyapp.chat.library import Library
from pyapp.chat.session import Session
from pyapp.chat.tree import Entry
from pyapp.models.manifest import Company, ModelSpec, ServerSource
from pyapp.openai.models import ServedModel
from pyapp.preferences import Preferences
from pyapp.routing.router import Question, Router
from pyapp.routing.rules import Rules
from pyapp.servers.address import parse
from pyapp.servers.served import described
from pyapp.setup.catalog import pick_key
from pyapp.setup.setup import Setup
from tests.unit.chat.scripted import ScriptedEngine
from tests.unit.chat.tabs import Browser, PageWithTab
from tests.unit.run import run
from tests.unit.scripted_page import ScriptedPage
from tests.unit.setup.scripted import DEVICE, WASM, MemoryIntent, ScriptedStore, catalog, transport

_TINY: dict[str, Any] = {**catalog()["models"][0], "context_tokens": 2048}
OWN: dict[str, Any] = {
    **_TINY,
    "id": "own",
    "title": "Nano",
    "source": {"kind": "browser"},
    "variants": [{"name": "browser", "engine": "builtin_ai", "device": "browser", "dtype": "own"}],
}
NANO, TINY = "own/browser", "tiny/wasm"
LLAMA_SPEC, LLAMA_VARIANT = described(parse("localhost:8080"), ServedModel("llama", 8000))
FAR_SPEC, FAR_VARIANT = described(parse("https://models.test"), ServedModel("far", 8000))
_SPEC, ACME_VARIANT = described(parse("https://candil.test"), ServedModel("auto", 50_000))
ACME_SOURCE = ServerSource("https://candil.test/v1", "auto", (Company("acme", "Acme AI"),))
ACME_SPEC = replace(_SPEC, title="Acme AI", source=ACME_SOURCE)
LLAMA, FAR = pick_key(LLAMA_SPEC, LLAMA_VARIANT), pick_key(FAR_SPEC, FAR_VARIANT)
ACME = pick_key(ACME_SPEC, ACME_VARIANT)


def manifest() -> dict[str, Any]:
    return {**catalog(), "models": [OWN, _TINY]}


@dataclass
class Stage:
    """`asked` are the questions there were, and None whenever one was over."""

    rules: Rules = field(default_factory=Rules)
    builtin_ai: str = "available"
    served: Sequence[ModelSpec] = (LLAMA_SPEC, ACME_SPEC)
    installed: bool = True
    chosen: str | None = None
    engine: ScriptedEngine = field(default_factory=ScriptedEngine)
    browser: Browser = field(default_factory=Browser)
    asked: list[Question | None] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        device = {**DEVICE, "builtin_ai": self.builtin_ai}
        page = transport(page_device=lambda _: [device], page_read=lambda _: [{"body": json.dumps(manifest())}])
        page.answers.update(self.answers)
        tab = PageWithTab(self.browser.tab(), page)
        self.page = ScriptedPage()
        self.store = ScriptedStore(here=[WASM] if self.installed else [])
        self.setup = Setup(
            tab, self.engine, self.store, MemoryIntent(), chosen=MemoryIntent(self.chosen), served=self._served
        )
        ids = count()
        library = Library(tab, new_id=lambda: f"{next(ids)}", now_ms=lambda: next(ids))
        session = Session(library.new(), library, lambda: f"{next(ids)}", lambda: next(ids), lambda _: None)
        self.app = App(self.page, self.setup, session, library)
        self.preferences = Preferences(library, session, lambda key: key, lambda: f"{next(ids)}")
        self.preferences.rules = self.rules
        self.router = Router(
            self.setup,
            self.engine,
            self.app.speeds,
            lambda: self.preferences.rules,
            self.preferences.save_rules,
        )
        self.router.on_question = self.asked.append
        self.router.idle = self.app.idle
        self.app.router = self.router

    async def _served(self) -> tuple[ModelSpec, ...]:
        return tuple(self.served)

    def say(self, text: str) -> None:
        self.page.composer = Draft(text)
        self.app.send()

    def entries(self) -> list[Entry]:
        return list(self.app.session.conversation.path())

    def loaded(self) -> str:
        keys = (NANO, TINY, LLAMA, FAR, ACME)
        return next((key for key in keys if self.setup.answers_with(key)), "")


Story = Callable[[Stage], Awaitable[None]]


def play(stage: Stage, story: Story) -> None:
    async def whole() -> None:
        await stage.setup.begin()
        await story(stage)

    run(whole())
