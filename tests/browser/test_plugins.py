"""Tasks of the user's own in the real browser: what they may do, and that they cannot do the rest."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from starlette.types import ASGIApp, Receive, Scope, Send

from pyapp.errors import CandilError, PluginFailed, PluginHung, PluginOffline, PluginRefused
from pyapp.tasks.plugins.guest import Guest, PluginFile
from pyapp.tasks.plugins.task import PluginTask
from pyapp.views.language import Language
from tests.browser.aside import wait
from tests.browser.conftest import ROOT, Candil, Site, show_list, wait_for
from tests.browser.page_transport import PageTransport, page_transport
from tests.browser.test_accessibility import LOOKS, audit, big_enough
from tests.unit.tasks.plugins.worker import given
from tests.unit.tasks.scripted import ScriptedWork

EXAMPLE = (ROOT / "examples" / "flash_cards.py").read_text("utf-8")
NOTES = {"notes": "The sea is salt.\n\nThe moon is far."}


class Secrets:
    """Answers everything, and keeps the addresses that have "secret" in them: what a task sends away."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sent: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope.get("path", "") + "?" + scope.get("query_string", b"").decode()
        if "secret" in address:
            self.sent.append(f"{scope['type']} {address}")
        await self.app(scope, receive, send)


@pytest.fixture
def watched(site_folder: Path) -> Iterator[tuple[Site, Secrets]]:
    found: list[Secrets] = []
    site = Site(site_folder, wrap=lambda app: found.append(Secrets(app)) or found[-1]).start()  # type: ignore[func-returns-value]
    yield site, found[0]
    site.stop()


def own(body: str) -> PluginFile:
    """The example with another `run`."""
    at, end = EXAMPLE.index("        cards, notes ="), EXAMPLE.index("    async def act(")
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return PluginFile("mine.py", (EXAMPLE[:at] + lines + "\n" + EXAMPLE[end:]).encode())


@asynccontextmanager
async def installed(transport: PageTransport, file: PluginFile) -> AsyncIterator[PluginTask]:
    guest = Guest(transport, given(file))
    try:
        yield PluginTask(await guest.describe(), guest)
    finally:
        await guest.end()


async def ran(task: PluginTask, **script: Any) -> list[Any] | CandilError:
    """The states of a run, or what ended it."""
    try:
        return [step.state async for step in task.run(NOTES, None, ScriptedWork(**script))]
    except CandilError as error:
        return error


def test_the_example_runs_and_speaks_the_pages_language(watched: tuple[Site, Secrets]) -> None:
    async def scenario() -> None:
        file = PluginFile("flash_cards.py", EXAMPLE.encode())
        async with page_transport(watched[0].url) as (_, transport), installed(transport, file) as task:
            await task.check(NOTES)
            card = {"question": "What is salt?", "answer": "The sea."}
            states = await ran(task, json=lambda _: card)
            assert states == [[], [card], [card, card]]
            file_made = await task.export(NOTES, [card], "csv", Language("es"))
            assert file_made.data == b"What is salt?,The sea.\r\n"

    wait(scenario())
    assert watched[0].violations == []


def test_what_a_task_does_wrong_is_told_and_the_page_goes_on(watched: tuple[Site, Secrets]) -> None:
    site, secrets = watched
    raising = "yield Step([1], 0.5)\nraise ValueError('no such card')"
    looping = "yield Step([1], 0.5)\nwhile True:\n    pass"
    hungry = "yield Step(len([0] * 10**9), 1)"
    asking = f"from pyodide.http import pyfetch\nawait pyfetch('{site.url}?secret')\nyield Step([1], 1)"
    wanted = [
        (raising, PluginFailed, "ValueError: no such card"),
        (hungry, PluginFailed, "MemoryError"),
        (asking, PluginOffline, "NetworkRefused"),
        (looping, PluginHung, ""),
    ]

    async def scenario() -> None:
        async with page_transport(site.url) as (page, transport):
            for body, kind, words in wanted:
                async with installed(transport, own(body)) as task:
                    running = asyncio.ensure_future(ran(task))
                    while not running.done():  # the page answers all the while
                        assert await asyncio.wait_for(page.evaluate("1 + 1"), 3) == 2
                        await asyncio.sleep(0.1)
                    error = running.result()
                    assert isinstance(error, kind), error
                    assert words in str(error.details.get("error", ""))
                    if body == raising:
                        lines = own(body).data.decode().splitlines()
                        assert error.details["at"] == f"mine.py:{lines.index('        ' + body.splitlines()[1]) + 1}"
                    title = await task.title(NOTES, None)  # it can be asked again, in a new worker if need be
                    assert title == "The sea is salt."
            assert await page.locator("iframe").count() == 0

    wait(scenario())
    assert secrets.sent == []


