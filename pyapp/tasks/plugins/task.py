"""A task of the user's own, through the same door as those that come with Candil."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

from pyapp.engine import Json
from pyapp.errors import BadInput, PluginFailed
from pyapp.routing.needs import Needs
from pyapp.tasks.blocks import Block
from pyapp.tasks.plugins import wire
from pyapp.tasks.plugins.described import Described, names, with_english
from pyapp.tasks.plugins.guest import Guest
from pyapp.tasks.plugins.wire import Fault
from pyapp.tasks.task import Action, Export, Given, Say, Step, Strings, Work

T = TypeVar("T")
LONGEST_TITLE = 200


class PluginTask:
    """Implements pyapp.tasks.task.Task. Everything raises PluginError beside what the contract names."""

    def __init__(self, described: Described, guest: Guest) -> None:
        self.name = described.name
        self.strings: Strings = with_english(described.strings)
        self.fields = described.fields
        self.exports = described.exports
        self.schema = described.schema
        self._needs = described.needs
        self._guest = guest

    def needs(self, given: Given) -> Needs:
        return replace(self._needs, words=sum(map(_words, given.values())))

    async def check(self, given: Given) -> None:
        try:
            await self._values("check", given)
        except BadInput as error:
            if error.details["field"] not in {field.name for field in self.fields}:
                raise _wrong("check", f"BadInput names no field: {error.details['field']!r:.80}") from error
            with _Checked("check"):
                self._sayable("BadInput", str(error.details["why"]), error.details)
            raise

    async def title(self, given: Given, state: Json | None) -> str:
        said = await self._one(str, "title", given, state=state)
        return " ".join(said.split())[:LONGEST_TITLE]

    def run(self, given: Given, state: Json | None, work: Work) -> AsyncGenerator[Step, None]:
        return self._steps("run", {"given": given, "state": state}, work)

    def act(self, given: Given, state: Json, action: Action, work: Work) -> AsyncGenerator[Step, None]:
        return self._steps("act", {"given": given, "state": state, "action": wire.to_json(action)}, work)

    async def view(self, given: Given, state: Json, say: Say) -> Sequence[Block]:
        found = await self._values("view", given, state=state, language=say.code)
        with _Checked("view"):
            return wire.read_all(Block, found[0] if found else None, "blocks")

    async def export(self, given: Given, state: Json, kind: str, say: Say) -> Export:
        return await self._one(Export, "export", given, state=state, kind=kind, language=say.code)

    async def _steps(self, verb: str, asked: Mapping[str, object], work: Work) -> AsyncGenerator[Step, None]:
        step = None
        async with aclosing(self._guest.call(verb, {**asked, "language": work.language}, work)) as values:
            async for value in values:
                with _Checked(verb):
                    step = self._step(value)
                yield step
        if verb == "run" and (step is None or not step.settled):
            raise _wrong("run", "the last Step must be settled")

    def _step(self, value: Json) -> Step:
        step = wire.read(Step, value, "step")
        if step.doing:
            self._sayable("step.doing", step.doing, step.values)
        return step

    def _sayable(self, what: str, key: str, values: Mapping[str, object]) -> None:
        """Raises Fault unless `key` is a sentence of this task and every value is there that it names."""
        for strings in self.strings.values():
            if key not in strings:
                raise Fault(f"{what} must be a key of TASK.strings, not {key!r:.80}")
            if missing := names(strings[key]) - values.keys():
                raise Fault(f"{what}, {key!r:.80}, needs the values {', '.join(sorted(missing))}")

    async def _one(self, kind: type[T], verb: str, given: Given, /, **more: object) -> T:
        found = await self._values(verb, given, **more)
        with _Checked(verb):
            return wire.read(kind, found[0] if found else None, verb)

    async def _values(self, verb: str, given: Given, /, **more: object) -> list[Json]:
        async with aclosing(self._guest.call(verb, {"given": given, **more})) as values:
            return [value async for value in values]


class _Checked:
    """What its author did wrong is a failure of the task."""

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, Fault):
            raise _wrong(self._verb, str(error)) from error


def _wrong(verb: str, what: str) -> PluginFailed:
    return PluginFailed(error=f"{verb}: {what}", at="")


def _words(value: Any) -> int:
    """Of a field's text, or a file's pages."""
    if isinstance(value, str):
        return len(value.split())
    return sum(map(_words, value["pages"])) if isinstance(value, Mapping) else 0
