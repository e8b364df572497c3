"""The real store worker on real OPFS in Chromium, driven by the real downloader; the hub misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, CDPSession, Page, async_playwright

from pyapp.errors import (
    AccessDenied,
    DownloadError,
    EngineBusy,
    EngineFailed,
    FileChanged,
    FileMissing,
    HashMismatch,
    NetworkFailed,
    QuotaExceeded,
    ServerBusy,
    ServerRefused,
    StorageFailed,
    TransferTruncated,
    WrongContent,
)
from pyapp.models.download import DownloadProgress
from pyapp.models.manifest import ManifestFile, ModelSpec, Variant
from pyapp.models.policy import Policy
from pyapp.models.store import Store
from tests import hub as hubs
from tests.browser.aside import aside, entered, wait
from tests.browser.remote_transport import RemoteTransport
from tests.hub import Fault, Hub
from tests.unit.models.made import model, variant

MIB = 1 << 20
CHUNK = MIB
POLICY = Policy(
    chunk_bytes=CHUNK, attempts=4, first_delay_s=0.05, longest_delay_s=0.2, idle_timeout_ms=10_000, report_every_s=0.02
)
CONTENT = random.Random(1).randbytes(8 * MIB + 321)
LARGE = random.Random(2).randbytes(40 * MIB)


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[BrowserContext]:
    """With a profile on disk: a private context keeps OPFS in memory."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield context
        await context.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with entered(chromium(tmp_path_factory.mktemp("profile"))) as context:
        yield context


@pytest.fixture
def hub() -> Iterator[Hub]:
    """On a port of its own, so on an origin of its own, with an empty store."""
    yield from hubs.running()


@dataclass
class Tab:
    page: Page
    transport: RemoteTransport
    store: Store


@pytest.fixture
def tabs(browser: BrowserContext, hub: Hub) -> Iterator[list[Tab]]:
    """Closed after the test, so that one test's worker does not disturb another's timing."""
    opened: list[Tab] = []
    yield opened
    for tab in opened:
        wait(tab.page.close())


@pytest.fixture
def tab(browser: BrowserContext, hub: Hub, tabs: list[Tab]) -> Tab:
    return wait(open_tab(browser, hub, tabs))


async def open_tab(
    browser: BrowserContext, hub: Hub, tabs: list[Tab], script: str = "/store/store.js", policy: Policy = POLICY
) -> Tab:
    page = await browser.new_page()
    await page.goto(hub.origin)
    transport = await RemoteTransport.start(page, script)
    tabs.append(Tab(page, transport, Store(transport, policy=policy)))
    return tabs[-1]


def made(*files: ManifestFile) -> tuple[ModelSpec, Variant]:
    chosen = variant(*files)
    return model(chosen), chosen


async def download(tab: Tab, *files: ManifestFile) -> list[DownloadProgress]:
    return [step async for step in tab.store.download(*made(*files))]


async def download_until(tab: Tab, file: ManifestFile, size: int, then: Callable[[], Awaitable[None]]) -> None:
    """Something happens after `size` bytes; the download goes on as far as it can."""
    async for step in tab.store.download(*made(file)):
        if step.received_bytes > size:
            await then()


async def assert_installed(tab: Tab, *files: ManifestFile) -> None:
    """By the browser's own eyes: the blobs are there, and their bytes have the promised hashes."""
    assert await tab.store.installed() == [made(*files)]
    async for step in tab.store.verify(variant(*files)):
        assert step.checked_bytes <= step.total_bytes


def overlap(hub: Hub) -> int:
    """Bytes asked for beyond the files' own."""
    return sum(asked.bytes for asked in hub.asked) - sum(map(len, hub.files.values()))


@aside
async def test_a_download_is_whole_checked_and_kept(
    tab: Tab, hub: Hub, browser: BrowserContext, tabs: list[Tab]
) -> None:
    files = hub.put("onnx/model.onnx", CONTENT), hub.put("tokenizer.json", b"{}")
    steps = await download(tab, *files)
    received = [step.received_bytes for step in steps]
    assert received == sorted(received)
    assert received[-1] == steps[-1].total_bytes == len(CONTENT) + 2
    assert overlap(hub) == 0
    await assert_installed(tab, *files)
    other = await open_tab(browser, hub, tabs)
    await assert_installed(other, *files)


