"""What a task shows, as HTML in pieces; and what of it is different from what was shown before.

A long document grows at its end: what has not changed is neither made nor put on the page again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Literal, assert_never

from pyapp.tasks.blocks import (
    Block,
    Button,
    Cell,
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
from pyapp.views.html import NOTHING, Html, fill, join
from pyapp.views.icons import icon
from pyapp.views.language import Language
from pyapp.views.markdown import render

LONGEST_SOURCE = 60  # characters of a passage, where it has no title
SHARE_DIGITS = 3  # of a number that is no whole one

Path = tuple[int, ...]
Pending = Mapping[tuple[str, str], str]  # what the user has changed and the task has not taken up: (action, value)


@dataclass(frozen=True, slots=True)
class Piece:
    """One element, or one with others inside: in itself or its first descendant that has data-inside.

    Two of the same `kind` differ in `head`, in `growing` and inside only; "" is one that is drawn as a whole, when its
    HTML is different, or its `key` where it has one: what the user has typed is not drawn over.
    """

    opening: Html
    kind: str = ""
    head: Html = NOTHING  # an element of its own, the first
    middle: Html = NOTHING
    inside: tuple[Piece, ...] = ()
    closing: Html = NOTHING
    growing: bool = False
    key: str = ""

    @property
    def html(self) -> Html:
        return join([self.opening, self.head, self.middle, *(each.html for each in self.inside), self.closing])


@dataclass(frozen=True, slots=True)
class Change:
    """`path`: places among the children of the root, of its [data-inside], and so on."""

    do: Literal["replace", "append", "remove", "head", "growing"]  # append: inside it; remove: and all after it
    path: Path
    html: Html = NOTHING
    growing: bool = False


def changes(before: Sequence[Piece], after: Sequence[Piece], path: Path = ()) -> Iterator[Change]:
    """In an order in which each path is right when its turn comes."""
    for at, (old, new) in enumerate(zip_longest(before, after)):
        if new is None:
            yield Change("remove", (*path, at))
            return
        if old is None:
            yield Change("append", path, new.html)
        elif old is not new:
            yield from _changed(old, new, (*path, at))


def _changed(old: Piece, new: Piece, path: Path) -> Iterator[Change]:
    if not new.kind or old.kind != new.kind:
        if (old.key or old.html) != (new.key or new.html):
            yield Change("replace", path, new.html)
        return
    if old.head != new.head:
        yield Change("head", path, new.head)
    if old.growing != new.growing:
        yield Change("growing", path, growing=new.growing)
    yield from changes(old.inside, new.inside, path)


class Drawer:
    """Blocks as pieces. What comes again is not made again."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._made: dict[Path, tuple[object, Piece]] = {}
        self._titles: Mapping[str, str] = {}

    def pieces(self, blocks: Sequence[Block], pending: Pending) -> tuple[Piece, ...]:
        titles = {passage.id: _title(passage) for passage in _passages(blocks)}
        if titles != self._titles:
            self._made.clear()  # what names a passage may be anywhere
        self._titles = titles
        return self._many([_overlaid(block, pending) for block in blocks], ())

    def _many(self, blocks: Sequence[Block], path: Path) -> tuple[Piece, ...]:
        return tuple(self._piece(block, (*path, at)) for at, block in enumerate(blocks))

    def _piece(self, block: Block, path: Path) -> Piece:
        made = self._made.get(path)
        if made is None or made[0] != block:
            made = self._made[path] = block, self._make(block, path)
        return made[1]

    def _make(self, block: Block, path: Path) -> Piece:
        match block:
            case Table():
                return self._table(block, path)
            case Fold() | Section():
                return self._container(block, path)
            case Points(points):
                return Piece(fill('<ul class="points">{points}</ul>', points=join([self._point(p) for p in points])))
            case _:
                return Piece(_leaf(block, self._language))

    def _container(self, block: Fold | Section, path: Path) -> Piece:
        inside = self._many(block.blocks, path)
        if isinstance(block, Section):
            growing = Html(' data-growing=""') if block.growing else ""
            opening = fill("<section data-inside{growing}>", growing=growing)
            return Piece(opening, "section", inside=inside, closing=Html("</section>"), growing=block.growing)
        return Piece(
            fill('<details class="fold"{open}>', open=Html(" open") if block.open else ""),
            "fold",
            fill('<summary dir="auto">{title}</summary>', title=block.title),
            Html('<div class="fold-inside" data-inside>'),
            inside,
            Html("</div></details>"),
        )

    def _table(self, table: Table, path: Path) -> Piece:
        numbers = [_is_number(column) for column in zip(*table.rows, strict=True)] or [False] * len(table.columns)
        head = join([_cell("th", c, n, self._language) for c, n in zip(table.columns, numbers, strict=True)])
        opening = fill(
            '<div class="table" tabindex="0" role="region" aria-label="{label}"><table>{caption}'
            "<thead><tr>{head}</tr></thead><tbody data-inside>",
            label=table.caption or ", ".join(table.columns),
            caption=fill("<caption>{text}</caption>", text=table.caption) if table.caption else "",
            head=head,
        )
        inside = tuple(self._row(tuple(row), numbers, (*path, at)) for at, row in enumerate(table.rows))
        return Piece(opening, f"table {opening}", inside=inside, closing=Html("</tbody></table></div>"))

    def _row(self, row: tuple[Cell, ...], numbers: Sequence[bool], path: Path) -> Piece:
        key = (row, tuple(numbers))
        made = self._made.get(path)
        if made is None or made[0] != key:
            cells = join([_cell("td", cell, n, self._language) for cell, n in zip(row, numbers, strict=True)])
            made = self._made[path] = key, Piece(fill("<tr>{cells}</tr>", cells=cells))
        return made[1]

    def _point(self, point: Point) -> Html:
        sources = join([self._source(source) for source in point.sources if source in self._titles])
        text = _prose(point.markdown, self._language)
        return fill('<li>{text}<span class="sources">{sources}</span></li>', text=text, sources=sources)

    def _source(self, passage_id: str) -> Html:
        title, number = self._titles[passage_id], list(self._titles).index(passage_id) + 1
        return fill(
            '<button type="button" class="source" data-action="task-passage" data-value="{id}" title="{title}"'
            ' aria-label="{label}">{number}</button>',
            id=passage_id,
            title=title,
            label=self._language.text("tasks.source", number=number, title=title),
            number=number,
        )


