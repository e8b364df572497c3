"""What a person made goes out, comes in, and is deleted, through the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Candil, Site, Watch, wait_for
from tests.browser.test_accessibility import audit
from tests.browser.test_settings import open_settings, settle
from tests.unit.transfer import examples
from tests.unit.transfer.made import own

PAYLOAD = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>'


def choose(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Import", exact=True).click()
    chooser.value.set_files(file)


def import_(page: Page, tmp_path: Path, text: str) -> None:
    page.locator("#data-news").evaluate("e => e.replaceChildren()")  # what is told next is of this import
    file = tmp_path / "import.json"
    file.write_text(text, encoding="utf-8")
    choose(page, file)


def export(page: Page, tmp_path: Path, name: str = "Export") -> Path:
    with page.expect_download() as saved:
        page.get_by_role("button", name=name, exact=True).click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    return file


def bare(value: Any) -> Any:
    """An export without its ids and its time: places stand for the ids."""
    chats = []
    for chat in value["chats"]:
        places = {entry["id"]: place for place, entry in enumerate(chat["entries"])} | {None: None, "": "root"}
        entries = [entry | {"id": places[entry["id"]], "parent": places[entry["parent"]]} for entry in chat["entries"]]
        chosen = {places[fork]: places[branch] for fork, branch in chat["chosen"].items()}
        chats.append(chat | {"id": None, "head": places[chat["head"]], "entries": entries, "chosen": chosen})
    return value | {"exported_ms": 0, "chats": sorted(chats, key=lambda chat: str(chat["title"]))}


def kept(page: Page) -> dict[str, Any]:
    """What this origin keeps in the browser."""
    return page.evaluate(  # type: ignore[no-any-return]
        """async () => {
          const files = [];
          const walk = async (folder) => {
            for await (const each of folder.values()) each.kind === "file" ? files.push(each.name) : await walk(each);
          };
          await walk(await navigator.storage.getDirectory());
          const database = await new Promise((done) => {
            const opening = indexedDB.open("candil");
            opening.onsuccess = () => done(opening.result);
          });
          const counts = {};
          for (const store of database.objectStoreNames) {
            counts[store] = await new Promise((done) => {
              const counting = database.transaction(store).objectStore(store).count();
              counting.onsuccess = () => done(counting.result);
            });
          }
          database.close();
          return { files, counts, local: Object.keys(localStorage) };
        }"""
    )


def test_export_delete_everything_import_is_identical(visitor: Candil, site: Site, tmp_path: Path) -> None:
    page = settle(visitor, site)
    visitor.message.fill("a draft")
    open_settings(page, "Personas")
    page.get_by_role("button", name="New persona").click()
    page.get_by_role("textbox", name="Name").fill("Pirate")
    page.get_by_role("textbox", name="Instructions").fill("Arr {{ user }}")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="General", exact=True).click()
    page.get_by_role("combobox", name="Theme").select_option("dark")
    for name, example in examples.ALL.items():
        import_(page, tmp_path, json.dumps(example))
        new = {"open_webui": 2, "llama_cpp_old": 0}.get(name, 1)  # the older form says what the form before it did
        page.get_by_role("heading", name=f"Imported chats: {new}.").wait_for()
    before = json.loads(export(page, tmp_path).read_text("utf-8"))
    assert len(before["chats"]) == 5
    page.get_by_role("button", name="Delete everything…").click()
    page.get_by_text("Chats: 5. Results of tasks: 0. Personas of your own: 1.").wait_for()
    page.get_by_role("button", name="Delete everything", exact=True).click()
    page.get_by_role("dialog", name="Choose how Candil answers").wait_for()  # as on the first visit
    assert kept(page)["counts"] == {"chats": 0, "messages": 0, "runs": 0, "run_parts": 0, "settings": 0}
    assert "candil.draft" not in kept(page)["local"] or visitor.message.input_value() == ""
    page.keyboard.press("Escape")
    open_settings(page)
    import_(page, tmp_path, json.dumps(before))
    page.get_by_role("heading", name="Imported chats: 5").wait_for()
    after = json.loads(export(page, tmp_path).read_text("utf-8"))
    assert bare(after) == bare(before)
    import_(page, tmp_path, json.dumps(before))
    page.get_by_role("heading", name="Imported chats: 0").wait_for()
    audit(page, "a report")
    assert page.get_by_text("already here").count() == 5


def test_a_hostile_file_is_text_or_refused(visitor: Candil, site: Site, tmp_path: Path) -> None:
    page = settle(visitor, site)
    open_settings(page)
    for text, sentence in (
        ("no JSON", "This file cannot be imported"),
        ("[" * 100_000, "This file cannot be imported"),
        ('{"format": "candil.chats", "version": 9}', "This file comes from a newer Candil (format 9"),
    ):
        import_(page, tmp_path, text)
        expect(page.locator("#panel-status")).to_contain_text(sentence)
    entry = {"id": "a", "parent": "b", "role": "user", "text": PAYLOAD, "created_ms": 1, "state": "done"}
    entry |= {"attachments": [], "origin": None, "usage": None, "reason": None, "error": None}
    chat = {"id": "c", "created_ms": 1, "updated_ms": 1, "title": PAYLOAD, "titled_by": "user", "pinned": False}
    chat |= {"head": "a", "draft": "", "settings": {}, "entries": [entry, entry | {"id": "b", "parent": "a"}]}
    import_(page, tmp_path, own(chat))
    page.get_by_text("its messages follow each other in a circle").wait_for()
    assert PAYLOAD in page.locator("#data-news").inner_text()
    import_(page, tmp_path, own(chat | {"entries": [entry | {"parent": None}]}))
    page.get_by_role("heading", name="Imported chats: 1").wait_for()
    assert page.evaluate("window.hacked") is None
    assert json.loads(export(page, tmp_path).read_text("utf-8"))["chats"][0]["title"] == PAYLOAD


def test_a_file_that_is_too_large_is_refused_without_reading_it(visitor: Candil, site: Site, tmp_path: Path) -> None:
    page = settle(visitor, site)
    open_settings(page)
    file = tmp_path / "large.json"
    with file.open("wb") as sparse:
        sparse.truncate(100_000_000)
    choose(page, file)
    expect(page.locator("#panel-status")).to_contain_text("too large to import")


def test_settings_of_a_file_are_offered_where_there_are_others(visitor: Candil, site: Site, tmp_path: Path) -> None:
    page = settle(visitor, site)
    open_settings(page)
    page.get_by_role("combobox", name="Theme").select_option("light")
    import_(page, tmp_path, own(settings={"theme": "dark"}))
    page.get_by_role("button", name="Use these settings").click()
    wait_for(lambda: page.get_by_role("combobox", name="Theme").input_value() == "dark", "dark")


@pytest.mark.real_model
def test_one_chat_as_markdown_and_a_model_is_deleted_too(chromium: Any, site: Site, tmp_path: Path) -> None:
    context = chromium.new_context(locale="en-US")
    watch = Watch(site)
    watch.over(context)
    candil = Candil(context.new_page()).install(f"{site.url}?device=wasm")
    page = candil.page
    candil.ask("Say hello.").begun()
    open_settings(page)
    file = export(page, tmp_path, "This chat as Markdown")
    assert file.name.startswith("Candil - Say hello. - 20") or file.name.startswith("Candil - Say hello - 20")
    text = file.read_text("utf-8")
    assert text.startswith("# Say hello.\n")
    assert "## You\n\nSay hello.\n" in text
    assert kept(page)["files"]
    page.get_by_role("button", name="Delete everything…").click()
    page.get_by_text("Downloaded models: 1").wait_for()
    page.get_by_role("button", name="Delete everything", exact=True).click()
    page.get_by_role("dialog", name="Choose how Candil answers").wait_for(timeout=60_000)
    assert kept(page)["files"] == []
    assert kept(page)["counts"] == {"chats": 0, "messages": 0, "runs": 0, "run_parts": 0, "settings": 0}
    context.close()
    watch.check()
