"""The dialog of settings, personas, data and shortcuts, and the meter: escaped, labelled, in both languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from pyapp.settings.context_plan import Meter
from pyapp.settings.personas import Persona, built_in
from pyapp.settings.settings import Settings
from pyapp.settings.table import TABLE, Wrong
from pyapp.transfer.importing import Skipped
from pyapp.transfer.reading import Reason
from pyapp.views import meter, panel, personas, settings, shortcuts, your_data
from pyapp.views.html import Html
from pyapp.views.language import Language
from pyapp.views.strings import LANGUAGES
from pyapp.your_data import Inventory, Report
from tests.unit.views.languages import EN, ES

EVIL = "<img src=x onerror=alert(1)>\"'&{{ user }}"
PERSONA = Persona("p", EVIL, EVIL)


class Page(HTMLParser):
    """Elements with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        named = {name.replace("_", "-"): value for name, value in wanted.items()}
        return [a for t, a in self.elements if t == tag and named.items() <= a.items()]

    def check(self) -> Page:
        """No element of the user's, no id twice, and every reference leads somewhere."""
        assert not self.all("img")
        ids = [a["id"] for _, a in self.elements if "id" in a]
        assert len(ids) == len(set(ids))
        for _, attributes in self.elements:
            for name in ("for", "aria-describedby", "aria-labelledby"):
                assert set((attributes.get(name) or "").split()) <= set(ids), attributes
        return self


@pytest.mark.parametrize("language", [EN, ES], ids=lambda each: each.code)
def test_every_setting_has_a_label_a_help_and_a_place_for_its_fault(language: Language) -> None:
    choices: settings.Choices = {"persona": [(PERSONA.id, PERSONA.title)]}
    page = Page(settings.app_form(Settings(system_prompt=EVIL), choices, language)).check()
    for row in (row for row in TABLE if row.per_app):
        (control,) = [a for _, a in page.elements if a.get("name") == row.key]
        assert page.all("label", **{"for": str(control["id"])})
        assert control["aria-describedby"] == f"{control['id']}-help {control['id']}-wrong"
        assert "disabled" not in control
    assert page.all("button", data_action="reset-settings")
    assert EVIL in page.words


def test_controls_stand_as_the_settings_do() -> None:
    page = Page(settings.app_form(Settings(theme="dark", send_with_enter=False, seed=5), {}, EN))
    assert [a["value"] for a in page.all("option") if "selected" in a] == ["dark", "", "trim"]
    assert "checked" not in page.all("input", name="send_with_enter")[0]
    assert page.all("input", name="seed")[0]["value"] == "5"
    assert page.all("input", name="context_tokens")[0]["value"] == ""
    assert page.all("input", name="temperature")[0]["inputmode"] == "decimal"
    assert "checked" in Page(settings.app_form(Settings(), {}, EN)).all("input", name="send_with_enter")[0]


MODELS: settings.Choices = {"model": [("tiny/wasm", EVIL)]}


def test_a_chats_form_says_what_is_as_in_the_app() -> None:
    app = Settings(temperature=0.5, persona_id="gone")
    page = Page(settings.chat_form(app, {"top_k": 7}, MODELS, ES)).check()
    inherited = [a["value"] for a in page.all("input", name="inherit") if "checked" in a]
    assert inherited == [row.key for row in TABLE if row.per_chat and row.key != "top_k"]
    assert "disabled" in page.all("input", name="temperature")[0]
    assert "disabled" not in page.all("input", name="top_k")[0]
    assert "(0,5)" in page.words
    assert "(trim)" not in page.words
    assert [a["value"] for a in page.all("option") if "selected" in a] == ["", "gone", "trim"]
    assert page.all("option", value="tiny/wasm")
    assert EVIL in page.words
    assert not page.all("select", name="theme")
    assert not page.all("button")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (Wrong("temperature", "type", "hot"), "Write a number."),
        (Wrong("temperature", "range", "9"), "Choose a value from 0 to 2."),
        (Wrong("top_p", "range", "0"), "Choose a value from 0.05 to 1."),
        (Wrong("context_tokens", "range", "0"), "Choose a value from 256 to 1,048,576."),
        (Wrong("system_prompt", "length", ""), "This text is too long."),
        (Wrong("theme", "choice", ""), "Choose one of the options."),
    ],
)
def test_faults(wrong: Wrong, sentence: str) -> None:
    assert settings.fault(wrong, EN) == sentence


def test_personas_are_text() -> None:
    page = Page(personas.library([*built_in(EN.text), PERSONA], EN)).check()
    assert EVIL in page.words
    assert [a["data-action"] for a in page.all("button", data_id="p")] == [
        f"{action}-persona" for action in ("use", "edit", "duplicate", "share", "delete")
    ]
    assert len(page.all("button", data_id="tutor")) == 3
    assert page.all("button", aria_label=f"Edit: {EVIL}")


