"""The engine contract over the real thing: site/bridge.js, the real store, the real worker and the real model.

Only Python is outside: pyapp's own downloader and engine run here, in CPython, and reach the page's bridge.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyapp.engine import Engine, Transport
from pyapp.engines.transformers_js import TransformersJs
from pyapp.engines.wllama import Wllama
from pyapp.models.manifest import ModelSpec, Variant, parse
from pyapp.models.store import Store
from tests.browser.aside import aside, entered
from tests.browser.conftest import Site
from tests.browser.page_transport import page_transport
from tests.contract.engine import CONTRACT, Check

pytestmark = pytest.mark.real_model


ENGINES: dict[str, Callable[[Transport], Engine]] = {
    "wasm-int8": lambda transport: TransformersJs(transport, seed=lambda: 1),
    # One thread: beside other work llama.cpp's threads wait for each other.
    "wllama-gguf": lambda transport: Wllama(transport, seed=lambda: 1, most_threads=1),
}

Loaded = tuple[Engine, ModelSpec, Variant]


@asynccontextmanager
async def loaded(url: str, manifest: str, name: str) -> AsyncIterator[Loaded]:
    """A variant of the embedded model, downloaded into the page's store and loaded from it."""
    model = parse(manifest).models[0]
    variant = next(v for v in model.variants if v.name == name)
    async with page_transport(url) as (_, transport):
        async for _progress in Store(transport).download(model, variant):
            pass
        engine = ENGINES[name](transport)
        async for _stage in engine.load(model, variant):
            pass
        yield engine, model, variant


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, site: Site, site_folder: Path) -> Iterator[Loaded]:
    manifest = (site_folder / "model_manifest.json").read_text("utf-8")
    with entered(loaded(site.url, manifest, request.param)) as engine:
        yield engine


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_the_contract_holds(engine: Loaded, check: Check) -> None:
    aside(check)(*engine)  # type: ignore[arg-type]
