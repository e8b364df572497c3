"""A small task with every kind of field and every kind of block: parts about a topic, each one asked of the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from pyapp.engine import GenerateRequest, Message, TextDelta
from pyapp.errors import BadInput
from pyapp.routing.needs import Needs
from pyapp.tasks.blocks import (
    Block,
    Button,
    Edit,
    Fold,
    Heading,
    Passage,
    Point,
    Points,
    Prose,
    Question,
    Section,
    Table,
)
from pyapp.tasks.task import Action, Export, Field, Given, Say, Step, Strings, Work

STRINGS: Strings = {
    "en": {
        "scripted.title": "Notes",
        "scripted.about": "A few parts about whatever you like, one after the other.",
        "scripted.topic": "Topic",
        "scripted.topic.help": "A word or two.",
        "scripted.notes": "Notes",
        "scripted.parts": "Parts",
        "scripted.style": "Style",
        "scripted.style.plain": "Plain",
        "scripted.style.kind": "Kind",
        "scripted.level": "Level",
        **{f"scripted.level.{level}": level.upper() for level in ("a1", "a2", "b1", "b2", "c1", "c2")},
        "scripted.careful": "Be careful",
        "scripted.source": "Source",
        "scripted.forbidden": "Not about this. Choose another topic.",
        "scripted.doing": "Writing part {n} of {all}",
        "scripted.export.text": "Text",
    },
    "es": {
        "scripted.title": "Apuntes",
        "scripted.about": "Unas partes sobre lo que quieras, una tras otra.",
        "scripted.topic": "Tema",
        "scripted.topic.help": "Una o dos palabras.",
        "scripted.notes": "Notas",
        "scripted.parts": "Partes",
        "scripted.style": "Estilo",
        "scripted.style.plain": "Llano",
        "scripted.style.kind": "Amable",
        "scripted.level": "Nivel",
        **{f"scripted.level.{level}": level.upper() for level in ("a1", "a2", "b1", "b2", "c1", "c2")},
        "scripted.careful": "Con cuidado",
        "scripted.source": "Fuente",
        "scripted.forbidden": "De esto no. Elige otro tema.",
        "scripted.doing": "Escribe la parte {n} de {all}",
        "scripted.export.text": "Texto",
    },
}


class ScriptedTask:
    """Implements pyapp.tasks.task.Task."""

    name = "scripted"
    strings: Strings = STRINGS
    fields: Sequence[Field] = (
        Field("topic", "line", required=True),
        Field("notes", "text", most=2000),
        Field("parts", "number", required=True, default=3, least=1, most=50),
        Field("style", "choice", default="plain", options=("plain", "kind")),
        Field("level", "choice", default="b1", options=("a1", "a2", "b1", "b2", "c1", "c2")),
        Field("careful", "check"),
        Field("source", "file", accept=".txt"),
    )
    exports: Sequence[str] = ("text",)
    schema: Any = True

    def needs(self, given: Given) -> Needs:
        return Needs("course", words=len(str(given["topic"]).split()))

    async def check(self, given: Given) -> None:
        if given["topic"] == "forbidden":
            raise BadInput(field="topic", why="scripted.forbidden")

    async def title(self, given: Given, state: Any) -> str:
        return str(state["title"] if state else given["topic"])

    async def run(self, given: Given, state: Any, work: Work) -> AsyncGenerator[Step, None]:
        state = state or {"title": given["topic"], "parts": []}
        total = int(given["parts"])
        for n in range(len(state["parts"]), total):
            doing: Mapping[str, Any] = {"n": n + 1, "all": total}
            text = ""
            async for text in _asked(f"part {n + 1}", work):
                growing = {**state, "parts": [*state["parts"], _part(text)]}
                yield Step(growing, n / total, "scripted.doing", doing, settled=False)
            state = {**state, "parts": [*state["parts"], _part(text)]}
            yield Step(state, (n + 1) / total, "scripted.doing", doing)
        yield Step(state, 1.0)

    async def act(self, given: Given, state: Any, action: Action, work: Work) -> AsyncGenerator[Step, None]:
        if action.name == "rename":
            if not action.text.strip():
                raise BadInput(field="", why="tasks.wrong.required")
            yield Step({**state, "title": action.text})
            return
        parts = list(state["parts"])
        at = int(action.value)
        if action.name == "answer":
            parts[at] = {**parts[at], "chosen": int(action.text)}
        else:
            async for text in _asked("again", work):
                parts[at] = _part(text)
                yield Step(
                    {**state, "parts": list(parts)}, doing="scripted.doing", values={"n": 1, "all": 1}, settled=False
                )
        yield Step({**state, "parts": parts})

    async def view(self, given: Given, state: Any, say: Say) -> Sequence[Block]:
        blocks: list[Block] = [Edit("rename", "", "Title", state["title"]), Heading("Parts")]
        for n, part in enumerate(state["parts"]):
            inside: list[Block] = [
                Heading(f"Part {n + 1}", 4),
                Prose(part["text"]),
                Points([Point("It *says* so", [f"p{n}"])]),
                Question(
                    "answer", str(n), "What is it?", ["One thing", "Another"], 1, part["chosen"], "It is said above."
                ),
                Button("again", "Write it again", str(n)),
            ]
            blocks.append(Section(inside, f"part-{n}", growing=not part["text"].endswith(".")))
        rows: list[list[str | float | None]] = [
            [f"Part {n + 1}", len(part["text"]), 0.5] for n, part in enumerate(state["parts"])
        ]
        blocks.append(Table(["Part", "Characters", "Share"], rows, "How long they are"))
        blocks.append(Fold("Sources", [Passage(f"p{n}", part["text"], "") for n, part in enumerate(state["parts"])]))
        return blocks

    async def export(self, given: Given, state: Any, kind: str, say: Say) -> Export:
        text = "\n\n".join([state["title"], *(part["text"] for part in state["parts"])])
        return Export(f"{state['title']}.txt", "text/plain", text.encode())


async def _asked(what: str, work: Work) -> AsyncGenerator[str, None]:
    """The answer so far, again and again."""
    text = ""
    async for event in work.ask(GenerateRequest((Message("user", what),))):
        if isinstance(event, TextDelta):
            text += event.text
            yield text


def _part(text: str) -> Mapping[str, Any]:
    return {"text": text, "chosen": None}


TASK = ScriptedTask()
