"""The engine that runs ONNX models with transformers.js in a worker (site/engines/transformers_js.js)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from pyapp.engine import GenerateRequest, Json, Progress
from pyapp.engines.in_worker import CommonOps
from pyapp.engines.no_scores import NoScores
from pyapp.errors import InvalidRequest, WrongAnswer
from pyapp.models.manifest import ModelSpec, Variant


class TransformersJs(NoScores, CommonOps):
    """Implements pyapp.engine.Engine."""

    name = "transformers_js"
    constrains = False

    def _load_payload(self, model: ModelSpec, variant: Variant, threads: int) -> Mapping[str, Json]:
        return {"dtype": variant.dtype}

    def _constraint(self, request: GenerateRequest) -> Mapping[str, Json]:
        if request.schema is not None:
            raise InvalidRequest("this engine cannot hold an answer to a schema")
        return {}

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
