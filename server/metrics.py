"""Counts of this process in Prometheus' text format. Labels are names from the configuration and codes, never texts."""

from __future__ import annotations

from collections import Counter

HELP = {
    "candil_answers_total": "Answers relayed to their end.",
    "candil_refusals_total": "Requests refused or failed, by code.",
    "candil_upstream_failures_total": "Failed tries, by provider and kind.",
    "candil_tokens_total": "Tokens, by direction, as the providers count them.",
    "candil_upstream_rejected_total": "Requests a provider called invalid: our fault, look at the log.",
    "candil_keys_refused_total": "Keys that do not work.",
}


class Metrics:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        if name not in HELP:
            raise KeyError(name)
        self._counts[name, tuple(sorted(labels.items()))] += amount

    def text(self) -> str:
        lines = []
        for name, meaning in HELP.items():
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} counter"]
            lines += [f"{name}{written(labels)} {n}" for (of, labels), n in sorted(self._counts.items()) if of == name]
        return "\n".join(lines) + "\n"


def written(labels: tuple[tuple[str, str], ...]) -> str:
    escaped = ((name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")) for name, value in labels)
    inside = ",".join(f'{name}="{value}"' for name, value in escaped)
    return f"{{{inside}}}" if inside else ""
