"""Chats as files: to read, and to keep."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from pyapp.chat.tree import Conversation
from pyapp.settings.personas import Persona, built_in
from pyapp.settings.settings import Settings
from pyapp.transfer.exporting import chat_text, document, file_name, markdown
from tests.unit.transfer.made import NOW, talk

DAY = date(2025, 1, 2)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Sea", "Candil - Sea - 2025-01-02.md"),
        ("", "Candil - 2025-01-02.md"),
        ("..", "Candil - 2025-01-02.md"),
        ('a/b\\c:d*e?"<>|\n\x00f', "Candil - a b c d e f - 2025-01-02.md"),
        ("gpj\u202e.exe", "Candil - gpj .exe - 2025-01-02.md"),
        ("مرحبا", "Candil - مرحبا - 2025-01-02.md"),
        ("x" * 500, f"Candil - {'x' * 60} - 2025-01-02.md"),
    ],
)
def test_file_names_fit_every_system(title: str, name: str) -> None:
    assert file_name(title, DAY, ".md") == name


def test_a_chat_to_read() -> None:
    assert markdown(talk(), lambda key: f"[{key}]") == (
        "# Greeting\n\n*[export.exported]*\n\n## [chat.you]\n\n"
        "File: a.txt\n````\n```\ntext\n````\n\nHi\n\n## Candil (Tiny)\n\nHello\n"
    )


def test_only_the_branch_that_is_shown_and_how_it_ended() -> None:
    talked = talk()
    other = replace(talked, chat=replace(talked.chat, head="a2", title="*Greeting*\n# 2"))
    assert markdown(other, lambda key: f"[{key}]") == (
        "# \\*Greeting\\* \\# 2\n\n*[export.exported]*\n\n## [chat.you]\n\nHi there\n\n"
        "## Candil\n\nHel\n\n*[export.failed]*\n"
    )
    stopped = other.put(replace(other.entries["a2"], state="stopped"))
    assert markdown(stopped, lambda key: f"[{key}]").endswith("Hel\n\n*[export.stopped]*\n")


def test_a_file_of_everything_has_a_line_for_each_chat() -> None:
    mine = Persona("p", "Pirate", "Arr")
    text = document([chat_text(talk())] * 2, NOW, Settings(theme="dark"), [*built_in(str), mine])
    value = json.loads(text)
    assert value["settings"] == {"theme": "dark"}
    assert value["personas"] == [{"id": "p", "title": "Pirate", "prompt": "Arr"}]
    assert [chat["title"] for chat in value["chats"]] == ["Greeting", "Greeting"]
    assert len([line for line in text.splitlines() if '"Greeting"' in line]) == 2


def test_a_file_of_one_chat_has_no_settings() -> None:
    value = json.loads(document([chat_text(talk())], NOW))
    assert list(value) == ["format", "version", "exported_ms", "chats"]
    assert json.loads(document([], NOW))["chats"] == []


def test_an_answer_that_still_grows_is_exported_as_one_that_was_stopped() -> None:
    growing = talk().put(replace(talk().entries["a1"], state="streaming"))
    assert [e["state"] for e in json.loads(chat_text(growing))["entries"]] == ["done", "done", "stopped", "error"]
    assert "[export.stopped]" in markdown(growing, lambda key: f"[{key}]")


def test_a_chat_without_messages() -> None:
    assert json.loads(chat_text(Conversation(talk().chat)))["entries"] == []
