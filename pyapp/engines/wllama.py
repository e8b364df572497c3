"""The engine that runs GGUF models with llama.cpp in a worker (site/engines/wllama.js).

A variant's files are one model's parts in their order, and nothing else. Its context is made when it is
loaded, all of `model.context_tokens`: a model with a longer one than memory holds must say less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pyapp.engine import GenerateRequest, Json, Transport
from pyapp.engines.in_worker import CommonOps
from pyapp.engines.no_scores import NoScores
from pyapp.models.manifest import ModelSpec, Variant

# Tokens of a prompt that are read at once, and between two looks at whether to stop: at 20 tokens/s, which an ordinary
# core reads of a 4-bit model of 135 M parameters, a stop is heard within a second.
BATCH_TOKENS_PER_THREAD = 16


class Wllama(NoScores, CommonOps):
    """Implements pyapp.engine.Engine. `most_threads`: where other work makes threads wait, 1 is faster.

    With `embeddings` it gives vectors too, and reads each text in one piece.
    """

    name = "wllama"

    def __init__(
        self,
        transport: Transport,
        *,
        seed: Callable[[], int],
        most_threads: int | None = None,
        embeddings: bool = False,
    ) -> None:
        super().__init__(transport, seed=seed)
        self._most_threads = most_threads
        self._embeddings = embeddings

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """L2-normalised mean vectors, in the order of `texts`. Raises EngineError."""
        self._model()
        try:
            return [value["vector"] for value in await self._all("embed", {"texts": list(texts)})]
        except Exception as error:
            await self._failed(error)
            raise

    def _load_payload(self, model: ModelSpec, variant: Variant, threads: int) -> Mapping[str, Json]:
        used = min(threads, self._most_threads or threads)
        return {
            "threads": used,
            "context_tokens": model.context_tokens,
            "batch_tokens": model.context_tokens if self._embeddings else BATCH_TOKENS_PER_THREAD * used,
            "embeddings": self._embeddings,
        }

    def _constraint(self, request: GenerateRequest) -> Mapping[str, Json]:
        return {"schema": request.schema}
