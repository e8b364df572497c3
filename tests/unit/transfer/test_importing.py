"""What comes in: our own files come back as they were, other programs' as near as can be, hostile ones not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.chat.tree import Attachment, Conversation
from pyapp.errors import ImportRefused, ImportTooLarge, ImportTooNew, ImportUnreadable
from pyapp.settings.personas import Persona
from pyapp.settings.settings import Settings
from pyapp.transfer import reading
from pyapp.transfer.exporting import chat_text, document
from pyapp.transfer.fingerprint import fingerprint
from pyapp.transfer.form import chat_value
from pyapp.transfer.importing import Skipped, source
from pyapp.transfer.reading import LARGEST_FILE, LATEST_MS, check_size
from tests.unit.transfer import examples
from tests.unit.transfer.made import JSON, NOW, conversations, damaged, ids, own, talk, without_ids


def imported(text: str, persona_ids: dict[str, str] | None = None) -> list[Conversation | Skipped]:
    return list(source(text, ids(), NOW).chats(persona_ids or {}))


def whole(text: str) -> list[Conversation]:
    found = imported(text)
    assert all(isinstance(each, Conversation) for each in found), found
    return [each for each in found if isinstance(each, Conversation)]


def skipped(text: str) -> str:
    (only,) = imported(text)
    assert isinstance(only, Skipped), only
    return only.reason


def shown(conversation: Conversation) -> list[tuple[str, str]]:
    return [(entry.role, entry.text) for entry in conversation.path()]


# ---- our own files ----


@given(st.lists(conversations(), max_size=3))
def test_what_was_exported_comes_back_as_it_was(before: list[Conversation]) -> None:
    after = whole(document([chat_text(each) for each in before], NOW))
    assert [without_ids(each) for each in after] == [without_ids(each) for each in before]
    assert [fingerprint(each) for each in after] == [fingerprint(each) for each in before]


def test_ids_are_new_so_that_nothing_is_overwritten() -> None:
    (chat,) = whole(own(chat_value(talk())))
    assert chat.chat.id == "new005"
    assert set(chat.entries) == {"new001", "new002", "new003", "new004"}
    assert {entry.chat_id for entry in chat.entries.values()} == {"new005"}


def test_settings_and_personas_come_along() -> None:
    chosen = {"theme": "dark", "temperature": "hot"}
    personas = [{"id": "p", "title": "Pirate", "prompt": "{{ arr }}"}, 5]
    found = source(own(settings=chosen, personas=personas), ids(), NOW)
    assert found.settings == Settings(theme="dark")
    assert found.personas == (Persona("p", "Pirate", "{{ arr }}"),)
    bare = source(own(settings=5, personas=5), ids(), NOW)
    assert (bare.settings, bare.personas) == (None, ())


def test_a_chats_persona_is_the_one_of_here() -> None:
    value = chat_value(talk()) | {"settings": {"persona_id": "p"}}
    (known,) = imported(own(value), {"p": "here"})
    (unknown,) = imported(own(value))
    assert isinstance(known, Conversation)
    assert isinstance(unknown, Conversation)
    assert (known.chat.settings, unknown.chat.settings) == ({"persona_id": "here"}, {"persona_id": "p"})


def changed(change: Callable[[Any], object]) -> str:
    value = json.loads(chat_text(talk()))
    change(value)
    return own(value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda v: v["entries"][0].update(parent="a1"), "cycle"),
        (lambda v: v["entries"][0].update(parent="q1"), "cycle"),
        (lambda v: v["entries"][1].update(id="q1"), "duplicate_id"),
        (lambda v: v["entries"][1].update(parent="nobody"), "missing_parent"),
        (lambda v: v["entries"][1].update(role="system"), "unknown_role"),
        (lambda v: v["entries"][1].update(id=""), "wrong_type"),
        (lambda v: v["entries"][1].update(parent=3), "wrong_type"),
        (lambda v: v["entries"][1].update(created_ms=LATEST_MS + 1), "wrong_type"),
        (lambda v: v["entries"][1].update(created_ms=True), "wrong_type"),
        (lambda v: v["entries"][2]["usage"].update(prefill_ms=-1), "wrong_type"),
        (lambda v: v["entries"][2]["usage"].update(prefill_ms=False), "wrong_type"),
        (lambda v: v["entries"][2]["origin"].update(device="quantum"), "wrong_type"),
        (lambda v: v["entries"][1].update(state="streaming"), "wrong_type"),
        (lambda v: v["entries"][1].pop("text"), "wrong_type"),
        (lambda v: v["entries"][1].update(text=None), "wrong_type"),
        (lambda v: v.update(entries=5), "wrong_type"),
        (lambda v: v.update(pinned=1), "wrong_type"),
        (lambda v: v.update(title="x" * 1001), "too_long"),
        (lambda v: v["entries"].append(5), "wrong_type"),
    ],
)
def test_a_damaged_chat_is_refused_by_name(change: Callable[[Any], object], reason: str) -> None:
    assert skipped(changed(change)) == reason


def test_the_other_chats_of_the_file_are_imported() -> None:
    bad = chat_value(talk()) | {"entries": 5}
    first, second = imported(own(bad, chat_value(talk())))
    assert first == Skipped("Greeting", "wrong_type")
    assert isinstance(second, Conversation)


def test_what_names_no_message_is_left_out_and_the_head_is_found_again() -> None:
    def change(value: Any) -> None:
        value["head"] = "gone"
        value["chosen"] = {"": "gone", "nowhere": "q1", "q1": 5}

    (chat,) = whole(changed(change))
    assert chat.chat.chosen == {}
    assert shown(chat)[-1] == ("assistant", "Hel")


def test_an_errors_details_are_figures() -> None:
    def change(value: Any) -> None:
        value["entries"][3]["error"] = {"code": "unheard", "message": "x", "details": {"a": 1, "b": ["<b>"]}}

    (chat,) = whole(changed(change))
    error = chat.entries["new002"].error
    assert error
    assert (error.code, error.details) == ("engine_failed", {"a": 1})


def test_half_a_character_is_no_character() -> None:
    (chat,) = whole(changed(lambda value: value.update(title="\ud800")))
    assert chat.chat.title == "?"


# ---- what is refused ----


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ImportUnreadable),
        ("x", ImportUnreadable),
        ("[]", ImportUnreadable),
        ("{}", ImportUnreadable),
        ("5", ImportUnreadable),
        ("[NaN]", ImportUnreadable),
        ("[1e999]", ImportUnreadable),
        ("[1" + "0" * 5000 + "]", ImportUnreadable),
        ("[" * 100_000, ImportUnreadable),
        ('{"format": "candil.personas", "version": 1}', ImportUnreadable),
        ('{"format": "candil.chats"}', ImportUnreadable),
        ('{"format": "candil.chats", "version": true, "chats": []}', ImportUnreadable),
        ('{"format": "candil.chats", "version": 0, "chats": []}', ImportUnreadable),
        ('{"format": "candil.chats", "version": 1, "chats": {}}', ImportUnreadable),
        ('{"format": "candil.chats", "version": 2, "chats": []}', ImportTooNew),
        ('{"formatName": "dexie"}', ImportUnreadable),
        ('{"formatName": "dexie", "data": {"data": [5]}}', ImportUnreadable),
    ],
)
def test_what_is_no_export_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        source(text, ids(), NOW)


def test_what_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    check_size(LARGEST_FILE)
    with pytest.raises(ImportTooLarge):
        check_size(100_000_000)
    monkeypatch.setattr(reading, "LARGEST_FILE", 10)
    with pytest.raises(ImportTooLarge):
        source(own(), ids(), NOW)


def test_a_mark_at_the_beginning_is_no_part_of_the_file() -> None:
    assert source("\ufeff" + own(), ids(), NOW).items == []


# ---- other programs' ----


def test_open_webui() -> None:
    tree, linear = whole(json.dumps(examples.OPEN_WEBUI))
    chat = tree.chat
    assert (chat.title, chat.titled_by, chat.pinned) == ("Sea", "user", True)
    assert (chat.created_ms, chat.updated_ms) == (1_700_000_000_000, 1_700_000_100_000)
    assert shown(tree) == [("user", "Tell me of the sea"), ("assistant", "It is salt")]
    first = tree.path()[0]
    assert (first.attachments, first.created_ms) == ((Attachment("sea.txt", "waves"),), 1_700_000_001_000)
    assert [tree.entries[i].text for i in tree.children[first.id]] == ["It is wet", "It is salt"]
    assert (linear.chat.title, linear.chat.titled_by) == ("Old", "text")
    assert shown(linear) == [("user", "Old"), ("assistant", "Form")]


def test_llama_cpp() -> None:
    (now,) = whole(json.dumps(examples.LLAMA_CPP))
    assert now.chat.title == "Sky"
    assert shown(now) == [
        ("user", "Why is it blue?"),
        ("assistant", "<think>\nLight scatters\n</think>\n\nAir"),
    ]
    assert now.path()[0].attachments == (Attachment("sky.txt", "blue"),)
    assert [shown(each) for each in whole(json.dumps(examples.LLAMA_CPP[0]))] == [shown(now)]
    (dexie,) = whole(json.dumps(examples.LLAMA_CPP_DEXIE))
    assert shown(dexie) == [("user", "Why?"), ("assistant", "Air")]
    (old,) = whole(json.dumps(examples.LLAMA_CPP_OLD))
    assert shown(old) == [("user", "Why?"), ("assistant", "Air")]
    assert (old.path()[0].created_ms, old.chat.updated_ms) == (1_700_000_000_000, 1_700_000_000_500)


def test_chatgpt() -> None:
    (chat,) = whole(json.dumps(examples.CHATGPT))
    assert (chat.chat.title, chat.chat.created_ms) == ("Stars", 1_700_000_000_500)
    assert shown(chat) == [("user", "spoken\n\nHow far?"), ("assistant", "Four light years")]
    assert chat.path()[0].created_ms == 1_700_000_001_250


LLAMA = examples.LLAMA_CPP[0]
TOO_LONG = {"author": {"role": "user"}, "content": {"parts": ["x" * 1_500_000] * 2}}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([{"mapping": {}}], "empty"),
        ([{"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}}], "cycle"),
        ([{"mapping": 5}], "wrong_type"),
        ([{"mapping": {"a": {"message": TOO_LONG}}}], "too_long"),
        ([{"chat": {"history": {"messages": {"1": 5}}}}], "wrong_type"),
        (LLAMA | {"messages": [*LLAMA["messages"], LLAMA["messages"][1]]}, "duplicate_id"),
        (LLAMA | {"messages": [{"parent": None}]}, "wrong_type"),
        (LLAMA | {"messages": [{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}]}, "cycle"),
    ],
)
def test_other_programs_damaged_chats(value: object, reason: str) -> None:
    assert skipped(json.dumps(value)) == reason


def test_what_is_damaged_is_named_as_far_as_it_can_be() -> None:
    titles = [
        [{"mapping": 5, "title": "A"}],
        LLAMA | {"messages": 5},
        [{"chat": {"title": "B", "history": {"messages": {"1": 5}}}}],
        [{"mapping": {}}, 5],
    ]
    found = [each.title for value in titles for each in imported(json.dumps(value)) if isinstance(each, Skipped)]
    assert found == ["A", "Sky", "B", "", ""]


@pytest.mark.parametrize("name", examples.ALL)
def test_importing_again_finds_the_same(name: str) -> None:
    text = json.dumps(examples.ALL[name])
    marks = [fingerprint(each) for each in whole(text)]
    assert marks == [fingerprint(each) for each in whole(text)]
    again = whole(document([chat_text(each) for each in whole(text)], NOW))
    assert [fingerprint(each) for each in again] == marks


def test_chats_that_say_otherwise_have_other_fingerprints() -> None:
    talked = talk()
    renamed = replace(talked, chat=replace(talked.chat, title="Other", pinned=False))
    assert fingerprint(renamed) == fingerprint(talked)
    for entry_id, change in (("q1", {"text": "Ho"}), ("q1", {"attachments": ()}), ("a2", {"parent": "a1"})):
        other = talked.put(replace(talked.entries[entry_id], **change))
        assert fingerprint(other) != fingerprint(talked)
    empty = Conversation(talked.chat)
    assert fingerprint(empty) != fingerprint(replace(empty, chat=replace(talked.chat, draft="other")))


# ---- anything ----


def outcome(text: str) -> None:
    """Reads `text` to its end; whatever comes in can be exported, written down as JSON and shown."""
    try:
        found = imported(text)
    except ImportRefused:
        return
    for each in found:
        if isinstance(each, Conversation):
            each.path()
            json.loads(chat_text(each), parse_constant=lambda _: pytest.fail("not JSON"))
            assert len(whole(document([chat_text(each)], NOW))) == 1


@given(st.one_of(JSON.map(json.dumps), st.text(max_size=30)))
def test_whatever_is_in_a_file_it_is_read_or_refused(text: str) -> None:
    outcome(text)


EVERYTHING = [*examples.ALL.values(), json.loads(own(chat_value(talk()), settings={"seed": 3}, personas=[]))]


@given(st.sampled_from(EVERYTHING).flatmap(damaged).flatmap(lambda value: st.one_of(st.just(value), damaged(value))))
def test_a_file_damaged_anywhere_is_read_or_refused(value: Any) -> None:
    outcome(json.dumps(value))
