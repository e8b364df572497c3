"""The tree of a conversation keeps its shape whatever is done to it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pyapp.chat import branches
from pyapp.chat.repair import repaired
from pyapp.chat.shown import Changed, Cut, differences
from pyapp.chat.tree import Conversation, Entry
from tests.unit.chat.made import chat, entry, tree


class Edited(RuleBasedStateMachine):
    """Random questions, edits, other answers, switches, deletions and their undoing."""

    @initialize()
    def begin(self) -> None:
        self.c = Conversation(chat())
        self.there: dict[str, Entry] = {}
        self.removed: list[branches.Removed] = []
        self.time = 0

    def pick(self, number: int) -> str | None:
        ids = list(self.c.entries)
        return ids[number % len(ids)] if ids else None

    def become(self, after: Conversation) -> None:
        """And what is shown follows from the differences alone."""
        shown = [e.id for e in self.c.path()]
        for event in differences(self.c, after):
            match event:
                case Changed(changed) if changed.id not in shown:
                    shown.append(changed.id)
                case Cut(from_id):
                    del shown[shown.index(from_id) :]
        assert shown == [e.id for e in after.path()]
        self.c = after

    @rule(number=st.integers(0, 99), beside=st.booleans())
    def add(self, number: int, beside: bool) -> None:
        self.time += 1
        at = self.pick(number)
        parent = self.c.entries[at].parent if at and beside else at
        new = entry(str(self.time), parent, at=self.time)
        self.there[new.id] = new
        self.become(branches.add(self.c, new))
        assert self.c.chat.head == new.id

    @rule(number=st.integers(0, 99))
    def switch(self, number: int) -> None:
        if at := self.pick(number):
            self.become(branches.switch(self.c, at))
            assert at in [e.id for e in self.c.path()]

    @rule(number=st.integers(0, 99))
    def switch_away_and_back(self, number: int) -> None:
        at, head = self.pick(number), self.c.chat.head
        if at and head:
            self.become(branches.switch(self.c, at))
            fork = next((e for e in tree_path(self.c, head) if e not in {x.id for x in self.c.path()}), head)
            self.become(branches.switch(self.c, fork))
            assert self.c.chat.head == head

    @rule(number=st.integers(0, 99))
    def remove(self, number: int) -> None:
        if at := self.pick(number):
            after, removed = branches.remove(self.c, at)
            self.become(after)
            self.removed.append(removed)
            for gone in removed.entries:
                del self.there[gone.id]

    @rule()
    def restore(self) -> None:
        if self.removed:
            removed = self.removed.pop()
            for back in removed.entries:
                self.there[back.id] = back
            self.become(branches.restore(self.c, removed))
            assert removed.entries[0].id in self.c.entries

    @invariant()
    def nothing_is_lost_and_the_head_is_a_leaf(self) -> None:
        assert dict(self.c.entries) == self.there
        assert (self.c.chat.head is None) == (not self.there)
        assert self.c.chat.head not in self.c.children
        assert len(self.c.path()) <= len(self.there)
        assert repaired(self.c.chat, self.c.entries.values()) == self.c


def tree_path(conversation: Conversation, upto: str) -> list[str]:
    return [e.id for e in conversation.path(upto)]


TestEdited = Edited.TestCase
TestEdited.settings = settings(max_examples=100, stateful_step_count=25)


def test_the_branch_that_was_read_last_is_shown_again_as_deep_as_it_was_read() -> None:
    c = tree("q", "q>a", "q>b", "a>a1", "a>a2", "b>b1", head="a1")
    assert branches.switch(c, "b").chat.head == "b1"
    back = branches.switch(branches.switch(c, "b"), "a")
    assert back.chat.head == "a1"
    assert branches.switch(branches.switch(branches.switch(c, "a2"), "b"), "a").chat.head == "a2"


def test_what_is_removed_leaves_the_branch_beside_it() -> None:
    c = tree("q", "q>a", "q>b", head="b")
    assert branches.remove(c, "b")[0].chat.head == "a"
    first = branches.remove(replace(c, chat=replace(c.chat, head="a")), "a")[0]
    assert first.chat.head == "b"
    assert branches.remove(first, "b")[0].chat.head == "q"
    assert branches.remove(c, "a")[0].chat.head == "b"


def test_what_was_not_shown_when_it_was_removed_is_not_shown_when_it_comes_back() -> None:
    c = tree("q", "q>a", "q>b", head="b")
    rest, removed = branches.remove(c, "a")
    assert branches.restore(rest, removed) == c
    onward = branches.add(rest, entry("c", "b", at=9))
    assert branches.restore(onward, removed).chat.head == "c"
    assert branches.restore(branches.remove(rest, "q")[0], removed).chat.head == "a"


def test_a_growing_answer_that_is_followed_grows() -> None:
    c = tree("q", "q>a", head="a")
    growing = c.put(replace(c.entries["a"], state="streaming", text="one"))
    more = growing.put(replace(growing.entries["a"], text="one two"))
    assert list(differences(growing, more)) == [Changed(more.entries["a"], " two")]
    other = growing.put(replace(growing.entries["a"], text="two"))
    assert list(differences(growing, other)) == [Changed(other.entries["a"], None, ("a",))]


PARENTS = st.one_of(st.none(), st.integers(0, 12).map(str))


@given(st.lists(st.tuples(PARENTS, st.integers(0, 5)), max_size=10), st.one_of(st.none(), st.integers(0, 12).map(str)))
def test_any_messages_whatever_make_a_tree_with_all_of_them(
    parts: list[tuple[str | None, int]], head: str | None
) -> None:
    entries = [entry(str(n), parent, at=at) for n, (parent, at) in enumerate(parts)]
    c = repaired(chat(head=head), entries)
    assert c.entries.keys() == {e.id for e in entries}
    for each in c.entries:
        assert len(c.path(each)) <= len(entries)  # it ends
    assert c.chat.head not in c.children
    assert (c.chat.head is None) == (not entries)


def test_an_orphan_goes_below_what_was_written_before_it() -> None:
    c = repaired(chat(head="c"), [entry("a", at=1), entry("b", "lost", at=2), entry("c", "b", at=3)])
    assert [e.id for e in c.path()] == ["a", "b", "c"]
    assert repaired(chat(), [entry("b", "lost", at=2), entry("c", at=3)]).entries["b"].parent is None