# What only the frame's policy and origin stand against: none of it meets what worker.js takes away.
HOSTILE = """
onmessage = async ({ data: { port, files } }) => {
  const home = new TextDecoder().decode(files.home);
  const told = {};
  const attempt = async (name, what) => {
    try { await what(); told[name] = "done"; } catch (error) { told[name] = "refused"; }
  };
  const heard = (target, yes) => new Promise((resolve, reject) => { target[yes] = resolve; target.onerror = reject; });
  const script = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  await attempt("fetch", () => fetch(home + "?secret=fetch"));
  await attempt("no-cors", () => fetch(home + "?secret=no-cors", { mode: "no-cors" }));
  const request = new XMLHttpRequest();
  request.open("GET", home + "?secret=xhr");
  await attempt("xhr", () => { request.send(); return heard(request, "onload"); });
  await attempt("websocket", () => heard(new WebSocket(home.replace("http", "ws") + "?secret=ws"), "onopen"));
  await attempt("eventsource", () => heard(new EventSource(home + "?secret=es"), "onopen"));
  await attempt("import", () => import(home + "?secret=import"));
  await attempt("importScripts", () => importScripts(home + "?secret=importScripts"));
  await attempt("worker", () => heard(new Worker(home + "?secret=worker"), "onmessage"));
  await attempt("nested fetch", async () => {
    const call = `fetch("${home}?secret=nested")`;
    const nested = new Worker(script(`${call}.then(() => postMessage(1), () => postMessage(0))`));
    if (!(await heard(nested, "onmessage")).data) throw 0;
  });
  const data = `data:text/javascript,fetch("${home}?secret=data");postMessage(1)`;
  await attempt("data worker", () => heard(new Worker(data), "onmessage"));
  await attempt("eval", () => (0, eval)("1"));
  await attempt("indexedDB", () => heard(indexedDB.open("candil"), "onsuccess"));
  await attempt("opfs", () => navigator.storage.getDirectory());
  await attempt("caches", () => caches.keys());
  await attempt("locks", () => navigator.locks.query());
  await attempt("broadcast", () => { new BroadcastChannel("candil").postMessage("secret"); throw 0; });
  port.postMessage(told);
};
"""
OPEN_FRAME = """
([document_, source]) => new Promise((resolve) => {
  window.overheard = [];
  new BroadcastChannel("candil").onmessage = ({ data }) => window.overheard.push(data);
  const frame = document.createElement("iframe");
  frame.sandbox.add("allow-scripts");
  frame.src = document_;
  frame.onload = () => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => { frame.remove(); resolve([data, window.overheard]); };
    const home = new TextEncoder().encode(location.origin + "/").buffer;
    frame.contentWindow.postMessage({ source, port: port2, files: { home } }, "*", [port2, home]);
  };
  document.body.append(frame);
})
"""


def test_the_frame_is_a_wall_by_itself(watched: tuple[Site, Secrets]) -> None:
    site, secrets = watched

    async def scenario() -> Any:
        async with page_transport(site.url) as (page, _):
            return await page.evaluate(OPEN_FRAME, ["/plugins/alone.html", HOSTILE])

    told, overheard = wait(scenario())
    assert set(told.values()) == {"refused"}, json.dumps(told)
    assert overheard == []
    assert secrets.sent == []


@pytest.mark.real_model
def test_the_example_is_added_makes_cards_with_the_real_model_and_is_there_after_a_reload(resident: Candil) -> None:
    page = resident.page
    page.get_by_role("button", name="Tasks", exact=True).click()
    page.get_by_role("button", name="Add a task of your own").wait_for()
    page.set_input_files("#own-task-file", ROOT / "examples" / "flash_cards.py")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Flash cards A question").click()
    page.get_by_role("textbox", name="Notes").fill("The sea is salt.")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Save for Anki").wait_for(timeout=120_000)
    state = page.locator(".run-state")
    wait_for(lambda: state.get_attribute("data-status") == "done", "the run is done", 120)
    assert page.locator(".result summary").inner_text().strip()
    page.reload()
    page.get_by_role("button", name="Save for Anki").wait_for()
    assert page.locator(".result details").count() == 1  # drawn by the task, in a worker of its own
    page.get_by_role("button", name="All tasks").click()
    page.get_by_role("button", name="Remove “Flash cards”").click()
    page.get_by_role("button", name="Flash cards A question").wait_for(state="detached")
    assert page.locator(".run").count() == 1  # what it made stays


