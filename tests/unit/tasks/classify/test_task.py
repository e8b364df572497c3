"""A run of the task: its steps, its resuming, what the user does in it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.engine import Json
from pyapp.errors import BadInput, EngineFailed, NoDocument
from pyapp.structured.faults import first_fault
from pyapp.tasks.blocks import Block, Button, Choice, Edit, Prose, Table
from pyapp.tasks.classify import TASK
from pyapp.tasks.classify.shown import ROWS
from pyapp.tasks.task import Action, Step
from tests.unit.run import run
from tests.unit.tasks.classify.models import hashing
from tests.unit.tasks.classify.say import EN
from tests.unit.tasks.scripted import ScriptedWork

LABELS = "spam: advertising\nwork\nfamily"
GIVEN = {"text": "one\ntwo\nthree\nfour", "labels": LABELS, "number": "one"}


def steps_of(given: dict[str, Any], state: Json = None, work: ScriptedWork | None = None) -> list[Step]:
    async def collect() -> list[Step]:
        return [step async for step in TASK.run(given, state, work or hashing())]

    return run(collect())


def acted(given: dict[str, Any], state: Json, action: Action) -> Json:
    async def collect() -> list[Step]:
        return [step async for step in TASK.act(given, state, action, ScriptedWork())]

    steps = run(collect())
    return steps[-1].state if steps else state


def view(given: dict[str, Any], state: Json, say: Any = EN) -> Sequence[Block]:
    return run(TASK.view(given, state, say))


def kept(state: Json) -> Json:
    """As it comes back after a reload."""
    return json.loads(json.dumps(state))


def test_an_item_a_step_in_order() -> None:
    steps = steps_of(GIVEN)
    assert [step.fraction for step in steps] == [0, 0.25, 0.5, 0.75, 1]
    assert [step.values for step in steps] == [{"done": n, "all": 4} for n in range(5)]
    assert all(step.settled and step.doing == "classify.doing" for step in steps)
    assert kept(steps[-1].state) == steps[-1].state
    for earlier, later in pairwise(steps):
        assert later.state["done"][: len(earlier.state["done"])] == earlier.state["done"]
    for done in steps[-1].state["done"]:
        assert math.fsum(done["p"]) == pytest.approx(1, abs=1e-6)
        assert done["labels"] == [["spam", "work", "family"][done["p"].index(max(done["p"]))]]


def test_a_run_that_has_ended_has_one_more_step() -> None:
    (*_, last) = steps_of(GIVEN)
    assert [(step.fraction, step.state) for step in steps_of(GIVEN, last.state)] == [(1, last.state)]


LINES = "\n".join(f"item {n} of a thousand" for n in range(1000))
THOUSAND = {"text": LINES, "labels": LABELS, "number": "one"}


def killed(given: dict[str, Any], state: Json, after: int) -> Json:
    """What is kept of a run that was ended after so many steps."""

    async def some() -> Json:
        left, settled = after, state
        async with aclosing(TASK.run(given, state, hashing())) as steps:
            async for step in steps:
                settled = step.state if step.settled else settled
                left -= 1
                if left <= 0:
                    break
        return settled

    return kept(run(some()))


WHOLE = steps_of(THOUSAND)[-1].state


@settings(max_examples=25)
@given(st.lists(st.integers(1, 400), max_size=6))
def test_a_thousand_lines_killed_anywhere_end_the_same(kills: list[int]) -> None:
    state = None
    for after in kills:
        state = killed(THOUSAND, state, after)
    assert steps_of(THOUSAND, state)[-1].state == WHOLE


def test_a_thousand_lines_sum_to_one_in_their_order() -> None:
    assert len(WHOLE["done"]) == 1000
    assert all(abs(math.fsum(done["p"]) - 1) <= 1e-6 for done in WHOLE["done"])
    exported = json.loads(run(TASK.export(THOUSAND, WHOLE, "json", EN)).data)
    assert [item["text"] for item in exported["items"]] == LINES.split("\n")


def test_of_very_many_items_not_every_one_is_settled_but_the_last_is() -> None:
    steps = steps_of({**GIVEN, "text": "x\n" * 5003}, work=ScriptedWork(scores=lambda _, c: [-1.0] * len(c)))
    assert sum(step.settled for step in steps) == 1 + 5003 // 5 + 1
    assert steps[-1].settled
    assert steps[-1].fraction == 1


def test_a_row_without_a_text_is_kept_and_not_asked_about() -> None:
    file = {"name": "a.csv", "pages": ["id,text\n1,a\n2,\n3,c"]}
    given = {"file": file, "column": "text", "labels": LABELS}
    state = steps_of(given)[-1].state
    assert [bool(done["labels"]) for done in state["done"]] == [True, False, True]
    csv = run(TASK.export(given, state, "csv", EN)).data.decode("utf-8-sig").splitlines()
    assert csv[0] == "id,text,Label,Probability"
    assert csv[2] == "2,,,"


def test_a_failure_keeps_what_is_done() -> None:
    def json_of(request: Any) -> Any:
        return EngineFailed() if "three" in request.messages[-1].text else {"label": "work"}

    seen = []

    async def until() -> None:
        async for step in TASK.run(GIVEN, None, ScriptedWork(json=json_of)):
            seen.append(step)

    with pytest.raises(EngineFailed):
        run(until())
    assert len(seen[-1].state["done"]) == 2
    rest = steps_of(GIVEN, kept(seen[-1].state), ScriptedWork(json=lambda _: {"label": "spam"}))
    assert [done["labels"] for done in rest[-1].state["done"]] == [["work"], ["work"], ["spam"], ["spam"]]


# ---- what is refused ----


def why(given: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as caught:
        run(TASK.check(given))
    assert caught.value.details["field"] in [field.name for field in TASK.fields]
    return str(caught.value.details["why"]).removeprefix("classify.bad.")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"labels": ""}, "labels_none"),
        ({"labels": "one"}, "labels_one"),
        ({"labels": "a\nA"}, "label_twice"),
        ({"labels": "", "number": "many"}, "labels_none"),
        ({"text": ""}, "nothing"),
        ({"examples": "x => y"}, "example_label"),
        ({"labels": "\n".join(map(str, range(500))), "text": "x\n" * 2001}, "too_much"),
    ],
)
def test_what_cannot_begin(changed: dict[str, Any], reason: str) -> None:
    assert why({**GIVEN, **changed}) == reason


@pytest.mark.parametrize(
    "changed", [{}, {"labels": "one", "number": "many"}, {"labels": "", "propose": True}, {"examples": "x => work"}]
)
def test_what_can(changed: dict[str, Any]) -> None:
    run(TASK.check({**GIVEN, **changed}))


def test_what_an_engine_must_be_good_for() -> None:
    needs = TASK.needs({**GIVEN, "text": "one\ntwo words here"})
    assert (needs.kind, needs.words, needs.schema) == ("classify", 3, True)
    assert needs.context_tokens > 0
    assert TASK.needs({}).words == 0


def test_titles() -> None:
    assert run(TASK.title(GIVEN, None)) == "one"
    assert run(TASK.title({"file": {"name": "a.csv", "pages": ["x\ny"]}}, None)) == "a.csv"
    assert run(TASK.title({"text": "long " * 50}, None)) == "long " * 9 + "long…"


# ---- proposed labels ----

PROPOSING = {**GIVEN, "labels": "Work: what I am paid for", "propose": True}
PROPOSAL = {"labels": [" Family ", "work", "family", "; ", "a;b:", "x" * 300]}


def proposing(answer: Json = PROPOSAL) -> ScriptedWork:
    return ScriptedWork(json=lambda _: answer)


def test_labels_are_proposed_and_wait_for_the_user() -> None:
    work = proposing()
    looking, waiting = steps_of(PROPOSING, work=work)
    assert (looking.settled, looking.doing) == (False, "classify.proposing")
    assert view(PROPOSING, looking.state) == []  # nothing to start with yet
    assert waiting.fraction == 1
    assert [label["name"] for label in waiting.state["labels"]] == ["Work", "Family", "a b", "x" * 100]
    (again,) = steps_of(PROPOSING, kept(waiting.state))
    assert again.state == waiting.state
    prose, edit, button = view(PROPOSING, waiting.state)
    assert isinstance(prose, Prose)
    assert isinstance(edit, Edit)
    assert edit.text.splitlines()[:2] == ["Work: what I am paid for", "Family"]
    assert isinstance(button, Button)
    assert "one" in work.asked[0].messages[-1].text


def test_the_user_changes_them_and_starts() -> None:
    state = steps_of(PROPOSING, work=proposing())[-1].state
    state = acted(PROPOSING, state, Action("labels", text="Work\nHome: the rest"))
    assert [label["name"] for label in state["labels"]] == ["Work", "Home"]
    with pytest.raises(BadInput):
        acted(PROPOSING, state, Action("labels", text="Work\nwork"))

    async def start() -> list[Step]:
        return [step async for step in TASK.act(PROPOSING, state, Action("start"), ScriptedWork())]

    (step,) = run(start())
    assert step.fraction == 0  # there is more to do
    done = steps_of(PROPOSING, kept(step.state))[-1]
    assert len(done.state["done"]) == 4
    assert {name for each in done.state["done"] for name in each["labels"]} <= {"Work", "Home"}


def test_too_few_of_them_do_not_start() -> None:
    state = acted(PROPOSING, steps_of(PROPOSING, work=proposing())[-1].state, Action("labels", text="only"))
    with pytest.raises(BadInput):
        acted(PROPOSING, state, Action("start"))


def test_an_example_of_a_label_that_is_gone_is_not_shown() -> None:
    given = {**PROPOSING, "labels": "Work\nHome", "examples": "a => work\nb => home"}
    state = steps_of(given, work=proposing({"labels": ["New", "Other"]}))[-1].state
    state = acted(given, acted(given, state, Action("labels", text="Work\nNew")), Action("start"))
    work = ScriptedWork(json=lambda _: {"label": "Work"})
    steps_of(given, state, work)
    assert "“a”: Work" in work.asked[0].messages[0].text
    assert "“b”" not in work.asked[0].messages[0].text


def test_a_proposal_that_fails_leaves_nothing_behind() -> None:
    with pytest.raises(NoDocument):
        steps_of(PROPOSING, work=ScriptedWork(json=lambda _: NoDocument(attempts=3)))


def test_labels_are_proposed_from_everywhere_in_the_items() -> None:
    work = proposing()
    steps_of({**PROPOSING, "text": "\n".join(f"item{n}" + " long" * 200 for n in range(120))}, work=work)
    listed = work.asked[0].messages[-1].text
    assert all(f"item{n} " in listed for n in range(0, 120, 10))
    assert len(listed) < 3000


# ---- labels by hand ----


def test_a_label_by_hand_stays() -> None:
    state = steps_of(GIVEN)[1].state
    state = acted(GIVEN, state, Action("label", "0", "FAMILY"))
    assert state["by_hand"] == {"0": ["family"]}
    state = steps_of(GIVEN, kept(state))[-1].state
    _, _, items = view(GIVEN, state)
    assert isinstance(items, Table)
    assert items.rows[0][2] == Choice("label", "0", "Label of item 1", ["", "spam", "work", "family"], "family")
    assert items.rows[0][3] == "by hand"
    assert isinstance(items.rows[1][3], str)
    csv = run(TASK.export(GIVEN, state, "csv", EN)).data.decode("utf-8-sig").splitlines()
    assert csv[1] == "one,family,"
    exported = json.loads(run(TASK.export(GIVEN, state, "json", EN)).data)
    assert exported["items"][0]["by_hand"] is True
    assert acted(GIVEN, state, Action("label", "0", " "))["by_hand"] == {"0": []}


@pytest.mark.parametrize(("number", "text"), [("one", "chess"), ("many", "work; chess"), ("one", "work; family")])
def test_what_is_no_label_is_refused(number: str, text: str) -> None:
    with pytest.raises(BadInput):
        acted({**GIVEN, "number": number}, steps_of(GIVEN)[-1].state, Action("label", "0", text))


def test_several_labels_by_hand() -> None:
    given = {**GIVEN, "number": "many"}
    state = acted(given, steps_of(given)[-1].state, Action("label", "2", "family; Work"))
    assert state["by_hand"] == {"2": ["work", "family"]}
    *_, items = view(given, state)
    assert isinstance(items, Table)
    assert items.rows[2][2] == Edit("label", "2", "Label of item 3", "work; family")


def test_an_action_of_nobody_changes_nothing() -> None:
    state = steps_of(GIVEN)[-1].state
    assert acted(GIVEN, state, Action("dance")) == state


# ---- what is shown ----


def test_nothing_is_shown_of_nothing() -> None:
    assert view(GIVEN, steps_of(GIVEN)[0].state) == []


def test_counts_and_rows() -> None:
    work = ScriptedWork(json=lambda r: {"label": "work" if "o" in r.messages[-1].text else "spam"})
    counted, how, items = view(GIVEN, steps_of(GIVEN, work=work)[-1].state)
    assert isinstance(counted, Table)
    assert counted.rows == [["spam", 1, "25\xa0%"], ["work", 3, "75\xa0%"], ["family", 0, "0\xa0%"]]
    assert isinstance(how, Prose)
    assert "no probabilities" in how.markdown
    assert isinstance(items, Table)
    assert [row[1] for row in items.rows] == ["one", "two", "three", "four"]
    assert all(row[3] == "" for row in items.rows)


def test_how_the_probabilities_came_is_said() -> None:
    def said(given: dict[str, Any]) -> str:
        how = view(given, steps_of(given)[-1].state)[1]
        assert isinstance(how, Prose)
        return how.markdown

    assert "50" in said({**GIVEN, "number": "many"})
    assert "among all" in said(GIVEN)


def test_items_without_a_label_are_counted() -> None:
    work = ScriptedWork(json=lambda _: {"labels": []})
    counted, *_ = view(GIVEN, steps_of({**GIVEN, "number": "many"}, work=work)[-1].state)
    assert isinstance(counted, Table)
    assert counted.rows[-1] == ["No label", 4, "100\xa0%"]


def test_long_results_have_pages() -> None:
    given = {**GIVEN, "text": "\n".join(["x" * 1000, *map(str, range(2 * ROWS))])}
    state = steps_of(given)[-1].state
    first = view(given, state)
    assert isinstance(first[2], Table)
    assert len(first[2].rows) == ROWS
    assert len(str(first[2].rows[0][1])) == 300
    assert [block.value for block in first if isinstance(block, Button)] == ["1"]
    state = acted(given, state, Action("page", "1"))
    assert [block.value for block in view(given, state) if isinstance(block, Button)] == ["0", "2"]
    last = view(given, acted(given, state, Action("page", "7")))
    assert isinstance(last[2], Table)
    assert last[2].caption == "Items, page 3 of 3"
    assert len(last[2].rows) == 1


# ---- exports ----


def test_original_columns_are_kept_and_nothing_is_computed() -> None:
    file = {"name": "a.csv", "pages": ['id;texto;precio\n1;=1+1;"1,5"\n2;"di ""hola"";\nadiós";-3']}
    given = {"file": file, "column": "texto", "labels": "=a\nb", "number": "one"}
    work = ScriptedWork(scores=lambda _, c: [-1.0, -1.0])
    export = run(TASK.export(given, steps_of(given, work=work)[-1].state, "csv", EN))
    assert (export.name, export.type) == ("labels.csv", "text/csv")
    assert export.data.decode("utf-8-sig") == (
        'id;texto;precio;Label;Probability\r\n1;\'=1+1;1,5;\'=a;0,5000\r\n2;"di ""hola"";\nadiós";-3;\'=a;0,5000\r\n'
    )


def test_a_run_that_is_not_over_exports_what_there_is() -> None:
    state = steps_of(GIVEN)[2].state
    csv = run(TASK.export(GIVEN, state, "csv", EN)).data.decode("utf-8-sig").splitlines()
    assert len(csv) == 5
    assert csv[4] == "four,,"
    exported = json.loads(run(TASK.export(GIVEN, state, "json", EN)).data)
    assert [item["text"] for item in exported["items"]] == ["one", "two"]
    assert list(exported["items"][0]["probabilities"]) == ["spam", "work", "family"]


def test_what_is_exported_is_as_published() -> None:
    (*_, last) = steps_of(GIVEN)
    hand = acted(GIVEN, last.state, Action("label", "1", "work"))
    written = steps_of({**GIVEN, "number": "many"}, work=ScriptedWork(json=lambda _: {"labels": []}))[-1].state
    for state in (last.state, hand, written):
        value = json.loads(run(TASK.export(GIVEN, state, "json", EN)).data)
        assert first_fault(TASK.schema, value) is None
        assert len(value["items"]) == 4
    assert first_fault(TASK.schema, {"labels": [], "items": [{"text": "x"}]}) is not None


def test_several_labels_in_one_cell() -> None:
    given = {**GIVEN, "number": "many"}
    work = ScriptedWork(json=lambda _: {"labels": ["spam", "family"]})
    csv = run(TASK.export(given, steps_of(given, work=work)[-1].state, "csv", EN)).data.decode("utf-8-sig")
    assert csv.splitlines()[1] == "one,spam; family,"
