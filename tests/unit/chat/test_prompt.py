"""What reaches the model, and what a chat is called."""

from __future__ import annotations

from pyapp.chat.prompt import prompt, text, title
from pyapp.chat.tree import Attachment
from pyapp.engine import Message
from tests.unit.chat.made import entry


def test_what_says_nothing_and_what_still_grows_is_left_out() -> None:
    path = [
        entry("1", text="Hi"),
        entry("2", role="assistant", text="", state="error"),
        entry("3", text="Again"),
        entry("4", role="assistant", text="grow", state="streaming"),
    ]
    assert prompt(path) == (Message("user", "Hi"), Message("user", "Again"))


def test_a_fence_is_longer_than_any_inside_it() -> None:
    file = Attachment("a\nb.md", "```py\nx\n```\n````\n")
    said = text(entry("1", text="Read this.", attachments=(file,)))
    assert said == "File: a b.md\n`````\n```py\nx\n```\n````\n`````\n\nRead this."


def test_a_chat_is_called_by_its_first_words() -> None:
    assert title(entry("1", text="What is **ONNX**?")) == "What is ONNX?"


def test_an_attachment_names_a_chat_without_words() -> None:
    assert title(entry("1", text=" ", attachments=(Attachment("a.txt", ""),))) == "a.txt"
