"""The real WebLLM as far as it goes without MLC's weights: what it refuses, and how it fails on a broken model.

The model is served by the site, downloaded by our store and given to the library from there. It never generates here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from pyapp.engine import GenerateRequest, values
from pyapp.engines.webllm import Webllm
from pyapp.errors import CandilError, EngineFailed, EngineUnavailable, FileMissing, NotLoaded
from pyapp.models.manifest import EmbeddedSource, ManifestFile, ModelSpec, Variant
from pyapp.models.store import Store
from server import files as served
from server.app import create_app
from tests.browser.aside import aside, entered
from tests.browser.conftest import CHROMIUM, FLAGS, WEBGPU_FLAGS, Site
from tests.browser.page_transport import PageTransport
from tests.contract.engine import QUESTION, answer, load, refused

LIBRARY = "/vendor/web-llm/index.js"
CONFIG = json.dumps({"tokenizer_files": ["tokenizer.json"], "vocab_size": 2, "context_window_size": 64}).encode()
EMPTY_MODULE = b"\0asm\1\0\0\0"  # compiles, and is no model library
BROKEN: Mapping[str, dict[str, bytes]] = {
    "no-wasm": {"mlc-chat-config.json": CONFIG, "lib.wasm": b"<!doctype html>"},
    "empty-wasm": {"mlc-chat-config.json": CONFIG, "lib.wasm": EMPTY_MODULE},
    "no-config": {"lib.wasm": EMPTY_MODULE},
    "bad-config": {"mlc-chat-config.json": b"{", "lib.wasm": EMPTY_MODULE},
}


def variant(name: str, *features: str) -> Variant:
    files = tuple(
        ManifestFile(path, f"broken/{name}/{path}", len(content), hashlib.sha256(content).hexdigest())
        for path, content in BROKEN[name].items()
    )
    return Variant(name, "webllm", "webgpu", "q4f16_1", features, files)


MODEL = ModelSpec(
    id="broken",
    title="Broken",
    parameters=1,
    context_tokens=64,
    license="MIT",
    license_url="https://example.org/",
    languages=("en",),
    source=EmbeddedSource("none", "1", "none", "0" * 64),
    verified=False,
    variants=tuple(map(variant, BROKEN)),
)


@pytest.fixture(scope="module")
def broken_site(site_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, with models that are no models beside it."""
    folder = tmp_path_factory.mktemp("broken")
    for name, files in BROKEN.items():
        for path, content in files.items():
            place = folder / "broken" / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    both = create_app(served.Site((site_folder, folder), {}))
    site = Site(site_folder, wrap=lambda _app: both).start()
    yield site
    site.stop()


class Scene:
    """A page with the real store and the real worker; `asked` are the URLs it asked for."""

    def __init__(self, page: Page, transport: PageTransport) -> None:
        self.page = page
        self.transport = transport
        self.engine = Webllm(transport, seed=lambda: 1, now_ms=lambda: 0.0)
        self.asked: list[str] = []
        page.context.on("request", lambda request: self.asked.append(request.url))

    async def error(self, variant: Variant) -> CandilError:
        """What loading it comes to, once it is downloaded."""
        async for _ in Store(self.transport).download(MODEL, variant):
            pass
        try:
            await load(self.engine, MODEL, variant)
        except CandilError as error:
            return error
        raise AssertionError("it loaded")


@asynccontextmanager
async def scene(site: Site, flags: list[str]) -> AsyncIterator[Scene]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        page = await browser.new_page()
        await page.goto(f"{site.url}nothing-here")
        transport = PageTransport(page)
        await transport.start()
        yield Scene(page, transport)
        await browser.close()


@pytest.fixture(scope="module")
def gpu(broken_site: Site) -> Iterator[Scene]:
    with entered(scene(broken_site, WEBGPU_FLAGS)) as gpu:
        yield gpu


def test_without_an_adapter_the_library_is_not_even_fetched(broken_site: Site) -> None:
    async def story() -> None:
        async with scene(broken_site, []) as plain:
            assert isinstance(await plain.error(variant("empty-wasm")), EngineUnavailable)
            assert not any(LIBRARY in url for url in plain.asked)

    aside(story)()


@pytest.mark.webgpu
def test_without_a_feature_it_needs_neither(gpu: Scene) -> None:
    async def story() -> None:
        error = await gpu.error(variant("empty-wasm", "chromium-has-no-such-feature"))
        assert isinstance(error, EngineUnavailable)
        assert "chromium-has-no-such-feature" in error.message
        assert not any(LIBRARY in url for url in gpu.asked)

    aside(story)()


@pytest.mark.webgpu
@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("no-wasm", EngineFailed, "WebAssembly"),
        ("empty-wasm", EngineFailed, ""),
        ("no-config", FileMissing, "mlc-chat-config.json"),
        ("bad-config", EngineFailed, "JSON"),
    ],
)
def test_a_broken_model_fails_with_its_own_error_each_time(
    gpu: Scene, broken_site: Site, name: str, kind: type[CandilError], words: str
) -> None:
    async def story() -> None:
        for _ in range(2):  # the second time from the store; nothing of the first is left in a cache
            error = await gpu.error(variant(name))
            assert type(error) is kind, repr(error)
            assert words in error.message
        with refused(NotLoaded):
            await answer(gpu.engine, GenerateRequest(QUESTION))
        assert all(url.startswith(broken_site.url) for url in gpu.asked)
        assert (
            await gpu.page.evaluate("async () => (await caches.keys()).filter((name) => name.includes('webllm'))") == []
        )

    aside(story)()
    assert broken_site.violations == []


@pytest.mark.webgpu
def test_the_worker_itself_knows_when_nothing_is_loaded(gpu: Scene) -> None:
    async def story() -> None:
        for op, payload in (("count", {"texts": ["x"]}), ("generate", {"messages": []})):
            with refused(NotLoaded):
                await values(gpu.transport, f"webllm.{op}", payload)

    aside(story)()
