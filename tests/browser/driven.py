"""The built site with a script of this folder in place of the application's start, and no model.

driver.py is every rendering of the page; scripted.py is all of the app, whose model says what is written there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page
from starlette.types import ASGIApp

from server import files
from server.app import create_app
from tests.browser.conftest import Site, wait_for
from tools.build.shell import START

DRIVER = Path(__file__).with_name("driver.py")
SCRIPTED = Path(__file__).with_name("scripted.py")


def driven(folder: Path, wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app, script: Path = DRIVER) -> Site:
    """`folder` as the server serves it, but for the start of Python."""
    index = (folder / "index.html").read_text("utf-8")
    assert START in index
    page = index.replace(START, script.read_text("utf-8")).encode()
    inner = create_app(files.Site((folder,), {"index.html": lambda: page}))
    return Site(folder, wrap=lambda _app: wrap(inner))


class Driven:
    """A page of a `driven` site. What runs in it goes through the protocol, which no CSP forbids."""

    def __init__(self, context: BrowserContext, url: str, init_script: str = "") -> None:
        self.page: Page = context.new_page()
        self.cdp: CDPSession = context.new_cdp_session(self.page)
        if init_script:
            self.page.add_init_script(init_script)
        self.page.goto(url)
        html = self.page.locator("html")
        wait_for(lambda: html.get_attribute("data-candil") == "python", "Python has arrived")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        answer = self.cdp.send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def drive(self, op: str, **arguments: Any) -> Any:
        """Does one of driver.OPS."""
        text = json.dumps(json.dumps(arguments))
        return json.loads(self.evaluate(f"Promise.resolve(drive({json.dumps(op)}, {text}))"))
