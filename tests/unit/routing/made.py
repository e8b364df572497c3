"""Candidates of every tier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyapp.routing.needs import Kind, Needs
from pyapp.routing.rules import Rules
from pyapp.routing.table import Candidate, Decision, Situation, decide

NANO = Candidate("nano/browser", "builtin", "Nano", 6000, constrains=True)
TINY = Candidate("tiny/wasm", "device", "Tiny", 2000, constrains=True)
LLAMA = Candidate("http://localhost:8080/v1#llama/server", "own_server", "llama", 8000)
ACME = Candidate("https://candil.test/v1#auto/cloud", "cloud", "Acme AI", 100_000, cost=None, company="Acme AI")
ALL = (NANO, TINY, LLAMA, ACME)

ALLOWED = Rules(privacy="allowed")


def decided(kind: Kind = "chat", *candidates: Candidate, rules: Rules = ALLOWED, **changes: Any) -> Decision:
    """Among all of them unless some are named. `changes` are of the needs or of the situation."""
    asked = {name: changes.pop(name) for name in ("words", "context_tokens", "schema") if name in changes}
    return decide(replace(Situation(Needs(kind, **asked), candidates or ALL), **changes), rules)


def answers(*args: Any, **kwargs: Any) -> str:
    """The tier of who answers."""
    choice = decided(*args, **kwargs).choice
    return choice.tier if choice else "nobody"


def codes(decision: Decision) -> list[tuple[str, str]]:
    return [(reason.code, reason.title or reason.tier or "") for reason in decision.reasons]
