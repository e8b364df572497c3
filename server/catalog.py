"""Which models a provider really has: ids from the configuration, compared with the provider's own list.

The lists are fetched at start, every hour, and again when a provider says it has no such model. A provider that does
not list is believed to have what is configured.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

import httpx2

from pyapp.errors import CandilError
from pyapp.openai.models import parse_models
from server.logs import log
from server.providers import Provider

REFRESH_S = 3600.0
LIST_TIMEOUT_S = 5.0
MAX_LIST_BYTES = 8 << 20  # OpenRouter's is one


class Catalog:
    def __init__(self, client: httpx2.AsyncClient, providers: Iterable[Provider]) -> None:
        self._client = client
        self._providers = {provider.name: provider for provider in providers}
        self._listed: dict[str, tuple[str, ...]] = {}
        self._gone: set[tuple[str, str]] = set()
        self._stale = asyncio.Event()

    async def keep(self) -> None:
        """Until it is cancelled."""
        while True:
            self._stale.clear()
            await asyncio.gather(*(self._refresh(provider) for provider in self._providers.values()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._stale.wait()

    async def ids(self, provider: Provider) -> tuple[str, ...]:
        """What to ask this provider for, the most wanted first."""
        if provider.name not in self._listed and not provider.models:
            await self._refresh(provider)
        return tuple(model for model in self._known(provider) if (provider.name, model) not in self._gone)

    def known(self, provider: Provider) -> tuple[str, ...]:
        """The same without asking anyone."""
        return tuple(model for model in self._known(provider) if (provider.name, model) not in self._gone)

    def drop(self, provider: Provider, model: str) -> None:
        """The provider says it does not have it; looks again at what there is."""
        self._gone.add((provider.name, model))
        self._stale.set()

    def _known(self, provider: Provider) -> tuple[str, ...]:
        listed = self._listed.get(provider.name)
        if listed is None:
            return provider.models
        if not provider.models:
            return listed[:1]
        return tuple(model for model in provider.models if model in listed or base(model) in listed)

    async def _refresh(self, provider: Provider) -> None:
        try:
            async with asyncio.timeout(LIST_TIMEOUT_S):
                ids = await self._fetch(provider)
        except (httpx2.HTTPError, httpx2.InvalidURL, CandilError, TimeoutError) as error:
            log(logging.WARNING, "models not listed", provider=provider.name, kind=type(error).__name__)
            return
        self._listed[provider.name] = ids
        self._gone = {(name, model) for name, model in self._gone if name != provider.name or model not in ids}
        log(logging.INFO, "models listed", provider=provider.name, number=len(ids), usable=len(self._known(provider)))

    async def _fetch(self, provider: Provider) -> tuple[str, ...]:
        body = bytearray()
        url, headers = f"{provider.base_url}/models", authorization(provider)
        async with self._client.stream("GET", url, headers=headers) as response:
            response.raise_for_status()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_LIST_BYTES:
                    raise httpx2.TransportError("the list of models is too long")
        return tuple(model.id for model in parse_models(bytes(body)))


def authorization(provider: Provider) -> dict[str, str]:
    """With it, nothing is compressed: a small answer cannot become a large one."""
    plain = {"Accept-Encoding": "identity", "User-Agent": "candil"}
    return plain | ({"Authorization": f"Bearer {provider.api_key.reveal()}"} if provider.api_key else {})


def base(model: str) -> str:
    """Hugging Face and OpenRouter take a suffix that their lists do not have: "openai/gpt-oss-120b:fastest"."""
    return model.rpartition(":")[0]