def test_the_form_of_a_persona() -> None:
    page = Page(personas.form(PERSONA, EN)).check()
    assert page.all("input", name="title")[0]["value"] == EVIL
    assert "Edit persona" in page.words
    assert "New persona" in Page(personas.form(None, EN)).check().words
    assert personas.fault(EN) == "Give it a name of at most 80 characters and instructions of at most 20,000."


@pytest.mark.parametrize("section", panel.SECTIONS)
def test_the_dialog_says_where_one_is(section: panel.Section) -> None:
    page = Page(panel.panel(section, Html("<p>Body</p>"), ES)).check()
    assert page.all("button", data_id=section, aria_current="true")
    assert len(page.all("button", data_action="show-section")) == len(panel.SECTIONS)
    assert page.all("h2", id="panel-title")


def test_data_can_go_out_come_in_and_be_deleted() -> None:
    page = Page(your_data.section(EN, chat=True)).check()
    assert [a["data-action"] for a in page.all("button")] == [
        f"data-{action}" for action in ("export", "export-markdown", "export-json", "import", "delete")
    ]
    assert len(Page(your_data.section(EN, chat=False)).check().all("button")) == 3


def test_what_will_be_deleted_is_counted() -> None:
    page = Page(your_data.confirmation(Inventory(1234, 2, 1), ES)).check()
    assert "Chats: 1.234." in page.words
    assert page.all("button", data_action="data-delete-confirmed")


def test_what_was_imported() -> None:
    page = Page(your_data.report(Report(chats=3), EN)).check()
    assert page.words == "Imported chats: 3."
    assert "Not imported: 1" in Page(your_data.report(Report(skipped=(Skipped("x", "empty"),)), EN)).check().words
    settled = Report(settings=Settings(theme="dark"))
    assert "The file also has settings." in Page(your_data.report(settled, EN)).check().words
    full = Report(3, 2, tuple(Skipped(title, "cycle") for title in [EVIL, "", *["x"] * 30]), Settings(theme="dark"))
    page = Page(your_data.report(full, EN)).check()
    assert EVIL in page.words
    assert "Untitled chat: its messages follow each other in a circle" in page.words
    assert "and 12 more" in page.words
    assert len(page.all("li")) == your_data.MOST_SHOWN + 1
    assert page.all("button", data_action="data-use-settings")


def test_every_reason_has_a_sentence() -> None:
    for reason in Reason.__args__:  # type: ignore[attr-defined]
        assert f"import.reason.{reason}" in LANGUAGES["en"]


def test_the_table_of_keys() -> None:
    page = Page(shortcuts.table(EN)).check()
    assert len(page.all("tr")) == len(shortcuts.SHORTCUTS) + 1
    assert re.search(r"Search the chats\s*Ctrl\+K", page.words)
    assert "⌘+K" in Page(shortcuts.table(ES, apple=True)).words


@pytest.mark.parametrize(
    ("key", "mod", "shift", "typing", "action"),
    [
        ("k", True, False, True, "search"),
        ("K", True, True, False, None),
        ("O", True, True, True, "new-chat"),
        ("?", False, True, False, "shortcuts"),
        ("?", False, False, False, "shortcuts"),
        ("?", False, True, True, None),
        ("/", False, False, False, "focus-message"),
        ("/", False, False, True, None),
        (",", True, False, True, "settings"),
        ("Enter", False, False, True, None),
        ("Escape", False, False, False, None),
        ("x", False, False, False, None),
    ],
)
def test_what_keys_do(key: str, mod: bool, shift: bool, typing: bool, action: str | None) -> None:
    assert shortcuts.action(key, mod=mod, shift=shift, typing=typing) == action


@pytest.mark.parametrize(
    ("key", "held", "with_enter", "sends"),
    [
        ("Enter", "", True, True),
        ("Enter", "mod", True, True),
        ("Enter", "shift", True, False),
        ("Enter", "composing", True, False),
        ("Enter", "", False, False),
        ("Enter", "mod", False, True),
        ("a", "", True, False),
    ],
)
def test_what_sends(key: str, held: str, with_enter: bool, sends: bool) -> None:
    mod, shift, composing = (held == each for each in ("mod", "shift", "composing"))
    assert shortcuts.sends(key, mod=mod, shift=shift, composing=composing, with_enter=with_enter) == sends


@pytest.mark.parametrize(
    ("used", "sentence"),
    [
        (100, "100 of 8,192 tokens used"),
        (6000, "6,000 of 8,192 tokens used. This chat is getting long."),
        (8000, "8,000 of 8,192 tokens used. The oldest messages will soon no longer fit."),
    ],
)
def test_the_meter_says_how_full_it_is(used: int, sentence: str) -> None:
    page = Page(meter.meter(Meter(used, 8192), EN)).check()
    assert page.words.endswith(sentence)
    assert page.all("meter", value=str(used), max="8192")
    over = Page(meter.meter(Meter(used, 8192, 4), ES)).words
    assert over.endswith("Mensajes más antiguos que ya no se envían: 4.")