@aside
async def test_four_ranges_come_at_once_and_say_nothing_of_the_user(tab: Tab, hub: Hub) -> None:
    hub.bytes_per_s = 8 * MIB
    file = hub.put("model.onnx", CONTENT)
    await download(tab, file)
    assert hub.most_active == POLICY.connections
    for asked in hub.asked:
        assert asked.headers["accept-encoding"] == "identity"
        assert asked.headers["cache-control"] == "no-cache"
        assert not {"cookie", "referer", "authorization"} & asked.headers.keys()
    assert [asked.headers.get("if-range") for asked in hub.asked][-1] == hub.etags["model.onnx"]


@aside
async def test_a_flipped_bit_is_found_and_only_that_file_is_fetched_again(tab: Tab, hub: Hub) -> None:
    good, bad = hub.put("good.bin", CONTENT[:MIB]), hub.put("bad.bin", CONTENT)
    hub.faults["bad.bin"] = [hubs.well, hubs.flipped(1000)]
    with pytest.raises(HashMismatch) as caught:
        await download(tab, good, bad)
    assert caught.value.details == {"path": "bad.bin"}
    assert await tab.store.installed() == []
    hub.asked.clear()
    await download(tab, good, bad)
    assert {asked.path for asked in hub.asked} == {"bad.bin"}
    await assert_installed(tab, good, bad)


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([hubs.truncated(300_000)], id="short body"),
        pytest.param([hubs.cut(300_000)] * 3, id="connection cut"),
        pytest.param([hubs.status(429, Retry_After="0"), hubs.status(503)], id="busy"),
    ],
)
@aside
async def test_what_another_try_mends_is_mended(tab: Tab, hub: Hub, faults: list[Fault]) -> None:
    file = hub.put("model.onnx", CONTENT)
    hub.faults["model.onnx"] = faults
    steps = await download(tab, file)
    assert any(step.retrying for step in steps)
    received = [step.received_bytes for step in steps]
    assert received == sorted(received)
    await assert_installed(tab, file)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (hubs.web_page, WrongContent),
        (hubs.status(404), FileMissing),
        (hubs.status(410), FileMissing),
        (hubs.status(401), AccessDenied),
        (hubs.status(403), AccessDenied),
        (hubs.status(418), ServerRefused),
        (hubs.status(416), WrongContent),
        (hubs.status(412), FileChanged),
        (hubs.status(500), ServerBusy),
        (hubs.truncated(0), TransferTruncated),
        (hubs.cut(0), NetworkFailed),
    ],
)
@aside
async def test_each_failure_has_its_own_error(tab: Tab, hub: Hub, fault: Fault, error: type[DownloadError]) -> None:
    file = hub.put("model.onnx", CONTENT[: 3 * MIB])
    hub.always["model.onnx"] = fault
    with pytest.raises(error) as caught:
        await download(tab, file)
    assert type(caught.value) is error
    assert caught.value.details["path"] == "model.onnx"
    assert await tab.store.installed() == []
    hub.always.clear()
    await download(tab, file)
    await assert_installed(tab, file)


@aside
async def test_retry_after_is_kept_to(tab: Tab, hub: Hub) -> None:
    file = hub.put("model.onnx", CONTENT[:1000])
    hub.faults["model.onnx"] = [hubs.status(429, Retry_After="1")]
    await download(tab, file)
    first, second = hub.asked
    assert second.at_s - first.at_s >= 1
    await assert_installed(tab, file)


@aside
async def test_a_length_other_than_the_catalogs_is_wrong_content(tab: Tab, hub: Hub) -> None:
    file = hub.put("model.onnx", CONTENT[:5000])
    hub.files["model.onnx"] = CONTENT[:5001]
    with pytest.raises(WrongContent):
        await download(tab, file)
    hub.ranges = False
    with pytest.raises(WrongContent):
        await download(tab, file)


