"""The two sites there are: what was built, and the sources as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from server.config import ROOT
from server.files import Site

# In development there is no service worker; one that an earlier visit left behind removes itself.
NO_SERVICE_WORKER = b"""self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) await caches.delete(name);
  await self.registration.unregister();
  for (const client of await self.clients.matchAll({ type: "window" })) client.navigate(client.url);
})()));
"""


def built(folder: Path) -> Site:
    return Site((folder,), {})


def development() -> Site:
    """The sources; page and app are made anew for each request."""
    from tools.build import archive, layout
    from tools.build.site import page

    sources = layout.Sources()
    generated: dict[str, Callable[[], bytes]] = {
        "index.html": lambda: page(sources).encode(),
        "app.zip": lambda: archive.app_source(sources),
        "sw.js": lambda: NO_SERVICE_WORKER,
    }
    return Site((sources.site, ROOT / "build" / "dev"), generated, dev=True)
