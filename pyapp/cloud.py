"""The cloud: the relay of the server that this page came from, where its operator offers one.

Rules of this file: while the user has not agreed, nothing but CONFIG_URL is asked for; who has agreed to some companies
has not agreed to another one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyapp.engine import Transport, values
from pyapp.errors import CandilError
from pyapp.models.manifest import Company, ModelSpec, ServerSource, Variant
from pyapp.models.strict_json import strangers
from pyapp.servers.address import Address, Refused, parse, parse_key
from pyapp.servers.served import BYTES_PER_TOKEN, ENGINE
from pyapp.setup.setup import Intent

CONFIG_URL = "/api/config"
PATIENCE_S = 10.0  # for that, of a server that has just sent the page
CLOUD = "cloud"  # the variant's name
ANY_MODEL = "auto"  # the relay takes the first company that can
MOST_COMPANIES = 20
LONGEST_NAME = 100
MOST_PRICE = 1e6


@dataclass(frozen=True, slots=True)
class Offer:
    companies: tuple[Company, ...]  # not empty
    context_tokens: int  # an estimate from the characters that are passed on
    token_required: bool


def offer(text: str) -> Offer | None:
    """What GET /api/config says; members that are not known are ignored, and what is wrong is no offer."""
    try:
        cloud = strangers(text)["cloud"]
        companies = tuple(
            Company(_name(each["name"]), _name(each["title"]), _price(each.get("price"))) for each in cloud["providers"]
        )
        chars, token_required = cloud["limits"]["max_total_chars"], cloud["token_required"]
    except (ValueError, LookupError, TypeError):
        return None
    if not 0 < len(companies) <= MOST_COMPANIES or type(chars) is not int or type(token_required) is not bool:
        return None
    return Offer(companies, int(chars / BYTES_PER_TOKEN), token_required) if chars > 0 else None


def _name(value: Any) -> str:
    """One line of text. Raises ValueError."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > LONGEST_NAME:
        raise ValueError("not a name")
    return value


def _price(value: Any) -> float | None:
    """Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_PRICE:
        raise ValueError("not a price")
    return float(value)


class Cloud:
    """Whether there is one, and whether the user wants it. `origin` is where this page came from.

    `agreed` keeps the names of the companies that the user has agreed to, `token` the operator's access token.
    """

    def __init__(self, transport: Transport, agreed: Intent, token: Intent, origin: str) -> None:
        self.offer: Offer | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._transport = transport
        self._agreed = agreed
        self._token = token
        self._address = _address(origin)
        self._looking: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Asks this page's server, once; again only where there was no answer."""
        if self.offer is not None:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        await asyncio.wait({self._looking})

    async def _look(self) -> None:
        if self._address is None:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await values(self._transport, "page.read", {"url": CONFIG_URL})
        except (CandilError, TimeoutError):
            return  # offline, or a host of files only
        self.offer = offer(answer[-1]["body"])
        self.on_change()

    @property
    def on(self) -> bool:
        """The user has agreed to every company that might read."""
        return self.offer is not None and {each.name for each in self.offer.companies} <= self._agreed_to()

    def switch(self, on: bool) -> None:
        companies = self.offer.companies if on and self.offer else ()
        self._agreed.set(json.dumps([company.name for company in companies]) if companies else None)
        self.on_change()

    async def specs(self) -> tuple[ModelSpec, ...]:
        """The model to ask, if the user has agreed to it; who has not waits for nothing."""
        if not self._agreed_to():
            return ()
        await self.look()
        return (self.described()[0],) if self.on else ()

    def described(self) -> tuple[ModelSpec, Variant]:
        """As the rest of the app knows models. There is an offer."""
        assert self.offer
        assert self._address
        variant = Variant(name=CLOUD, engine=ENGINE, device="server", dtype="", features=(), files=())
        source = ServerSource(str(self._address), ANY_MODEL, self.offer.companies)
        spec = ModelSpec(
            id=f"{self._address}#{ANY_MODEL}",
            title=source.readers,
            parameters=0,
            context_tokens=self.offer.context_tokens,
            license="",
            license_url="",
            languages=(),
            source=source,
            verified=False,
            variants=(variant,),
        )
        return spec, variant

    @property
    def readers(self) -> str:
        """The companies as people know them; "" where there is no offer."""
        return self.described()[0].title if self.offer else ""

    @property
    def host(self) -> str:
        """Of the server in between."""
        return self._address.shown if self._address else ""

    @property
    def has_token(self) -> bool:
        return bool(self._token.get())

    def set_token(self, text: str) -> None:
        """Raises Refused for what cannot be one."""
        self._token.set(parse_key(text) or None)

    def key_for(self, base_url: str) -> str | None:
        """None: that is another server."""
        return (self._token.get() or "") if base_url == str(self._address) else None

    def _agreed_to(self) -> set[str]:
        try:
            return set(json.loads(self._agreed.get() or "[]"))
        except (ValueError, TypeError):
            return set()


def _address(origin: str) -> Address | None:
    """None for a page that came from nowhere words may be sent to."""
    try:
        return parse(origin)
    except Refused:
        return None
