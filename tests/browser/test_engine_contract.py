"""The engine contract over the real thing: site/bridge.js, the real store, the real worker and the real model.

Only Python is outside: pyapp's own downloader and engine run here, in CPython, and reach the page's bridge.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pyapp.engines.transformers_js import TransformersJs
from pyapp.models.manifest import ModelSpec, Variant, parse
from pyapp.models.store import Store
from tests.browser.aside import aside, entered
from tests.browser.conftest import Site
from tests.browser.page_transport import page_transport
from tests.contract.engine import CONTRACT, Check

pytestmark = pytest.mark.real_model


@asynccontextmanager
async def loaded(url: str, manifest: str) -> AsyncIterator[tuple[TransformersJs, ModelSpec, Variant]]:
    """The embedded model, downloaded into the page's store and loaded from it."""
    model = parse(manifest).models[0]
    variant = next(v for v in model.variants if v.device == "wasm")
    async with page_transport(url) as (_, transport):
        async for _progress in Store(transport).download(model, variant):
            pass
        engine = TransformersJs(transport, seed=lambda: 1)
        async for _stage in engine.load(model, variant):
            pass
        yield engine, model, variant


@pytest.fixture(scope="module")
def engine(site: Site, site_folder: Path) -> Iterator[tuple[TransformersJs, ModelSpec, Variant]]:
    with entered(loaded(site.url, (site_folder / "model_manifest.json").read_text("utf-8"))) as engine:
        yield engine


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_the_contract_holds(engine: tuple[TransformersJs, ModelSpec, Variant], check: Check) -> None:
    aside(check)(*engine)  # type: ignore[arg-type]
