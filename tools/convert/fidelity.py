"""How far a variant's predictions are from those of the exact weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.convert.architecture import Network
from tools.convert.onnx_runner import OnnxRunner

F32 = npt.NDArray[np.float32]

DEFAULT_TEXT = Path(__file__).with_name("evaluation_text.txt")
MAX_TOKENS = 1200
STEPPED_TOKENS = 300  # reading token by token is slow, and copies an ever longer cache


@dataclass(frozen=True, slots=True)
class Fidelity:
    kl: float  # mean Kullback-Leibler divergence per position, in nats, from the exact distribution
    top1: float  # share of positions with the same likeliest token
    positions: int

    def __str__(self) -> str:
        return f"KL {self.kl:.5f}, top-1 {self.top1:.1%} ({self.positions} positions)"


def compare(exact: F32, other: F32) -> Fidelity:
    """Both (positions, vocab), before softmax."""
    divergences = []
    for first, second in zip(exact, other, strict=True):  # row by row: float64 of everything would be gigabytes
        p, q = _log_softmax(first), _log_softmax(second)
        divergences.append(float(np.sum(np.exp(p) * (p - q))))
    same = np.mean(exact.argmax(axis=-1) == other.argmax(axis=-1))
    return Fidelity(float(np.mean(divergences)), float(same), len(exact))


def measure(
    graph: Path, network: Network, ids: Sequence[int], exact: F32, *, stepped: bool = True
) -> Iterator[tuple[str, Fidelity]]:
    """Each way to read the text, with its distance from `exact`, (length, vocab); `stepped` adds token by token."""
    runner = OnnxRunner(graph, network, all_positions=True)
    yield "in one piece", compare(exact, runner.prefill(ids))
    if stepped:
        count = min(STEPPED_TOKENS, len(ids))
        yield "token by token", compare(exact[:count], runner.step_by_step(ids[:count]))


def _log_softmax(row: F32) -> npt.NDArray[np.float64]:
    shifted = row.astype(np.float64) - row.max()
    normalized: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum())
    return normalized
