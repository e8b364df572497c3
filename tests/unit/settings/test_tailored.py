"""An engine that is asked as the settings say, and only what fits; against an engine that counts letters."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from pyapp.engine import Finished, GenerateEvent, GenerateRequest, Message, Progress, Sampling, TextDelta, Usage
from pyapp.errors import ContextOverflow, EmptyPrompt, NotLoaded
from pyapp.models.manifest import ModelSpec, Variant
from pyapp.settings.context_plan import SUMMARY_TOKENS, Meter
from pyapp.settings.tailored import SUMMARIES, Tailored, Wishes, Words
from tests.unit.models.made import model, variant
from tests.unit.run import run

WINDOW = 1000
VARIANT = variant()
MODEL = replace(model(VARIANT), context_tokens=WINDOW)
WORDS = Words("Sum up", "Earlier:", "You", "Candil")
USAGE = Usage(prompt_tokens=40, cached_tokens=0, new_tokens=2, prefill_ms=1, decode_ms=1)


@dataclass
class LetterEngine:
    """A letter is a token, a message ten besides, and the template five. It answers with what it was told to."""

    says: str = "Yes"
    name: str = "letters"
    constrains: bool = True
    scores: bool = True
    requests: list[GenerateRequest] = field(default_factory=list)
    counted: list[tuple[Message, ...]] = field(default_factory=list)
    unloaded: bool = False

    async def load(self, model: ModelSpec, variant: Variant) -> AsyncGenerator[Progress, None]:
        yield Progress("session")

    async def count(self, messages: Sequence[Message]) -> int:
        self.counted.append(tuple(messages))
        return 5 + sum(10 + len(message.text) for message in messages)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[GenerateEvent, None]:
        self.requests.append(request)
        yield TextDelta(self.says)
        yield Finished("stop", USAGE)

    async def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Sequence[float]:
        return [-float(len(candidate)) for candidate in candidates]

    async def unload(self) -> None:
        self.unloaded = True


@dataclass
class Stage:
    wishes: Wishes = field(default_factory=Wishes)
    engine: LetterEngine = field(default_factory=LetterEngine)
    meters: list[Meter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tailored = Tailored(self.engine, lambda: self.wishes, lambda: WORDS, self.meters.append)
        run(self._load())

    async def _load(self) -> None:
        assert [progress async for progress in self.tailored.load(MODEL, VARIANT)] == [Progress("session")]

    def ask(self, *messages: Message, **others: bool) -> GenerateRequest:
        """What the engine was asked in the end."""

        async def asking() -> None:
            request = GenerateRequest(messages, **others)  # type: ignore[arg-type]
            assert [event async for event in self.tailored.generate(request)][-1] == Finished("stop", USAGE)

        run(asking())
        return self.engine.requests[-1]


def talk(turns: int, size: int = 90, attached: tuple[int, ...] = ()) -> tuple[Message, ...]:
    """`turns` of 200 tokens each when `size` is 90, and a question of 14."""
    said: list[Message] = []
    for at in range(turns):
        said.append(Message("user", f"{at:0{size}}", attached=at in attached))
        said.append(Message("assistant", "a" * size))
    return (*said, Message("user", "last"))


def asked(request: GenerateRequest) -> list[str]:
    """The questions that were asked, by their numbers."""
    return [m.text.lstrip("0") or "0" for m in request.messages if m.role == "user"]


def test_a_request_is_made_as_the_settings_say() -> None:
    stage = Stage(Wishes(Sampling(temperature=0.7), 200, "Be kind."))
    assert stage.ask(*talk(1)) == GenerateRequest(
        (Message("system", "Be kind."), *talk(1)), Sampling(temperature=0.7), 200
    )
    assert len(stage.engine.counted) == 1
    assert stage.meters == [Meter(18 + 200 + 19, WINDOW), Meter(42, WINDOW)]


def test_without_instructions_there_is_no_system_message() -> None:
    assert Stage().ask(*talk(1)).messages == talk(1)


def test_a_request_with_a_system_message_of_its_own_is_only_fitted() -> None:
    stage = Stage(Wishes(Sampling(temperature=0.7), 100, "Be kind."))
    own = Message("system", "Give it a title.")
    request = stage.ask(own, *talk(10))
    assert (request.sampling, request.messages[0]) == (Sampling(), own)
    assert len(request.messages) < 21


def test_the_oldest_are_dropped_and_no_size_is_asked_twice() -> None:
    stage = Stage(Wishes(max_new_tokens=100))
    request = stage.ask(*talk(10))
    assert asked(request) == ["8", "9", "last"]
    assert stage.meters == [Meter(419, WINDOW, 16), Meter(42, WINDOW, 16)]
    assert request.max_new_tokens == 100
    sized = [each for each in stage.engine.counted if each[-1].text == "?" and len(each) == 3]
    assert [int(each[0].text) for each in sized] == [9, 8, 7, 6, 5]
    before = len(stage.engine.counted)
    assert asked(stage.ask(*talk(10))) == ["8", "9", "last"]
    assert len(stage.engine.counted) == before + 2


def test_attachments_stay() -> None:
    assert asked(Stage(Wishes(max_new_tokens=100)).ask(*talk(10, attached=(0,)))) == ["0", "9", "last"]


def test_the_window_of_the_settings_is_kept() -> None:
    request = Stage(Wishes(max_new_tokens=100, context_tokens=400)).ask(*talk(4))
    assert asked(request) == ["last"]
    assert Stage(Wishes(context_tokens=9999)).tailored.wishes().limits(MODEL).window_tokens == WINDOW


def test_history_is_limited() -> None:
    assert asked(Stage(Wishes(history_messages=3)).ask(*talk(4))) == ["3", "last"]


def test_whoever_wants_to_stop_is_told() -> None:
    stage = Stage(Wishes(max_new_tokens=100, overflow="stop"))
    with pytest.raises(ContextOverflow) as caught:
        stage.ask(*talk(10))
    assert caught.value.details == {"prompt_tokens": 2019, "context_tokens": WINDOW}
    assert stage.engine.requests == []


def test_an_answer_goes_on_with_its_question() -> None:
    request = Stage(Wishes(max_new_tokens=100)).ask(*talk(10), Message("assistant", "half"), continue_last=True)
    assert [m.text for m in request.messages[-2:]] == ["last", "half"]
    assert request.continue_last


def test_a_conversation_that_begins_with_an_answer() -> None:
    messages = (Message("assistant", "Hello"), Message("user", "Hi"))
    assert Stage().ask(*messages).messages == messages


def test_a_summary_is_made_once_and_stands_in_front() -> None:
    stage = Stage(Wishes(max_new_tokens=100, overflow="summarise", instructions="Be kind."), LetterEngine("They met."))
    request = stage.ask(*talk(5))
    summary = stage.engine.requests[0]
    assert summary.messages[0] == Message("system", "Sum up")
    assert summary.messages[1].text.startswith(f"You: {1:090}\n\nCandil: {'a' * 90}\n\nYou: ")  # 0 is too much
    assert (summary.max_new_tokens, summary.sampling.temperature) == (SUMMARY_TOKENS, 0)
    assert request.messages[0] == Message("system", "Be kind.\n\nEarlier:\nThey met.")
    assert asked(request) == ["4", "last"]
    assert len(stage.engine.requests) == 2
    assert asked(stage.ask(*talk(6))) == ["4", "5", "last"]
    assert len(stage.engine.requests) == 3
    stage.ask(*talk(9))
    assert "They met.\n\nYou: " in stage.engine.requests[3].messages[1].text
    assert list(stage.tailored._summaries.values()) == ["They met."]


def test_without_instructions_a_summary_is_the_system_message() -> None:
    stage = Stage(Wishes(max_new_tokens=100, overflow="summarise"))
    assert stage.ask(*talk(5)).messages[0] == Message("system", "Earlier:\nYes")


def test_what_no_summary_can_be_made_of_is_dropped() -> None:
    stage = Stage(Wishes(max_new_tokens=100, overflow="summarise"))
    assert stage.ask(*talk(1, size=800)).messages == (Message("user", "last"),)
    assert len(stage.engine.requests) == 1


def test_a_summary_is_of_the_latest_that_fits() -> None:
    stage = Stage(Wishes(max_new_tokens=100, overflow="summarise"))
    stage.ask(*talk(200))
    assert stage.engine.requests[0].messages[1].text.startswith(f"You: {196:090}")
    assert max(len(each) for each in stage.engine.counted[1:]) < 200, "what is far too long is not counted"


def test_few_summaries_are_kept() -> None:
    stage = Stage(Wishes(max_new_tokens=100, overflow="summarise"))
    for size in range(90, 90 + SUMMARIES + 3):
        stage.ask(*talk(5, size))
    assert len(stage.tailored._summaries) == SUMMARIES


def test_a_conversation_is_measured() -> None:
    stage = Stage(Wishes(instructions="Be kind."))
    assert run(stage.tailored.measure(talk(1))) == Meter(18 + 200 + 19, WINDOW)
    assert run(stage.tailored.measure(talk(100))) == Meter(WINDOW, WINDOW)
    assert run(stage.tailored.measure(())) == Meter(0, WINDOW)


def test_it_counts_and_unloads_as_the_engine() -> None:
    stage = Stage(Wishes(instructions="Be kind."))
    assert run(stage.tailored.count(talk(0))) == 19
    assert stage.tailored.name == "letters"
    run(stage.tailored.unload())
    assert stage.engine.unloaded
    with pytest.raises(NotLoaded):
        stage.ask(*talk(1))
    with pytest.raises(NotLoaded):
        run(stage.tailored.measure(talk(1)))


def test_what_must_be_a_document_passes_as_it_is() -> None:
    stage = Stage(Wishes(Sampling(temperature=0.7), 100, "Be kind."))
    request = GenerateRequest(talk(10), Sampling(temperature=0), 900, schema={"type": "object"})

    async def asking() -> list[GenerateEvent]:
        return [event async for event in stage.tailored.generate(request)]

    assert run(asking()) == [TextDelta("Yes"), Finished("stop", USAGE)]
    assert stage.engine.requests == [request]
    assert stage.engine.counted == []


def test_what_the_engine_can_it_can() -> None:
    tailored = Stage().tailored
    assert tailored.constrains
    assert tailored.scores
    assert run(tailored.score(talk(0), ["a", "bc"])) == [-1.0, -2.0]


def test_nothing_is_no_prompt() -> None:
    with pytest.raises(EmptyPrompt):
        Stage(Wishes(instructions="Be kind.")).ask()
