"""Files of the user's own on the page: picked, dropped or named by an address; and what is shown of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from js import document
from pyodide.ffi import JsException

from pyapp.browser.composer import Composer
from pyapp.browser.drawn import Drawn
from pyapp.browser.events import Events
from pyapp.browser.models import ModelsDialog
from pyapp.browser.page import by_id
from pyapp.errors import FileUnreadable
from pyapp.own_models import ENDING, Fetching, Keeping, OwnModels, ShownOwn, is_model
from pyapp.views import own_models as view
from pyapp.views.language import Language

PROGRESS = '[data-part="own-progress"]'


class HeldFile:
    """pyapp.own_models.PickedFile: a File, which the bridge holds under `id`."""

    def __init__(self, id: str, file: Any) -> None:
        self.id = id
        self.name = str(file.name)
        self.size = int(file.size)
        self._file = file

    async def read(self, offset: int, length: int) -> bytes:
        try:
            return bytes((await self._file.slice(offset, offset + length).arrayBuffer()).to_bytes())
        except JsException as error:
            raise FileUnreadable(str(error)) from error


class HeldFiles:
    """Those the user gave, by the names the engines and the store know them by."""

    def __init__(self, bridge_module: Any) -> None:
        self._bridge = bridge_module
        self._numbers = itertools.count(1)

    def hold(self, file: Any) -> HeldFile:
        held = HeldFile(f"picked-{next(self._numbers)}", file)
        self._bridge.hold(held.id, file)
        return held

    def release(self, ids: Sequence[str]) -> None:
        for each in ids:
            self._bridge.release(each)


class OwnModelsSection:
    """Its section of the models dialog, and what is dropped anywhere on the page."""

    def __init__(
        self,
        own: OwnModels,
        files: HeldFiles,
        dialog: ModelsDialog,
        composer: Composer,
        language: Callable[[], Language],
    ) -> None:
        self._own = own
        self._files = files
        self._dialog = dialog
        self._composer = composer
        self._language = language
        self._drawn = Drawn("models")
        self._picker = document.createElement("input")
        self._picker.type = "file"
        self._picker.accept = ENDING
        self._picker.multiple = True
        own.on_change = self._show
        own.on_used = self._used

    def connect(self, events: Events) -> None:
        own = self._own
        events.add(
            {
                "own-pick": lambda _button: self._picker.click(),
                "own-use": lambda _button: own.use(),
                "own-keep": lambda _button: own.keep(),
                "own-download": lambda _button: own.download(),
                "own-cancel": lambda _button: own.cancel(),
            }
        )
        events.on(self._picker, "change", self._picked)
        events.on(document, "submit", self._submitted)
        events.on(document, "dragover", self._dragged)
        events.on(document, "drop", self._dropped)

    def open(self) -> None:
        """Into the dialog, which has just been drawn."""
        self._drawn.forget()
        self._show(self._own.shown())

    # ---- what the user gives ----

    def _picked(self, _event: Any) -> None:
        files = list(self._picker.files)
        self._picker.value = ""
        if files:
            self._give(files)

    def _submitted(self, event: Any) -> None:
        if event.target.closest(".own-address"):
            event.preventDefault()
            self._own.give_address(str(by_id("own-address").value))

    def _dragged(self, event: Any) -> None:
        if "Files" in list(event.dataTransfer.types):
            event.preventDefault()  # else the browser would leave the page for the file

    def _dropped(self, event: Any) -> None:
        files = list(event.dataTransfer.files)
        if not files:
            return  # a text: the browser puts it where it falls
        event.preventDefault()
        models = [file for file in files if is_model(file.name)]
        if models:
            self._give(models)
        if texts := [file for file in files if not is_model(file.name)]:
            self._composer.attach(texts)

    def _give(self, files: list[Any]) -> None:
        open_ = document.querySelector("dialog[open]:not(#models)")
        if open_:
            open_.close()
        if not by_id("models").open:
            self._dialog.open(None)
        self._own.give([self._files.hold(file) for file in files])
        by_id("own").scrollIntoView()

    # ---- what is shown ----

    def _used(self) -> None:
        """The chat is where it goes on."""
        by_id("models").close()
        by_id("message").focus()

    def _show(self, shown: ShownOwn) -> None:
        if self._drawn.put("#own", view.own_models(shown, self._language())):
            self._drawn.forget(PROGRESS)
            by_id("own-news").textContent = view.news(shown, self._language())
        if isinstance(shown.state, Keeping | Fetching):
            self._drawn.put(PROGRESS, view.progress(shown, self._language()))