def _leaf(block: Heading | Prose | Passage | Button | Edit | Choice | Question, language: Language) -> Html:
    match block:
        case Heading(text, level):
            return fill('<h{level} dir="auto">{text}</h{level}>', level=min(6, max(3, level)), text=text)
        case Prose(markdown):
            return _prose(markdown, language)
        case Passage():
            return _passage(block)
        case Button():
            return _button(block)
        case Edit():
            return edit(block, language)
        case Choice():
            return fill('<div class="chooser">{choice}</div>', choice=_choice(block, named=True))
        case Question():
            return question(block, language)
        case _ as unknown:
            assert_never(unknown)


def _overlaid(block: Block, pending: Pending) -> Block:
    """As it will be when the task has taken up what waits."""
    match block:
        case Edit(action, value) if (action, value) in pending:
            return replace(block, text=pending[action, value])
        case Choice(action, value) if (action, value) in pending:
            return replace(block, chosen=pending[action, value])
        case Question(action, value) if (action, value) in pending:
            return replace(block, chosen=int(pending[action, value]))
        case Table(rows=rows) if pending:
            return replace(block, rows=[[_overlaid_cell(cell, pending) for cell in row] for row in rows])
        case Fold(blocks=blocks) | Section(blocks=blocks) if pending:
            return replace(block, blocks=[_overlaid(each, pending) for each in blocks])
        case _:
            return block


def _overlaid_cell(cell: Cell, pending: Pending) -> Cell:
    match cell:
        case Edit(action, value) if (action, value) in pending:
            return replace(cell, text=pending[action, value])
        case Choice(action, value) if (action, value) in pending:
            return replace(cell, chosen=pending[action, value])
        case _:
            return cell


def _passages(blocks: Sequence[Block]) -> Iterator[Passage]:
    for block in blocks:
        if isinstance(block, Passage):
            yield block
        elif isinstance(block, Fold | Section):
            yield from _passages(block.blocks)


def _title(passage: Passage) -> str:
    text = " ".join(passage.text.split())
    return passage.title or (text if len(text) <= LONGEST_SOURCE else text[: LONGEST_SOURCE - 1] + "…")


def _prose(markdown: str, language: Language) -> Html:
    return fill('<div class="markdown" dir="auto">{html}</div>', html=render(markdown, language))


def _passage(passage: Passage) -> Html:
    title = fill("<h6>{title}</h6>", title=passage.title) if passage.title else ""
    return fill(
        '<article class="passage" data-passage="{id}" tabindex="-1" dir="auto">{title}<p>{text}</p></article>',
        id=passage.id,
        title=title,
        text=passage.text,
    )


def _is_number(column: Sequence[object]) -> bool:
    numbers = [isinstance(cell, int | float) and not isinstance(cell, bool) for cell in column if cell is not None]
    return bool(numbers) and all(numbers)


def _cell(tag: str, cell: Cell, number: bool, language: Language) -> Html:
    return fill(
        '<{tag}{scope}{align} dir="auto">{inside}</{tag}>',
        tag=tag,
        scope=Html(' scope="col"') if tag == "th" else "",
        align=Html(' data-align="right"') if number else "",
        inside=_in_cell(cell, language),
    )