@aside
async def test_silence_ends(browser: BrowserContext, hub: Hub, tabs: list[Tab]) -> None:
    tab = await open_tab(browser, hub, tabs, policy=replace(POLICY, idle_timeout_ms=300, attempts=2))
    file = hub.put("model.onnx", CONTENT)
    hub.always["model.onnx"] = hubs.stalled(0)
    with pytest.raises(NetworkFailed, match="nothing came"):
        await download(tab, file)
    hub.always.clear()
    hub.faults["model.onnx"] = [hubs.stalled(500_000)]
    await download(tab, file)
    await assert_installed(tab, file)


@aside
async def test_the_server_goes_away_and_comes_back(tab: Tab, hub: Hub) -> None:
    file = hub.put("model.onnx", CONTENT)
    hub.bytes_per_s = 4 * MIB
    with pytest.raises(NetworkFailed):
        await download_until(tab, file, 3 * MIB, lambda: asyncio.to_thread(hub.stop))
    kept = await tab.store.received_bytes(variant(file))
    assert kept > 0
    hub.start()
    steps = await download(tab, file)
    assert steps[0].received_bytes == kept
    await assert_installed(tab, file)


@aside
async def test_a_server_without_ranges(tab: Tab, hub: Hub) -> None:
    hub.ranges = False
    file = hub.put("model.onnx", CONTENT)
    await download(tab, file)
    await assert_installed(tab, file)


@aside
async def test_the_file_changes_in_the_middle(tab: Tab, hub: Hub) -> None:
    """The catalog has the new one; the first chunks come from a cache that has the old one."""
    file = hub.put("model.onnx", CONTENT)
    hub.files["model.onnx"], hub.etags["model.onnx"] = bytes(len(CONTENT)), '"old"'

    def swap(asked: hubs.Asked) -> None:
        if len(hub.asked) == 7:
            hub.put("model.onnx", CONTENT)

    hub.before = swap
    await download(tab, file)
    assert overlap(hub) > 4 * MIB
    await assert_installed(tab, file)


@aside
async def test_a_hub_elsewhere_that_redirects(tab: Tab, hub: Hub) -> None:
    elsewhere = Hub()
    elsewhere.start()
    try:
        file = elsewhere.put("cdn/model.onnx", CONTENT)
        elsewhere.redirects["resolve/model.onnx"] = "/model/cdn/model.onnx"
        elsewhere.faults["cdn/model.onnx"] = [hubs.cut(300_000)]
        file = replace(file, url=f"{elsewhere.origin}/model/resolve/model.onnx")
        await download(tab, file)
        await assert_installed(tab, file)
        assert not [asked for asked in elsewhere.asked if "if-range" in asked.headers]
        assert not hub.asked
    finally:
        elsewhere.stop()


@aside
async def test_a_full_quota_shows_before_the_first_byte(tab: Tab, hub: Hub) -> None:
    file = hub.put("model.onnx", CONTENT)
    session = await quota(tab, hub, 2 * MIB)
    with pytest.raises(QuotaExceeded) as caught:
        await download(tab, file)
    assert caught.value.details["bytes_needed"] == len(CONTENT)
    assert not hub.asked
    assert (await tab.store.usage()).unfinished_bytes == 0
    await session.send("Storage.overrideQuotaForOrigin", {"origin": hub.origin})
    await download(tab, file)
    await assert_installed(tab, file)


async def quota(tab: Tab, hub: Hub, size: int) -> CDPSession:
    session = await tab.page.context.new_cdp_session(tab.page)
    await session.send("Storage.overrideQuotaForOrigin", {"origin": hub.origin, "quotaSize": size})
    return session


