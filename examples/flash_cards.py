"""A task of your own: flash cards from notes, one for each paragraph. docs/plugins.md goes through it."""

import csv
import io

from pyapp.engine import GenerateRequest, Message
from pyapp.errors import BadInput
from pyapp.routing.needs import Needs
from pyapp.structured.document import Document
from pyapp.tasks.blocks import Fold, Prose
from pyapp.tasks.task import Export, Field, Step

LINE = {"type": "string", "minLength": 1, "maxLength": 160}
CARD = {
    "type": "object",
    "properties": {"question": LINE, "answer": LINE},
    "required": ["question", "answer"],
    "additionalProperties": False,
}
PROMPT = "Notes:\n{notes}\n\nWrite one short question about these notes, and its answer."


class FlashCards:
    name = "flash_cards"
    fields = (Field("notes", "text", required=True, most=20_000),)
    exports = ("csv",)
    schema = {"type": "array", "items": CARD}
    strings = {
        "en": {
            "flash_cards.title": "Flash cards",
            "flash_cards.about": "A question and an answer for every paragraph of your notes.",
            "flash_cards.notes": "Notes",
            "flash_cards.no_notes": "Write at least one paragraph.",
            "flash_cards.doing": "Card {n} of {all}",
            "flash_cards.export.csv": "Save for Anki (CSV)",
        },
        "es": {
            "flash_cards.title": "Tarjetas de estudio",
            "flash_cards.about": "Una pregunta y una respuesta por cada párrafo de tus apuntes.",
            "flash_cards.notes": "Apuntes",
            "flash_cards.no_notes": "Escribe al menos un párrafo.",
            "flash_cards.doing": "Tarjeta {n} de {all}",
            "flash_cards.export.csv": "Guardar para Anki (CSV)",
        },
    }

    def needs(self, given):
        return Needs("course", schema=True)

    async def check(self, given):
        if not paragraphs(given):
            raise BadInput(field="notes", why="flash_cards.no_notes")

    async def title(self, given, state):
        return paragraphs(given)[0][:60]

    async def run(self, given, state, work):
        cards, notes = list(state or []), paragraphs(given)
        for n in range(len(cards), len(notes)):  # after a pause it goes on behind the cards there are
            yield Step(cards, n / len(notes), "flash_cards.doing", {"n": n + 1, "all": len(notes)})
            cards = [*cards, await card(notes[n], work)]
        yield Step(cards, 1)

    async def act(self, given, state, action, work):
        yield Step(state, 1)  # nothing in the view can be pressed

    async def view(self, given, state, say):
        return [Fold(each["question"], [Prose(each["answer"])]) for each in state]

    async def export(self, given, state, kind, say):
        out = io.StringIO()
        csv.writer(out).writerows((each["question"], each["answer"]) for each in state)
        return Export("flash-cards.csv", "text/csv", out.getvalue().encode())


def paragraphs(given):
    return [each.strip() for each in given["notes"].split("\n\n") if each.strip()]


async def card(notes, work):
    question = [Message("user", PROMPT.format(notes=notes))]
    async for event in work.document(GenerateRequest(question, max_new_tokens=200, schema=CARD)):
        if isinstance(event, Document):  # it validates; what comes before it is the card as it grows
            return event.value


TASK = FlashCards()
