"""The engine that runs ONNX models with transformers.js in a worker (site/engines/transformers_js.js)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from pyapp.engine import GenerateRequest, Json, Message, Progress, wire
from pyapp.engines.in_worker import CommonOps
from pyapp.errors import EmptyPrompt, InvalidRequest, WrongAnswer
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.structured.grammar import grammar


class TransformersJs(CommonOps):
    """Implements pyapp.engine.Engine."""

    name = "transformers_js"
    scores = True

    def _load_payload(self, model: ModelSpec, variant: Variant, threads: int) -> Mapping[str, Json]:
        return {"dtype": variant.dtype}

    def _constraint(self, request: GenerateRequest) -> Mapping[str, Json]:
        return {"grammar": None if request.schema is None else grammar(request.schema, "plain")}

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        """Of each candidate as the tokenizer spells it; that it could be spelled otherwise too is not counted."""
        if not messages or not messages[-1].text.strip():
            raise EmptyPrompt()
        if not candidates:
            raise InvalidRequest("there is nothing to score")
        self._model()
        payload = {"messages": wire(messages), "candidates": list(candidates)}
        try:
            scores: list[float] = (await self._one("score", payload))["scores"]
        except Exception as error:
            await self._failed(error)
            raise
        return scores

    async def _stages(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        async with aclosing(super()._stages(model, variant)) as stages:
            async for progress in stages:
                yield progress
        if variant.self_test is not None:
            yield Progress("self_test")
            known = list(variant.self_test.next_ids)
            asked = {"prompt_ids": list(variant.self_test.prompt_ids), "steps": len(known)}
            given = (await self._one("self_test", asked))["next_ids"]
            if given != known:
                raise WrongAnswer(f"{variant.name} gave {given} where {known} is right")