def test_it_is_fit_for_everybody(chromium: Browser, scripted_site: Site) -> None:
    """In Spanish, whose sentences are longer."""
    context = chromium.new_context(locale="es-ES", reduced_motion="reduce")
    page = Candil(context.new_page()).open(scripted_site.url).wait_until_ready().page
    show_list(page).locator("#open-tasks").click()
    section = page.locator(".own-tasks")
    damaged: Any = {"name": "mine.py", "mimeType": "text/x-python", "buffer": b"TASK ="}
    steps: list[tuple[Callable[[], None], str]] = [
        (lambda: page.set_input_files("#own-task-file", damaged), "[role=alert]"),
        (lambda: page.set_input_files("#own-task-file", ROOT / "examples" / "flash_cards.py"), ".own-what"),
        (section.locator('[data-action="own-task-add"]').click, '[data-action="own-task-ask"]'),
        (section.locator('[data-action="own-task-ask"]').click, '[data-action="own-task-allow"]'),
        (section.locator('[data-action="own-task-allow"]').click, '[data-action="own-task-forbid"]'),
    ]
    for act, seen in steps:
        act()
        section.locator(seen).wait_for()
        for scheme, viewport in LOOKS:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            audit(page, f"{seen} {scheme} {viewport['width']}")
            assert page.locator("html").evaluate("e => e.scrollWidth <= e.clientWidth"), seen
            big_enough(section.get_by_role("button"))
    context.close()


def wheel(needs: str = "") -> bytes:
    """The example as a module of a package, named by an entry point."""
    made, about = io.BytesIO(), "cards-1.0.dist-info/"
    with zipfile.ZipFile(made, "w") as files:
        files.writestr("cards/__init__.py", "")
        files.writestr("cards/flash.py", EXAMPLE)
        files.writestr(about + "METADATA", f"Metadata-Version: 2.1\nName: cards\nVersion: 1.0\n{needs}")
        files.writestr(about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files.writestr(about + "entry_points.txt", "[candil.tasks]\ntask = cards.flash:TASK\n")
        files.writestr(about + "RECORD", "")
    return made.getvalue()


def test_a_wheel_is_installed_from_its_file_and_nothing_is_fetched_for_it(watched: tuple[Site, Secrets]) -> None:
    async def scenario() -> None:
        async with page_transport(watched[0].url) as (_, transport):
            name = "cards-1.0-py3-none-any.whl"
            async with installed(transport, PluginFile(name, wheel())) as task:
                error = await ran(task, json=lambda _: "no card")
                assert isinstance(error, list)
                with pytest.raises(PluginFailed) as raised:
                    await task.view(NOTES, ["no card"], Language("en"))
                assert str(raised.value.details["at"]).startswith("flash.py:")
            with pytest.raises(PluginRefused) as refused:
                await Guest(transport, given(PluginFile(name, wheel("Requires-Dist: not-here\n")))).describe()
            assert refused.value.details == {"why": "wheel_needs", "what": "not-here"}

    wait(scenario())
    assert watched[0].violations == []


class Weather(BaseHTTPRequestHandler):
    """A server somewhere else that lets every page read its answers."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(b"rain")

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_a_network_that_was_granted_is_the_network_and_no_storage(watched: tuple[Site, Secrets]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asking = (
        f"from pyodide.http import pyfetch\nanswer = await pyfetch('http://127.0.0.1:{server.server_port}/')\n"
        "yield Step(await answer.text(), 0.5)\nimport js\nawait js.caches.keys()"
    )

    async def scenario() -> Any:
        async with page_transport(watched[0].url) as (_, transport):
            file = PluginFile("mine.py", own(asking).data, online=True)
            async with installed(transport, file) as task:
                steps = task.run(NOTES, None, ScriptedWork())
                said = (await anext(steps)).state
                with pytest.raises(PluginFailed):
                    await anext(steps)
                return said

    try:
        assert wait(scenario()) == "rain"
    finally:
        server.shutdown()
        server.server_close()
