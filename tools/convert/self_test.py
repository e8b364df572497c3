"""A short prompt and its certain continuation, with which a browser can check that it runs a variant rightly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.convert.architecture import Network
from tools.convert.encoder import Encoder
from tools.convert.errors import ConvertError
from tools.convert.exact_model import exact_logits
from tools.convert.onnx_runner import OnnxRunner
from tools.convert.vocabulary import Vocabulary
from tools.convert.weights import Weights

MAX_PROMPT_TOKENS = 24
NEXT_TOKENS = 3
CLEAR_MARGIN = 1.5  # between the best and the second score; int8 rounding moves scores by about 0.2

PROMPTS = (  # short ones first: a software GPU reads about one token per second
    "a b c d e f",
    "A B C D E F G H",
    "a b c d e f g h i j k",
    "one two three four five six seven",
    "1, 2, 3, 4, 5, 6, 7, 8,",
    "The days of the week are Monday, Tuesday, Wednesday,",
    "January, February, March, April, May, June,",
    "The capital of France is Paris. The capital of Italy is",
    "Once upon a time, there was a",
    "uno, dos, tres, cuatro, cinco,",
    "To be, or not to be, that is the",
    "The",
)


@dataclass(frozen=True, slots=True)
class SelfTest:
    prompt_ids: tuple[int, ...]
    next_ids: tuple[int, ...]  # greedy
    margin: float  # the smallest over next_ids


def prompts(vocabulary: Vocabulary) -> list[tuple[int, ...]]:
    """The candidates as token ids, with the token every text begins with."""
    encoder = Encoder(vocabulary)
    begin = [vocabulary.special["bos"]] if vocabulary.add_bos and "bos" in vocabulary.special else []
    return [tuple(begin + encoder.encode(text))[:MAX_PROMPT_TOKENS] for text in PROMPTS]


def continue_greedily(graph: Path, network: Network, candidates: Sequence[tuple[int, ...]]) -> list[SelfTest]:
    """What the variant in `graph` says to every candidate."""
    runner = OnnxRunner(graph, network)
    tests = []
    for prompt in candidates:
        rows = list(runner.greedy(prompt, NEXT_TOKENS))
        margin = min(float(np.diff(np.sort(logits)[-2:])[0]) for logits in rows)
        tests.append(SelfTest(prompt, tuple(int(logits.argmax()) for logits in rows), margin))
    return tests


def agreeing(network: Network, weights: Weights, tests: Sequence[SelfTest]) -> list[bool]:
    """Whether the exact weights continue each prompt with the same tokens."""
    whole = [(*test.prompt_ids, *test.next_ids[:-1]) for test in tests]
    likeliest = [logits[-NEXT_TOKENS:].argmax(axis=-1) for logits in exact_logits(network, weights, whole)]
    return [tuple(ids.tolist()) == test.next_ids for ids, test in zip(likeliest, tests, strict=True)]


def choose(tests: Sequence[SelfTest], agrees: Sequence[bool]) -> SelfTest:
    """The first clear one, or else the clearest, of those that agree. Raises ConvertError if none does."""
    right = [test for test, ok in zip(tests, agrees, strict=True) if ok]
    if not right:
        raise ConvertError("The converted network does not say what the original says; its weights may be damaged.")
    return next((test for test in right if test.margin >= CLEAR_MARGIN), max(right, key=lambda test: test.margin))
