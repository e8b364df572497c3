"""A graph's scores on one long text against llama.cpp's predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.llama_cpp import divergence, llama_cpp
from tools.convert.fidelity import Fidelity

IDS = [1, *np.random.default_rng(7).integers(3, 350, 299).tolist()]  # longer than every window of the tiny networks
_PROBES = range(9, len(IDS), 10)


def judged(gguf: Path, logits: npt.NDArray[np.float32], context_tokens: int) -> Fidelity:
    """`logits` of IDS, (length, vocab), at every tenth position."""
    with llama_cpp(gguf, context_tokens, exact=True) as judge:
        predictions = [judge.predict(IDS[: position + 1], logits.shape[1]) for position in _PROBES]
    kls = [divergence(logits[at], prediction) for at, prediction in zip(_PROBES, predictions, strict=True)]
    same = [logits[at].argmax() == prediction.ids[0] for at, prediction in zip(_PROBES, predictions, strict=True)]
    return Fidelity(float(np.mean(kls)), float(np.mean(same)), len(kls))
