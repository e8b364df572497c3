"""The models page in its dialog: draws what has changed, and turns clicks into calls of ModelsPage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pyapp.browser.drawn import Drawn
from pyapp.browser.events import Action, Events
from pyapp.browser.page import by_id
from pyapp.device_page import DevicePage, ShownDevice
from pyapp.models_page import ModelsPage, Shown
from pyapp.setup.standing import Row
from pyapp.views import models as view
from pyapp.views.device import device as device_view
from pyapp.views.language import Language
from pyapp.views.storage import storage


class Section(Protocol):
    """A part of the dialog that sees to itself."""

    def connect(self, events: Events) -> None: ...

    def open(self) -> None:
        """Into the dialog, which has just been drawn."""
        ...


class ModelsDialog:
    """`sections` are opened with it. `language` is asked for then: a modal dialog does not outlive a change of it."""

    def __init__(
        self,
        page: ModelsPage,
        device: DevicePage,
        sections: list[Section],
        language: Callable[[], Language],
    ) -> None:
        self._page = page
        self._device = device
        self.sections = sections
        self._language = language
        self._drawn = Drawn("models")
        self._keys: tuple[str, ...] = ()
        page.on_change = self._show
        device.on_change = self._show_device

    def connect(self, events: Events) -> None:
        page = self._page
        events.add(
            {
                "open-models": self.open,
                "model-download": _of_row(page.download),
                "model-resume": _of_row(page.download),
                "model-repair": _of_row(page.download),
                "model-pause": _of_row(page.pause),
                "model-stop": _of_row(page.pause),
                "model-verify": _of_row(page.verify),
                "model-use": _of_row(page.use),
                "model-delete": _of_row(page.ask_to_delete),
                "model-keep": lambda _button: page.ask_to_delete(None),
                "model-confirm": _of_row(page.delete),
                "model-persist": lambda _button: page.persist(),
                "device-measure": lambda _button: self._device.measure(),
                "model-close": lambda _button: by_id("models").close(),
            }
        )
        for section in self.sections:
            section.connect(events)
        events.on(by_id("models"), "close", lambda _event: self._closed())

    def open(self, _button: Any) -> None:
        self._drawn.forget()
        self._keys = ()
        by_id("models").innerHTML = view.page(Shown(), self._language())
        by_id("models").showModal()
        self._page.open()
        self._device.open()
        for section in self.sections:
            section.open()

    def _closed(self) -> None:
        self._page.close()
        self._device.close()

    def _show_device(self, shown: ShownDevice) -> None:
        self._drawn.put('[data-part="device"]', device_view(shown, self._language()))

    def _show(self, shown: Shown) -> None:
        language, rows = self._language(), shown.rows or ()
        self._drawn.put('[data-part="storage"]', storage(shown, language))
        self._drawn.put('[data-part="notices"]', view.notices(shown, language))
        self._drawn.put('[data-part="done"]', view.done(shown, language))
        keys = tuple(row.key for row in rows)
        if keys != self._keys:
            self._keys = keys
            self._drawn.put('[data-part="models"]', view.models(rows, language))
        for row in rows:
            self._show_row(row, language)

    def _show_row(self, row: Row, language: Language) -> None:
        place = f'[data-key="{row.key}"]'
        progress = f'{place} [data-part="progress"]'
        if self._drawn.put(place, view.row(row, language)):
            self._drawn.forget(progress)
        self._drawn.put(progress, view.progress(row, language))


def _of_row(do: Callable[[str], None]) -> Action:
    """What a button does to the variant in whose row it is."""
    return lambda button: do(button.closest("[data-key]").dataset.key)