def _in_cell(cell: Cell, language: Language) -> str:
    match cell:
        case None:
            return ""
        case str():
            return cell
        case Edit():
            return edit(cell, language)
        case Choice():
            return _choice(cell, named=False)
        case _:
            return _figure(cell, language)


def _choice(choice: Choice, *, named: bool) -> Html:
    """In a table the column says what it is."""
    known = dict.fromkeys([*choice.options, choice.chosen])  # one that is no option any more is shown
    options = [
        fill(
            '<option value="{option}"{selected}>{text}</option>',
            option=option,
            selected=Html(" selected") if option == choice.chosen else "",
            text=option or "–",
        )
        for option in known
    ]
    label = fill(' <span class="label">{label}</span>', label=choice.label) if named else ""
    return fill(
        '<label>{label}<select data-change="task-act" data-name="{action}" data-value="{value}"{unnamed}>{options}'
        "</select></label>",
        label=label,
        action=choice.action,
        value=choice.value,
        unnamed="" if named else fill(' aria-label="{label}"', label=choice.label),
        options=join(options),
    )


def _figure(value: float, language: Language) -> str:
    return language.number(value, 0 if float(value).is_integer() else SHARE_DIGITS)


def _button(button: Button) -> Html:
    return fill(
        '<div class="act"><button type="button" class="secondary" data-action="task-act" data-name="{action}"'
        ' data-value="{value}">{text}</button></div>',
        action=button.action,
        value=button.value,
        text=button.text,
    )


def edit(edit: Edit, language: Language) -> Html:
    """The text, with what changes it. It is in the element's data too, for the editor."""
    return fill(
        '<div class="edit" dir="auto" data-name="{name}" data-value="{value}" data-label="{label}" data-lines="{lines}"'
        ' data-text="{text}" data-markdown="{markdown}">{inside}</div>',
        name=edit.action,
        value=edit.value,
        label=edit.label,
        lines=edit.lines,
        text=edit.text,
        markdown="true" if edit.markdown else "false",
        inside=edit_inside(edit.label, edit.text, language, markdown=edit.markdown),
    )


def edit_inside(label: str, text: str, language: Language, *, markdown: bool) -> Html:
    shown = _prose(text, language) if markdown else fill('<div class="plain">{text}</div>', text=text)
    return fill(
        '<div class="edit-text">{shown}</div>'
        '<button type="button" class="icon" data-action="task-edit" aria-label="{do}" title="{do}">{icon}</button>',
        shown=shown,
        do=language.text("tasks.edit", label=label),
        icon=icon("edit"),
    )


def editor(label: str, text: str, lines: int, language: Language) -> Html:
    """What stands in the place of an Edit's inside while its text is changed."""
    if lines > 1:
        control = '<textarea name="text" rows="{lines}" aria-label="{label}">\n{text}</textarea>'
    else:
        control = '<input name="text" value="{text}" aria-label="{label}" autocomplete="off">'
    box = fill(control, lines=lines, label=label, text=text)
    return fill(
        '<form class="editor" data-form="task-edit">{box}<div class="buttons">'
        '<button type="button" class="secondary" data-action="task-cancel-edit">{cancel}</button>'
        '<button type="submit" class="primary">{save}</button></div></form>',
        box=box,
        cancel=language.text("tasks.cancel"),
        save=language.text("tasks.save"),
    )


def question(question: Question, language: Language) -> Html:
    """Options to press; once one is, which was right and why."""
    options = [_option(question, at, text, language) for at, text in enumerate(question.options)]
    verdict = Html()
    if question.chosen is not None:
        verdict = fill(
            '<p class="verdict" data-right="{right}">{verdict} <span>{why}</span></p>',
            right="yes" if question.chosen == question.right else "no",
            verdict=said_of(question.chosen, question.right, language),
            why=question.why,
        )
    return fill(
        '<fieldset class="question" dir="auto"><legend>{text}</legend>{options}{verdict}</fieldset>',
        text=question.text,
        options=join(options),
        verdict=verdict,
    )


def said_of(chosen: int, right: int, language: Language) -> str:
    return language.text("tasks.right" if chosen == right else "tasks.wrong_answer")


def _option(question: Question, at: int, text: str, language: Language) -> Html:
    chosen = question.chosen
    mark = "" if chosen is None else "right" if at == question.right else "wrong" if at == chosen else ""
    return fill(
        '<button type="button" class="option" data-action="task-answer" data-name="{action}" data-value="{value}"'
        ' data-text="{at}" data-right="{right}" aria-pressed="{pressed}"{mark}>'
        '<span class="dot" aria-hidden="true"></span><span>{text}</span>{said}</button>',
        action=question.action,
        value=question.value,
        at=at,
        right=question.right,
        pressed="true" if at == chosen else "false",
        mark=fill(' data-mark="{mark}"', mark=mark) if mark else "",
        text=text,
        said=fill('<span class="visually-hidden">({mark})</span>', mark=language.text(f"tasks.option.{mark}"))
        if mark
        else "",
    )
