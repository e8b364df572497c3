"""From a variable's text to its value, or a sentence that says what is wrong with it."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SOURCE = re.compile(r"https?://(?:\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(?::\d{1,5}|:\*)?")


class ConfigError(Exception):
    """One sentence for the operator; it holds no secret."""


class Secret:
    """A text that shows itself to nobody who does not ask."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "(set)"


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    parse: Callable[[str], object]  # raises ValueError("is not ...")
    meaning: str
    aliases: tuple[str, ...] = ()  # names that other programs and documents use for it
    secret: bool = False  # may be a file: <name>_FILE

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


class Environment:
    """Reads variables by any of their names."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def value(self, variable: Variable) -> Any:
        """None where nothing is set. Raises ConfigError."""
        found = {name: text for name in variable.names if (text := self._text(name, secret=variable.secret))}
        if len(set(found.values())) > 1:
            raise ConfigError(f"{' and '.join(found)} mean the same and differ: set one of them.")
        for name, text in found.items():
            try:
                return variable.parse(text)
            except ValueError as error:
                raise ConfigError(f"{name} {error}" + ("." if variable.secret else f": {text}")) from None
        return None

    def _text(self, name: str, *, secret: bool) -> str:
        text = self._environment.get(name, "")
        path = self._environment.get(f"{name}_FILE", "") if secret else ""
        if not path:
            return text if secret else text.strip()
        if text:
            raise ConfigError(f"{name} and {name}_FILE are both set: set one of them.")
        try:
            return Path(path).read_text("utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name}_FILE cannot be read: {path}") from error


def text(value: str) -> str:
    return value


def secret(value: str) -> Secret:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError("has a line break, a space at an end or another character that no key has")
    return Secret(value)


def flag(value: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if value.lower() not in words:
        raise ValueError("is neither 1 nor 0")
    return words[value.lower()]


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) < 20 and low <= int(value) <= high):
            raise ValueError(f"is not a whole number from {low} to {high}")
        return int(value)

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            parsed = float(value)
        except ValueError:
            parsed = math.nan
        if not low <= parsed <= high:  # false for NaN
            raise ValueError(f"is not a number from {low:g} to {high:g}")
        return parsed

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"is none of {', '.join(words)}")
        return value.lower()

    return parse


def names(value: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in value.split(",") if part.strip())
    lowered = [name.lower() for name in found]
    if twice := next((name for name in lowered if lowered.count(name) > 1), ""):
        raise ValueError(f"names {twice} twice")
    return found


def addresses(value: str) -> tuple[str, ...]:
    found = names(value)
    for address in found:
        try:
            ipaddress.ip_network(address)
        except ValueError:
            raise ValueError("is not a list of addresses or networks") from None
    return found


def origins(value: str) -> tuple[str, ...]:
    """https://example.org, as browsers write it. No wildcard: any page could spend the operator's credit."""
    found = names(value)
    for origin in found:
        url = urlsplit(origin)
        if url.scheme not in ("http", "https") or not url.netloc or f"{url.scheme}://{url.netloc.lower()}" != origin:
            raise ValueError("is not a list of origins like https://example.org")
    return found


def sources(value: str) -> tuple[str, ...]:
    """Origins as a content security policy names them, so also https://*.example.org; by commas or spaces."""
    found = names(value.replace(" ", ","))
    if not all(SOURCE.fullmatch(source) for source in found):
        raise ValueError("is not a list of origins like https://models.example.org")
    return found


def file(value: str) -> Path:
    if not Path(value).is_file():
        raise ValueError("is not a file")
    return Path(value)


def folder(value: str) -> Path:
    return Path(value).absolute()


def base_url(value: str) -> str:
    """http(s)://host[:port]/path without a slash at its end; no user, query or fragment."""
    try:
        url = urlsplit(value)
        plain = (
            url.scheme in ("http", "https") and url.hostname and not (url.query or url.fragment or "@" in url.netloc)
        )
        valid = plain and url.port != 0 and value.isascii() and value.isprintable() and " " not in value
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("is not an address like https://api.example.org/v1")
    return value.rstrip("/")


def shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case tuple():
            return ",".join(value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)
