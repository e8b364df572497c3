"""Looking for model servers on this computer, at the ports they usually have. Only ever after a click.

What a browser lets a page know of a port where it may not read the answer is nothing: "nobody there" and "there, but
it does not let this page in" look the same, so a place is `Unreachable` and what to change in that server is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal

from pyapp.engine import Transport
from pyapp.errors import CandilError, ServerSilent, ServerUnreachable
from pyapp.openai.models import ServedModel
from pyapp.servers.address import Address, parse
from pyapp.servers.served import models_of

Program = Literal["lm_studio", "ollama", "llama_cpp", "vllm", "foundry"]

PROBE_S = 4.0  # a server that is there says its models at once; one that loads may not


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program listens unless it is told otherwise. bitnet.cpp is a llama.cpp."""

    program: Program
    address: Address


_PORTS: tuple[tuple[Program, int], ...] = (
    ("lm_studio", 1234),
    ("ollama", 11434),
    ("llama_cpp", 8080),
    ("vllm", 8000),
    ("foundry", 5273),
)
PLACES = tuple(Place(program, parse(f"http://127.0.0.1:{port}")) for program, port in _PORTS)


@dataclass(frozen=True, slots=True)
class Found:
    """It answered; `models` may be none."""

    models: tuple[ServedModel, ...]


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nobody there, as far as a browser can tell."""


@dataclass(frozen=True, slots=True)
class Troubled:
    """Something is there, and said this instead of its models."""

    error: CandilError


Finding = Found | Unreachable | Troubled


def places(own: str) -> Sequence[Place]:
    """Where to look from a page of the origin `own`: not at itself."""
    aliases = {own, own.replace("//localhost:", "//127.0.0.1:")}
    return [place for place in PLACES if place.address.origin not in aliases]


async def look(transport: Transport, where: Sequence[Place]) -> AsyncGenerator[tuple[Place, Finding], None]:
    """What is at each, all asked at once, told as it is known. Closing it ends all the asking."""
    tasks = [asyncio.ensure_future(_ask(transport, place)) for place in where]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(transport: Transport, place: Place) -> tuple[Place, Finding]:
    try:
        return place, Found(tuple(await models_of(transport, place.address, "", PROBE_S)))
    except (ServerUnreachable, ServerSilent):
        return place, Unreachable()
    except CandilError as error:
        return place, Troubled(error)
