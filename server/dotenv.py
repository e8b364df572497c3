"""The file .env: one NAME=value a line, as docker compose and systemd read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from server.values import ConfigError

LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*", re.ASCII)


def parse(text: str) -> dict[str, str]:
    """Raises ConfigError."""
    return dict(assignments(text))


def assignments(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"Line {number} of .env is not NAME=value.")
        name, value = match.groups()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        yield name, value[1:-1] if quoted else value
