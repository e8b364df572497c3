"""The tasks in the page: what there is, the form with everything a screen reader needs, and a run as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pyapp.chat.tree import Origin
from pyapp.engine import Usage
from pyapp.errors import BadInput, EngineFailed, NoDocument, NotText
from pyapp.routing.needs import Needs
from pyapp.routing.route import Choice, Routed
from pyapp.routing.table import Candidate, Decision, Reason
from pyapp.tasks.blocks import Prose
from pyapp.tasks.fields import defaults
from pyapp.tasks.records import Run, Status
from pyapp.tasks.summarise import TASK as SUMMARISE
from pyapp.tasks.task import Field, Step
from pyapp.tasks_page import Form, Home, Reading, ReadingFile, Row
from pyapp.views import tasks as view
from pyapp.views.task_blocks import Drawer, Piece, changes
from tests.unit.tasks.scripted_task import ScriptedTask
from tests.unit.tasks.stage import ORIGIN
from tests.unit.views.languages import EN, ES

TASK = ScriptedTask()
RUN = Run("r1", "scripted", "Lamps", 1_700_000_000_000, 1_700_000_000_000, "running", 0.4)
SENT = Origin("Big", "server", "openai_http", "models.example", "")
CLOUD = Origin("acme-1", "server", "openai_http", "site.example", "Acme")
CANDIDATE = Candidate("k", "device", "Tiny", 2048)
ROUTED = Routed(object(), ORIGIN, 2048, Needs("course"), Decision(CANDIDATE, (), (Reason("kind", "Tiny", "device"),)))  # type: ignore[arg-type]


def drawn(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.html for piece in pieces)


def form(language: Any = EN, **changed: Any) -> str:
    return drawn(view.form(Form(TASK, defaults(TASK.fields), **changed), language))


def reading(run: Run = RUN, language: Any = EN, **changed: Any) -> str:
    row = changed.pop("row", Row(run, TASK))
    return drawn(view.reading(Reading(row, **changed), Drawer(language), language))


# ---- what there is ----


def test_cards_and_nothing_made_yet() -> None:
    html = drawn(view.home(Home([TASK], []), ES))
    assert 'data-action="task-new" data-id="scripted"' in html
    assert "<strong>Apuntes</strong>" in html
    assert "Nada todavía" in html
    assert 'data-action="tasks-chat"' in html


@pytest.mark.parametrize(
    ("row", "has", "has_not"),
    [
        (Row(RUN, TASK), ["Working", "40", 'aria-label="Pause “Lamps”"', "<progress"], ["task-resume"]),
        (Row(RUN, TASK, waits=True), ["Waiting for its turn", "task-pause"], []),
        (Row(RUN, TASK, elsewhere=True), ["Working in another tab"], ["task-pause", "task-delete"]),
        (Row(replace(RUN, status="paused"), TASK), ["Paused", "task-resume", "task-delete"], ["<progress"]),
        (Row(replace(RUN, status="failed"), TASK), ["Stopped by an error", "task-resume"], []),
        (Row(replace(RUN, status="done"), TASK), ["Done", "task-delete"], ["task-resume", "40"]),
        (Row(replace(RUN, fraction=None), TASK), ['<progress max="1000" aria-label'], []),
        (Row(replace(RUN, status="paused"), None), ["Paused", "task-delete"], ["task-resume", "Notes ·"]),
    ],
)
def test_a_run_in_the_list(row: Row, has: list[str], has_not: list[str]) -> None:
    html = drawn(view.home(Home([TASK], [row]), EN))
    for part in has:
        assert part in html
    for part in has_not:
        assert part not in html


def test_a_row_that_changes_is_drawn_alone() -> None:
    rows = [Row(replace(RUN, id=f"r{n}"), TASK) for n in range(3)]
    before = view.home(Home([TASK], rows), EN)
    after = view.home(Home([TASK], [rows[0], replace(rows[1], waits=True), rows[2]]), EN)
    assert [change.path for change in changes(before, after)] == [(4, 1)]


def test_deleted() -> None:
    assert view.deleted(RUN, EN) == "“Lamps” was deleted."


# ---- the form ----


def test_one_of_two_fields_is_not_optional() -> None:
    html = drawn(view.form(Form(SUMMARISE, defaults(SUMMARISE.fields)), EN))
    assert 'data-field="file"' in html
    assert 'class="optional"' not in html


def test_every_field_has_its_label_and_its_help() -> None:
    html = form()
    for field in TASK.fields:
        assert f'data-field="{field.name}"' in html
    assert '<label for="task-field-topic">Topic</label>' in html
    assert '<p class="help" id="task-field-topic-help">A word or two.</p>' in html
    assert 'aria-describedby="task-field-topic-help" aria-required="true"' in html
    assert 'Notes <span class="optional">(optional)</span>' in html
    assert 'inputmode="numeric" value="3"' in html
    assert "<legend>Style</legend>" in html
    assert '<input type="radio" name="style" value="plain" checked>' in html
    assert '<option value="b1" selected>B1</option>' in html
    assert '<input type="checkbox" id="task-field-careful"' in html
    assert 'role="group" aria-labelledby="task-field-source-label"' in html
    assert 'type="file" hidden accept=".txt"' in html
    assert ">Start<" in html


def test_what_was_typed_is_there() -> None:
    values = {**defaults(TASK.fields), "topic": '"<b>', "notes": "\na", "careful": True, "style": "kind", "level": "c2"}
    html = drawn(view.form(Form(TASK, values), EN))
    assert 'value="&quot;&lt;b&gt;"' in html
    assert ">\n\na</textarea>" in html
    assert 'name="careful" checked>' in html
    assert 'value="kind" checked' in html
    assert '<option value="c2" selected>' in html


def test_what_is_wrong_stands_at_its_field() -> None:
    html = form(wrong=BadInput(field="parts", why="tasks.wrong.between", least=1, most=5000))
    assert '<p class="wrong" id="task-field-parts-wrong">Write a whole number from 1 to 5,000.</p>' in html
    assert 'aria-describedby="task-field-parts-wrong" aria-invalid="true"' in html
    assert html.count('class="wrong"') == 1
    assert "De esto no." in form(ES, wrong=BadInput(field="topic", why="scripted.forbidden"))


def test_what_is_wrong_with_no_field_stands_above_the_button() -> None:
    html = form(error=NoDocument(attempts=3))
    assert '<p class="wrong" role="alert">' in html


def test_a_file_is_named_with_its_size() -> None:
    values = {**defaults(TASK.fields), "source": {"name": "a.pdf", "pages": ["one two", "three"]}}
    html = drawn(view.form(Form(TASK, values), EN))
    assert "a.pdf" in html
    assert "2 pages, 3 words" in html
    assert 'aria-label="Remove a.pdf"' in html
    assert "Reading the file…" in form(reading=ReadingFile("source"))
    busy = form(reading=ReadingFile("source", 3, 30))
    assert "3 of 30 pages" in busy
    assert 'aria-disabled="true"' in busy
    assert "a.bin" in form(error=NotText(name="a.bin"), error_field="source")
    assert "Starting…" in form(starting=True)


def test_a_field_somebody_writes_in_is_not_drawn_over() -> None:
    before = view.form(Form(TASK, defaults(TASK.fields)), EN)
    typed = view.form(Form(TASK, {**defaults(TASK.fields), "topic": "Lamps", "parts": "9"}), EN)
    assert list(changes(before, typed)) == []
    wrong = Form(TASK, defaults(TASK.fields), BadInput(field="topic", why="tasks.wrong.required"))
    assert [change.path for change in changes(before, view.form(wrong, EN))] == [(2, 0)]
    reading_ = Form(TASK, defaults(TASK.fields), reading=ReadingFile("source", 1, 2))
    assert [change.path for change in changes(before, view.form(reading_, EN))] == [(2, 6), (2, 7)]


def test_a_number_without_a_value_is_empty() -> None:
    class One(ScriptedTask):
        fields: Sequence[Field] = (Field("parts", "number"),)

    html = drawn(view.form(Form(One(), {"parts": None}), EN))
    assert 'value=""' in html


# ---- one run ----


def test_a_run_that_works() -> None:
    step = Step({}, 0.4, "scripted.doing", {"n": 2, "all": 5})
    html = reading(step=step, seconds_left=130.0, routed=ROUTED, blocks=[Prose("Hello")])
    assert "Writing part 2 of 5 · about 2 min left" in html
    assert '<progress max="1000" value="400" aria-label="Progress: Lamps">' in html
    assert "On this device, with Tiny (processor)" in html
    assert "Tiny: first in the order for" in html
    assert 'data-action="task-pause"' in html
    assert "<p>Hello</p>" in html
    assert 'data-action="task-export" data-id="text"' in html
    waiting = reading(row=Row(RUN, TASK, waits=True), pending={("a", "b"): "c"})
    assert "Waiting for its turn" in waiting
    assert "taken up when the part" in waiting
    assert '<div class="route"><p></p></div><div class="route"></div>' in waiting


def test_a_run_that_is_done_says_whether_anything_left() -> None:
    done = replace(RUN, status="done", fraction=1.0, by=(ORIGIN,), usage=Usage(1, 0, 1234, 1, 1), worked_ms=65_000)
    html = reading(done)
    assert '<span class="private">On this device, with Tiny (processor)</span>' in html
    assert "Nothing left this device." in html
    assert "1,234 tokens, 1 min of work" in html
    assert "<progress" not in html
    assert "task-choices" not in html
    html = reading(replace(done, by=(ORIGIN, SENT, CLOUD)))
    assert '<span class="sent">Sent to models.example, with Big</span>' in html
    assert "Sent to Acme (acme-1) through site.example" in html
    assert "What you gave it was sent there." in html


@pytest.mark.parametrize("status", ["paused", "failed"])
def test_a_run_that_rests_can_go_on(status: Status) -> None:
    run = replace(RUN, status=status, by=(ORIGIN,), error=EngineFailed("x") if status == "failed" else None)
    html = reading(run)
    assert ("Continue" if status == "paused" else "Try again") in html
    assert 'data-action="task-choices"' in html
    assert ("is kept" in html) == (status == "failed")
    assert "no other model" in reading(run, choices=())
    offered = reading(run, choices=[Choice("other", SENT)])
    assert 'data-action="task-once" data-key="other">Sent to models.example, with Big' in offered
    assert "<progress" not in reading(replace(run, fraction=None))


def test_what_went_wrong_is_said_in_the_tasks_words() -> None:
    assert "Not about this." in reading(refused=BadInput(field="", why="scripted.forbidden"))
    assert "Something in the form" in reading(refused=BadInput(field="", why="a.key.nobody.knows"))
    gone = Row(replace(RUN, status="failed", error=EngineFailed()), None)
    html = reading(row=gone)
    assert "is not here any more" in html
    assert "task-resume" not in html
    assert "task-choices" not in html
    assert 'data-action="task-delete"' in html
    elsewhere = reading(row=Row(RUN, TASK, elsewhere=True))
    assert "Working in another tab" in elsewhere
    assert "task-delete" not in elsewhere


def test_what_is_said_to_those_who_cannot_see() -> None:
    step = Step({}, 0.4, "scripted.doing", {"n": 2, "all": 5})
    assert view.said(Reading(Row(RUN, TASK), step=step), EN) == "Lamps: Writing part 2 of 5, 40\N{NO-BREAK SPACE}%"
    assert view.said(Reading(Row(replace(RUN, fraction=None), TASK)), EN) == "Lamps: Working"
    for status in ("paused", "done", "failed"):
        assert "Lamps" in view.said(Reading(Row(replace(RUN, status=status), TASK)), ES)
