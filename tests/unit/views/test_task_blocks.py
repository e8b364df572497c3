"""What a task shows becomes HTML that cannot act, and of a long document only what is different is drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.tasks.blocks import (
    Block,
    Button,
    Choice,
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
from pyapp.views.html import Html
from pyapp.views.task_blocks import Change, Drawer, Path, Piece, changes, editor, said_of
from tests.unit.views.languages import EN, ES

EVIL = '<img src=x onerror="alert(1)">'
QUESTION = Question("answer", "q1", "Which?", ["One", "Two", "Three"], 1, why="Two it is.")
EDIT = Edit("rename", "t1", "Title", "Lamps")
CHOICE = Choice("label", "5", "Label", ["", "good", "bad"], "good")


def html(*blocks: Block, pending: dict[tuple[str, str], str] | None = None) -> str:
    return "".join(piece.html for piece in Drawer(EN).pieces(blocks, pending or {}))


# ---- each block ----


def test_headings_stay_below_the_pages_own() -> None:
    assert html(Heading("Lamps")) == '<h3 dir="auto">Lamps</h3>'
    assert "<h3" in html(Heading("x", 1))
    assert "<h6" in html(Heading("x", 9))


@pytest.mark.parametrize(
    "block",
    [
        Heading(EVIL),
        Prose(EVIL),
        Passage("p", EVIL, EVIL),
        Points([Point(EVIL, [EVIL])]),
        Table([EVIL], [[EVIL]], EVIL),
        Button("x", EVIL, EVIL),
        Edit("x", EVIL, EVIL, EVIL),
        Edit("x", "y", "z", EVIL, markdown=True),
        Choice("x", EVIL, EVIL, [EVIL], EVIL),
        Question("x", EVIL, EVIL, [EVIL], 0, 0, EVIL),
        Fold(EVIL, [Prose(EVIL)]),
        Section([Prose(EVIL)]),
    ],
    ids=lambda block: type(block).__name__,
)
def test_nothing_a_model_writes_can_act(block: Block) -> None:
    assert "<img" not in html(block)


def test_points_lead_to_their_passages() -> None:
    drawn = html(
        Points([Point("A *claim*", ["p2", "gone", "p1"])]),
        Fold("Sources", [Passage("p1", "word " * 40), Section([Passage("p2", "Short", "Page 2")])]),
    )
    assert "<em>claim</em>" in drawn
    assert 'data-value="p2" title="Page 2" aria-label="Source 2: Page 2">2</button>' in drawn
    assert 'data-value="p1"' in drawn
    assert "…" in drawn
    assert "gone" not in drawn
    assert '<article class="passage" data-passage="p2" tabindex="-1"' in drawn
    assert "<h6>Page 2</h6>" in drawn


def test_numbers_in_a_table_stand_as_numbers() -> None:
    rows: list[list[str | float | Edit | Choice | None]] = [["a", 1234, 0.5, None], ["b", None, 2.0, "x"]]
    drawn = html(Table(["Name", "Count", "Share", "Rest"], rows, "How many"))
    assert '<th scope="col" data-align="right" dir="auto">Count</th>' in drawn
    assert '<td data-align="right" dir="auto">1,234</td><td data-align="right" dir="auto">0.500</td>' in drawn
    assert '<td dir="auto"></td>' in drawn
    assert 'role="region" aria-label="How many"' in drawn
    assert "<caption>How many</caption>" in drawn
    empty = html(Table(["Name", "Count"], []))
    assert 'aria-label="Name, Count"' in empty
    assert "data-align" not in empty


def test_in_a_table_a_cell_can_be_changed() -> None:
    drawn = html(Table(["Text", "Label"], [[EDIT, CHOICE]]))
    assert 'data-action="task-edit"' in drawn
    assert '<select data-change="task-act" data-name="label" data-value="5" aria-label="Label">' in drawn
    assert '<option value="good" selected>good</option>' in drawn
    assert '<option value="">–</option>' in drawn


def test_a_choice_beside_its_name() -> None:
    drawn = html(replace(CHOICE, chosen="gone by now"))
    assert '<span class="label">Label</span>' in drawn
    assert '<option value="gone by now" selected>' in drawn


def test_a_text_that_can_be_changed() -> None:
    drawn = html(EDIT)
    assert 'data-name="rename" data-value="t1" data-label="Title" data-lines="1" data-text="Lamps"' in drawn
    assert 'aria-label="Change: Title"' in drawn
    assert "<em>x</em>" in html(Edit("a", "b", "c", "*x*", markdown=True))
    assert "*x*" in html(Edit("a", "b", "c", "*x*"))


def test_while_it_is_changed() -> None:
    assert '<input name="text" value="&lt;b&gt;" aria-label="Title"' in editor("Title", "<b>", 1, EN)
    several = editor("Text", "\n<b>", 4, EN)
    assert '<textarea name="text" rows="4" aria-label="Text">\n\n&lt;b&gt;</textarea>' in several
    assert "Guardar" in editor("x", "", 1, ES)


def test_a_question_is_asked_and_then_judged() -> None:
    asked = html(QUESTION)
    assert asked.count('aria-pressed="false"') == 3
    assert "verdict" not in asked
    right = html(replace(QUESTION, chosen=1))
    assert '<p class="verdict" data-right="yes">Right. <span>Two it is.</span></p>' in right
    assert right.count("data-mark") == 1
    wrong = html(replace(QUESTION, chosen=2))
    assert 'data-right="no">Not quite.' in wrong
    assert (wrong.count('data-mark="right"'), wrong.count('data-mark="wrong"')) == (1, 1)
    assert said_of(1, 1, ES) == "Correcto."


def test_what_waits_is_shown_as_it_will_be() -> None:
    pending = {("rename", "t1"): "Lights", ("answer", "q1"): "0", ("label", "5"): "bad"}
    blocks: list[Block] = [Section([EDIT, QUESTION, CHOICE, Prose("x")]), Table(["a", "b", "c"], [[EDIT, CHOICE, "x"]])]
    drawn = html(*blocks, pending=pending)
    assert drawn.count('data-text="Lights"') == 2
    assert 'data-right="no"' in drawn
    assert drawn.count('<option value="bad" selected>') == 2
    assert html(*blocks) == html(*blocks, pending={("other", "x"): "y"})


# ---- what is different ----


@dataclass
class Node:
    """An element as the page has it."""

    opening: str
    head: str = ""
    middle: str = ""
    inside: list[Node] = field(default_factory=list)
    closing: str = ""
    growing: bool = False

    @property
    def html(self) -> str:
        opening = self.opening
        if self.growing:
            opening = opening.replace("data-inside", 'data-inside data-growing=""')
        return opening + self.head + self.middle + "".join(each.html for each in self.inside) + self.closing


def node(piece: Piece) -> Node:
    inside = [node(each) for each in piece.inside]
    return Node(
        piece.opening.replace(' data-growing=""', ""), piece.head, piece.middle, inside, piece.closing, piece.growing
    )


def at(root: Node, path: Path) -> Node:
    for place in path:
        root = root.inside[place]
    return root


def apply(root: Node, change: Change) -> None:
    match change.do:
        case "append":
            at(root, change.path).inside.append(Node(change.html))
        case "replace":
            at(root, change.path[:-1]).inside[change.path[-1]] = Node(change.html)
        case "remove":
            del at(root, change.path[:-1]).inside[change.path[-1] :]
        case "head":
            at(root, change.path).head = change.html
        case "growing":
            at(root, change.path).growing = change.growing


WORDS = st.sampled_from(["a", "b", "c d"])
LEAVES = st.one_of(
    st.builds(Heading, WORDS),
    st.builds(Prose, WORDS),
    st.builds(Passage, WORDS, WORDS),
    st.builds(lambda text: Points([Point(text, ["a", "b"])]), WORDS),
    st.builds(lambda rows: Table(["x"], [[row] for row in rows], ""), st.lists(WORDS, max_size=3)),
    st.builds(lambda rows: Table(["x"], [[row] for row in rows], ""), st.lists(st.integers(0, 3), max_size=3)),
)
BLOCKS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Section, st.lists(inner, max_size=3), growing=st.booleans()),
        st.builds(Fold, WORDS, st.lists(inner, max_size=3)),
    ),
    max_leaves=8,
)
VIEWS = st.lists(BLOCKS, max_size=4)


@given(st.lists(VIEWS, min_size=2, max_size=4))
def test_however_a_view_changes_the_page_becomes_what_it_would_be_drawn_anew(views: Sequence[Sequence[Block]]) -> None:
    drawer = Drawer(EN)
    root, before = Node(""), tuple[Piece, ...]()
    for view in views:
        after = drawer.pieces(view, {})
        for change in changes(before, after):
            apply(root, change)
        before = after
        assert "".join(each.html for each in root.inside) == html(*view)
        if root.inside:  # what was put in as a whole has parts again, as in a page
            root.inside = [node(piece) for piece in after]


def test_what_has_not_changed_is_neither_made_nor_drawn_again() -> None:
    drawer = Drawer(EN)
    parts: list[Block] = [Section([Heading(f"Part {n}", 4), Prose("word " * 50)]) for n in range(200)]
    before = drawer.pieces(parts, {})
    grown = drawer.pieces([*parts[:-1], Section([Heading("Part 199", 4), Prose("word " * 51)], growing=True)], {})
    assert [one is two for one, two in zip(before, grown, strict=True)].count(False) == 1
    assert [(change.do, change.path) for change in changes(before, grown)] == [
        ("growing", (199,)),
        ("replace", (199, 1)),
    ]


def test_a_table_grows_by_its_rows() -> None:
    drawer = Drawer(EN)
    before = drawer.pieces([Table(["a"], [[str(n)] for n in range(100)])], {})
    after = drawer.pieces([Table(["a"], [[str(n)] for n in range(101)])], {})
    assert [(change.do, change.path) for change in changes(before, after)] == [("append", (0,))]


def test_a_fold_that_is_open_stays_open_when_its_title_grows() -> None:
    drawer = Drawer(EN)
    before = drawer.pieces([Fold("1 source", [Prose("x")])], {})
    after = drawer.pieces([Fold("2 sources", [Prose("x")], open=True)], {})
    assert list(changes(before, after)) == [Change("head", (0,), after[0].head)]


def test_what_somebody_writes_in_is_not_drawn_over() -> None:
    one, two = Piece(Html("<input value=a>"), key="x"), Piece(Html("<input value=b>"), key="x")
    assert list(changes([one], [two])) == []
    assert [change.do for change in changes([one], [replace(two, key="x wrong")])] == ["replace"]
