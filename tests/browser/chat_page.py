"""A page with all of the app but a model, driven from a test: tests/browser/chat_driver.py runs in it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from server import files
from server.app import create_app
from tests.browser.conftest import Site, wait_for
from tools.build.shell import START

DRIVER = Path(__file__).with_name("chat_driver.py")


@contextlib.contextmanager
def driven_site(folder: Path) -> Iterator[Site]:
    """`folder` as the server serves it, the driver in the place of the app's start."""
    index = (folder / "index.html").read_text("utf-8")
    assert START in index
    generated = {"index.html": lambda: index.replace(START, DRIVER.read_text("utf-8")).encode()}
    app = create_app(files.Site((folder,), generated))
    site = Site(folder, wrap=lambda _app: app).start()
    try:
        yield site
    finally:
        site.stop()


@dataclass
class ChatPage:
    page: Page
    cdp: CDPSession

    @classmethod
    def open(cls, context: BrowserContext, url: str, *, wait: bool = True) -> ChatPage:
        page = context.new_page()
        opened = cls(page, context.new_cdp_session(page))
        page.goto(url)
        if wait:
            opened.wait_for_python()
        return opened

    def wait_for_python(self) -> None:
        wait_for(lambda: self.page.locator("html").get_attribute("data-candil") == "python", "Python has arrived")

    def javascript(self, expression: str) -> Any:
        """The value of an expression; of a promise, what it comes to."""
        answer = self.cdp.send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def python(self, name: str, /, **arguments: Any) -> Any:
        """Calls a function of the driver."""
        call = f"python({json.dumps(name)}, {json.dumps(json.dumps(arguments))})"
        return json.loads(self.javascript(f"(async () => await {call})()"))


def kill_renderers(browser: Browser) -> None:
    """As the system does when memory is short: nothing of a page runs any more, and none is told."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    for process in processes:
        if process["type"] == "renderer":
            os.kill(process["id"], signal.SIGKILL)
