"""What opens over the chat: models, speeds, settings. It is imported when the chat is on the page already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from js import location, navigator

from pyapp.browser.cloud import CloudSection
from pyapp.browser.dialogs import Dialogs
from pyapp.browser.digit import DigitTest
from pyapp.browser.local import LocalIntent, new_id, now_ms
from pyapp.browser.models import ModelsDialog
from pyapp.browser.own_models import HeldFiles, OwnModelsSection
from pyapp.browser.servers import ServersSection
from pyapp.browser.speeds import SpeedsDialog
from pyapp.device_page import DevicePage
from pyapp.models.capabilities import Capabilities
from pyapp.models_page import ModelsPage
from pyapp.own_models import OwnModels
from pyapp.servers_page import ServersPage
from pyapp.your_data import YourData

if TYPE_CHECKING:
    from pyapp.browser.app import Candil
    from pyapp.views.language import Language

UNFINISHED_KEY = "candil.own_download"


class Panels:
    """Made once, and connected to the page's events."""

    def __init__(self, candil: Candil) -> None:
        self._candil = candil
        self.models = self._models()
        self.models.sections.append(self._own())
        self.speeds = SpeedsDialog(candil.app.speeds, self._language)
        self.dialogs = self._dialogs()
        for panel in (self.models, self.speeds, self.dialogs):
            panel.connect(candil.events)

    def _models(self) -> ModelsDialog:
        candil = self._candil
        setup, stop = candil.setup, candil.session.stop
        servers = ServersPage(candil.bridge, candil.servers, candil.app.use_model, location.origin)
        return ModelsDialog(
            ModelsPage(setup, candil.store, stop),
            DevicePage(setup, candil.engines, candil.app.speeds, now_ms, stop),
            [
                CloudSection(candil),
                ServersSection(servers, self._language),
                DigitTest(candil.bridge, self._capabilities, self._language),
            ],
            self._language,
        )

    def _own(self) -> OwnModelsSection:
        candil = self._candil
        files = HeldFiles(candil.bridge.module)
        unfinished = LocalIntent(UNFINISHED_KEY)
        own = OwnModels(candil.setup, candil.store, candil.session.stop, files.release, unfinished)
        return OwnModelsSection(own, files, self.models, candil.composer, self._language)

    def _dialogs(self) -> Dialogs:
        candil = self._candil
        data = YourData(candil.library, candil.preferences, candil.store, candil.bridge, candil.text, new_id, now_ms)
        apple = "Mac" in navigator.userAgent
        return Dialogs(candil.page, candil.session, candil.setup, candil.preferences, data, apple=apple)

    def _language(self) -> Language:
        return self._candil.page.language

    def _capabilities(self) -> Capabilities | None:
        catalog = self._candil.setup.catalog
        return catalog.capabilities if catalog else None