@aside
async def test_a_killed_renderer_costs_at_most_a_chunk_per_connection(hub: Hub, tmp_path: Path) -> None:
    file = hub.put("model.onnx", LARGE)
    hub.bytes_per_s = 16 * MIB
    async with chromium(tmp_path) as own:
        tab = await open_tab(own, hub, [])
        with pytest.raises(EngineFailed):
            await download_until(tab, file, len(LARGE) // 2, lambda: kill_renderers(own))
        again = await open_tab(own, hub, [])
        kept = await again.store.received_bytes(variant(file))
        assert kept > len(LARGE) // 2 - POLICY.connections * CHUNK
        steps = await download(again, file)
        assert steps[0].received_bytes == kept
        await assert_installed(again, file)
    assert 0 < overlap(hub) <= POLICY.connections * CHUNK


async def kill_renderers(context: BrowserContext) -> None:
    """As the system does when memory runs out."""
    assert context.browser is not None
    session = await context.browser.new_browser_cdp_session()
    found = await session.send("SystemInfo.getProcessInfo")
    for process in found["processInfo"]:
        if process["type"] == "renderer":
            os.kill(process["id"], signal.SIGKILL)


@aside
async def test_leaving_keeps_what_is_whole_and_closes_the_connections(tab: Tab, hub: Hub) -> None:
    file = hub.put("model.onnx", CONTENT)
    hub.bytes_per_s = 4 * MIB
    async with aclosing(tab.store.download(*made(file))) as steps:
        async for step in steps:
            if step.received_bytes > 5 * MIB:
                break
    await until(lambda: hub.active == 0)
    kept = await tab.store.received_bytes(variant(file))
    assert kept >= MIB
    again = await download(tab, file)
    assert again[0].received_bytes == kept
    await assert_installed(tab, file)
    assert overlap(hub) <= POLICY.connections * CHUNK


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 15 s")


@aside
async def test_deleting_frees_what_no_other_variant_needs(tab: Tab, hub: Hub) -> None:
    weights, shared = hub.put("model.onnx", CONTENT), hub.put("tokenizer.json", CONTENT[:MIB])
    await download(tab, weights, shared)
    other = variant(shared, name="other")
    async for _ in tab.store.download(model(other), other):
        pass
    full = await tab.store.usage()
    assert full.installed_bytes == len(CONTENT) + MIB
    await tab.store.delete(*made(weights, shared))
    assert await tab.store.installed() == [(model(other), other)]
    freed = await tab.store.usage()
    assert freed.installed_bytes == MIB
    assert full.usage_bytes - freed.usage_bytes >= len(CONTENT)


@aside
async def test_one_tab_at_a_time_downloads(tab: Tab, hub: Hub, browser: BrowserContext, tabs: list[Tab]) -> None:
    file = hub.put("model.onnx", CONTENT)
    hub.bytes_per_s = 8 * MIB
    other = await open_tab(browser, hub, tabs)
    first = asyncio.ensure_future(download(tab, file))
    await until(lambda: bool(hub.asked))
    with pytest.raises(EngineBusy):
        await other.store.delete(*made(file))
    steps = await download(other, file)
    assert steps[0].phase == "waiting"
    await first
    assert overlap(hub) == 0
    await assert_installed(other, file)


@aside
async def test_a_tab_that_closes_lets_the_next_one_go_on(
    tab: Tab, hub: Hub, browser: BrowserContext, tabs: list[Tab]
) -> None:
    file = hub.put("model.onnx", CONTENT)
    hub.bytes_per_s = 2 * MIB
    other = await open_tab(browser, hub, tabs)
    first = asyncio.ensure_future(download(tab, file))
    await until(lambda: len(hub.asked) > POLICY.connections)
    second = asyncio.ensure_future(download(other, file))
    await asyncio.sleep(0.1)
    tab.transport.fail("closed")
    await tab.page.close()
    await asyncio.gather(first, return_exceptions=True)
    hub.bytes_per_s = None
    await second
    await assert_installed(other, file)


@aside
async def test_a_file_the_browser_lost_is_offered_again(tab: Tab, hub: Hub) -> None:
    file = hub.put("model.onnx", CONTENT[:MIB])
    await download(tab, file)
    await tab.page.evaluate(LOSE, file.sha256)
    assert await tab.store.installed() == []
    assert (await tab.store.records())[0].damaged == (file,)
    await download(tab, file)
    await assert_installed(tab, file)


LOSE = """async (sha256) => {
  const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
  await (await models.getDirectoryHandle("blobs")).removeEntry(sha256);
}"""


@aside
async def test_a_bit_that_turned_on_disk_is_found_and_mended(tab: Tab, hub: Hub) -> None:
    good, bad = hub.put("good.bin", CONTENT[:1000]), hub.put("bad.bin", CONTENT[:MIB])
    await download(tab, good, bad)
    await tab.page.evaluate(TURN, bad.sha256)
    with pytest.raises(HashMismatch):
        await assert_installed(tab, good, bad)
    hub.asked.clear()
    await download(tab, good, bad)
    assert {asked.path for asked in hub.asked} == {"bad.bin"}
    await assert_installed(tab, good, bad)


TURN = """async (sha256) => {
  const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
  const blob = await (await models.getDirectoryHandle("blobs")).getFileHandle(sha256);
  const writable = await blob.createWritable({ keepExistingData: true });
  await writable.write({ type: "write", position: 500, data: new Uint8Array([0, 1, 2, 3]) });
  await writable.close();
}"""


@pytest.mark.parametrize("missing", ["no_opfs", "read_only"])
@aside
async def test_without_opfs_everything_works_until_the_tab_closes(
    browser: BrowserContext, hub: Hub, tabs: list[Tab], missing: str
) -> None:
    tab = await open_tab(browser, hub, tabs, f"/others/{missing}.js")
    assert (await one(tab, "store.status"))["opfs"] is False
    file, small = hub.put("model.onnx", CONTENT), hub.put("small", b"1")
    hub.faults["model.onnx"] = [hubs.cut(300_000), hubs.flipped(5)]
    with pytest.raises(HashMismatch):
        await download(tab, file, small)
    await download(tab, file, small)
    await assert_installed(tab, file, small)
    await tab.store.delete(*made(file, small))
    assert await tab.store.installed() == []
    assert (await tab.store.usage()).installed_bytes == 0


@aside
async def test_an_older_opfs_without_rename_and_writable_streams(
    browser: BrowserContext, hub: Hub, tabs: list[Tab]
) -> None:
    tab = await open_tab(browser, hub, tabs, "/others/old_opfs.js", replace(POLICY, attempts=1))
    file = hub.put("model.onnx", CONTENT)
    hub.before = lambda asked: hub.always.update({"model.onnx": hubs.cut(900_000)} if len(hub.asked) > 6 else {})
    with pytest.raises(NetworkFailed):
        await download(tab, file)
    hub.always.clear()
    hub.before = lambda _asked: None
    again = await open_tab(browser, hub, tabs, "/others/old_opfs.js")
    assert (await one(again, "store.status"))["opfs"] is True
    assert await again.store.received_bytes(variant(file)) >= CHUNK
    await download(again, file)
    await assert_installed(again, file)
    assert await tab.store.installed() == [made(file)]


async def one(tab: Tab, op: str, **payload: object) -> dict[str, object]:
    (value,) = [value async for value in tab.transport.stream(op, payload)]
    assert isinstance(value, dict)
    return value


@aside
async def test_the_bridge_gets_the_files_by_name(tab: Tab, hub: Hub) -> None:
    file = hub.put("model.onnx", CONTENT)
    await download(tab, file)
    # A structured clone does not leave the page, so the page itself asks.
    sizes = await tab.page.evaluate(OPEN, {"onnx/model.onnx": file.sha256})
    assert sizes == {"onnx/model.onnx": [len(CONTENT), hashlib.sha256(CONTENT).hexdigest()]}
    with pytest.raises(StorageFailed):
        await one(tab, "store.open", files={"x": "0" * 64})


OPEN = """async (files) => {
  const worker = new Worker("/store/store.js", { type: "module" });
  const { value } = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ id: 1, op: "store.open", payload: { files } });
  });
  worker.terminate();
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, "0")).join("");
  const read = async ([name, blob]) => {
    const bytes = await blob.arrayBuffer();
    return [name, [blob.size, hex(await crypto.subtle.digest("SHA-256", bytes))]];
  };
  return Object.fromEntries(await Promise.all(Object.entries(value.blobs).map(read)));
}"""


@pytest.mark.parametrize(
    ("op", "payload"),
    [
        ("store.commit", {"sha256": "../records/x"}),
        ("store.discard", {"sha256": "0" * 63}),
        ("store.record", {"key": "../x", "record": {}}),
        ("store.delete", {"key": None, "blobs": [".."]}),
        ("store.commit", {"sha256": "0" * 64}),
    ],
)
@aside
async def test_a_name_that_is_no_name_is_refused(tab: Tab, op: str, payload: dict[str, object]) -> None:
    with pytest.raises(StorageFailed):
        async for _ in tab.transport.stream(op, payload):
            pass
