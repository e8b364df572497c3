"""From a state to the next: the piece that is missing is asked for, again where it is not fit, and put in its place."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import assert_never

from pyapp.engine import Finished, GenerateRequest, Json, Sampling, TextDelta
from pyapp.errors import ContextOverflow, NoDocument
from pyapp.structured.document import Document, Growing
from pyapp.tasks.course.given import Brief
from pyapp.tasks.course.parts import Context, Maker, maker
from pyapp.tasks.course.state import Outline, Part, Piece, Plan, State, fraction, next_piece, settled
from pyapp.tasks.course.tidy import ended
from pyapp.tasks.task import Step, Work

TEMPERATURES = (0.3, 0.7, 1.0)  # of the attempts: who repeats itself is given more freedom
SHARES = (1.0, 0.5, 0.25, 0.125, 0.0625, 0.03, 0.0)  # of the material and the lesson, where all does not fit


async def written(state: State, brief: Brief, work: Work) -> AsyncGenerator[Step, None]:
    """To the end. Raises CandilError; what is settled is whole."""
    while piece := next_piece(state):
        async with aclosing(_piece(state, piece, brief, work)) as steps:
            async for step in steps:
                yield step
                state = step.state if step.settled else state


async def _piece(state: State, piece: Piece, brief: Brief, work: Work) -> AsyncGenerator[Step, None]:
    makes = maker(Context(state, brief), piece)
    done, (doing, values) = fraction(state, brief), said(state, piece)
    yield Step(state, done, doing, values, settled=False)
    best: Json = None
    failed: NoDocument | None = None
    answers = 0
    for temperature in TEMPERATURES:
        request = await _request(makes, best, temperature, work)
        try:
            async with aclosing(_answer(makes, request, work)) as growing:
                async for value, whole in growing:
                    if whole:
                        best, answers = makes.read(value, best), answers + 1
                    else:
                        yield Step(makes.grown(value), done, doing, values, settled=False)
        except NoDocument as error:
            failed = error
        if answers and makes.is_enough(best):
            break
    if failed and not answers:
        raise failed
    state = settled(makes.put(best))
    yield Step(state, fraction(state, brief), doing, values)


async def _answer(makes: Maker, request: GenerateRequest, work: Work) -> AsyncGenerator[tuple[Json, bool], None]:
    """What has come so far, and at last the whole, with True."""
    if makes.schema is None:
        text = ""
        async with aclosing(work.ask(request)) as events:
            async for event in events:
                match event:
                    case TextDelta(piece):
                        text += piece
                        yield text, False
                    case Finished("length"):
                        text = ended(text)
                    case _:
                        pass
        yield text, True
        return
    async with aclosing(work.document(request)) as documents:
        async for document in documents:
            match document:
                case Growing(dict() as value):
                    yield value, False
                case Document(value):
                    yield value, True
                case _:
                    pass


async def _request(makes: Maker, best: Json, temperature: float, work: Work) -> GenerateRequest:
    """With as much of the material as the window holds beside the answer."""
    window = await work.window()
    for share in SHARES:
        messages = makes.messages(share, best)
        size = await work.count(messages)
        if size + makes.tokens <= window:
            break
    else:
        raise ContextOverflow(prompt_tokens=size + makes.tokens, context_tokens=window)
    sampling = Sampling(temperature=temperature)
    return GenerateRequest(messages, sampling, max_new_tokens=makes.tokens, schema=makes.schema)


def said(state: State, piece: Piece) -> tuple[str, dict[str, Json]]:
    """Which sentence tells what is being made, and its values."""
    modules = len(state.get("modules", ()))
    match piece:
        case Outline():
            return "course.doing.outline", {}
        case Plan(module):
            return "course.doing.plan", {"module": module + 1, "modules": modules}
        case Part(kind, module, lesson):
            lessons = len(state["modules"][module]["lessons"])
            numbers = {"module": module + 1, "modules": modules, "lesson": lesson + 1, "lessons": lessons}
            return f"course.doing.{kind}", numbers
        case _ as unknown:
            assert_never(unknown)
