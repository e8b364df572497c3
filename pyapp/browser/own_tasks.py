"""Tasks of the user's own on the page: picked, asked about, and what is shown of them below the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from pyapp.browser import files
from pyapp.browser.events import Events
from pyapp.browser.page import by_id
from pyapp.errors import CandilError
from pyapp.tasks.builtin import Tasks
from pyapp.tasks.plugins.own import OwnTasks
from pyapp.views import own_tasks as view
from pyapp.views.language import Language
from pyapp.views.task_blocks import Piece

if TYPE_CHECKING:
    from pyapp.browser.app import Candil


class OwnTasksSection:
    """`redraw` shows the list of tasks anew, if that is what is shown."""

    def __init__(self, candil: Candil, tasks: Tasks, redraw: Callable[[], None]) -> None:
        self.own = OwnTasks(candil.bridge, candil.library.database, tasks)
        self.own.on_change = redraw
        self._candil = candil
        self._redraw = redraw
        self._asking = ""
        self._starting: asyncio.Task[None] | None = None

    async def ready(self) -> None:
        """Those that are kept can be found."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self.own.start())
            self._candil.hold(self.own.follow())
        await asyncio.wait({self._starting})

    def piece(self, language: Language) -> Piece:
        return view.section(self.own.kept.values(), self.own.adding, self._asking, language)

    def connect(self, events: Events, root: Any) -> None:
        own = self.own
        events.add(
            {
                "own-task-pick": lambda _button: by_id("own-task-file").click(),
                "own-task-add": lambda _button: self._do(own.add()),
                "own-task-give-up": lambda _button: own.give_up(),
                "own-task-save": lambda button: self._do(self._save(str(button.dataset.id))),
                "own-task-remove": lambda button: self._do(own.remove(str(button.dataset.id))),
                "own-task-ask": lambda button: self._ask(str(button.dataset.id)),
                "own-task-cancel": lambda _button: self._ask(""),
                "own-task-allow": lambda button: self._allow(str(button.dataset.id), True),
                "own-task-forbid": lambda button: self._allow(str(button.dataset.id), False),
            }
        )
        events.on(root, "change", self._picked)

    def _picked(self, event: Any) -> None:
        if event.target.id == "own-task-file" and event.target.files.length:
            self._do(self._look(event.target.files.item(0)))
            event.target.value = ""  # the same file again is another pick

    async def _look(self, file: Any) -> None:
        await self.own.look(str(file.name), bytes((await file.arrayBuffer()).to_bytes()))

    async def _save(self, name: str) -> None:
        file = await self.own.file(name)
        files.save(file.name, "application/octet-stream", file.data)

    def _ask(self, name: str) -> None:
        self._asking = name
        self._redraw()

    def _allow(self, name: str, online: bool) -> None:
        self._asking = ""
        self._do(self.own.allow(name, online))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._candil.hold(self._told(work))

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except CandilError as error:
            self._candil.page.show_notice(error)
