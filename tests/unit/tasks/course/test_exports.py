"""A course as files that others open."""

from __future__ import annotations

import json
import re
import zipfile
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from pyapp.engine import Json
from pyapp.tasks.course import TASK
from pyapp.tasks.course.documents import below
from pyapp.tasks.course.exports import file_name
from pyapp.tasks.course.state import course
from pyapp.tasks.task import Export
from pyapp.views.language import Language
from tests.unit.run import run
from tests.unit.tasks.course.answers import GIVEN, acted, made

SAY = Language("en").having(TASK.strings)
CP = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"
QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
HOSTILE = "<script>alert(1)</script> & \"'> ]]> {title}"


def export(kind: str, state: Json | None = None) -> Export:
    return run(TASK.export(GIVEN, state or run(made()), kind, SAY))


def hostile() -> Json:
    state = run(made())
    for value in ("title", "description", "0/title", "0/objectives", "0/0/title", "0/0/exercises"):
        state = run(acted(state, "write", value, HOSTILE))
    for value in ("question", "options/0", "why"):
        state = run(acted(state, "write", f"0/0/quiz/0/{value}", HOSTILE))
    text = f"{HOSTILE}\n\n![x](https://a.test/x.png) [y](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n# Big"
    return run(acted(state, "write", "0/0/content", text))


def test_every_kind_is_a_file() -> None:
    files = [export(kind) for kind in TASK.exports]
    assert [file.name for file in files] == [f"All about tea.{end}" for end in ("md", "html", "json", "imscc")]
    assert all(file.data and "/" in file.type for file in files)


@pytest.mark.parametrize(
    ("title", "name"),
    [("A/b:c?", "A b c"), ("..", "Candil"), ("Té – 茶", "Té 茶"), ("x" * 99, "x" * 60), ("gpj\u202e.exe", "gpj exe")],
)
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert file_name(title) == name


def test_json_is_the_course() -> None:
    state = run(acted(run(made()), "answer", "0/0/0", "0"))
    assert json.loads(export("json", state).data) == course(state)


def test_markdown_has_everything_and_the_answers_last() -> None:
    text = export("markdown").data.decode()
    assert text.startswith("# All about tea\n\nWhat tea is.")
    assert "## Module 2: Leaves 1\n\n**You will learn to**\n\n- Know Leaves 1" in text
    assert "### 1.2 Leaves 0, day 1" in text
    assert "1. What of 4?\n   - A) Salt\n   - B) Leaf 4" in text
    assert text.index("## Answers") > text.rindex("### 2.2")
    assert "**1.1**\n\n1. B) Leaf 4. It is 4." in text


def test_headings_of_a_lesson_are_below_it() -> None:
    assert below("# A\n```\n# no\n```\n#### B\n#c", 3) == "#### A\n```\n# no\n```\n###### B\n#c"


class Page(HTMLParser):
    """What an HTML page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br", "hr", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_page_that_fetches_nothing() -> None:
    text = export("html", hostile()).data.decode()
    page = Page(text)
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    links = [value or "" for name, value in page.attributes if name == "href"]
    assert all(link.startswith(("#", "https://a.test/")) for link in links)
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert "&lt;script&gt;" in text
    assert '<html lang="en">' in text
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_course_that_is_not_whole_is_a_file_too() -> None:
    begun = {"title": "M", "objectives": [], "lessons": [{"title": "L"}]}
    unfinished = {"language": "en", "title": "T", "description": "D", "modules": [begun, {"title": "N"}]}
    assert "1.1 L" in export("html", unfinished).data.decode()
    assert "### 1.1 L" in export("markdown", unfinished).data.decode()
    assert archive(unfinished).namelist()[1:] == ["pages/m1.html", "pages/m1-l1.html", "pages/m2.html"]
    assert b"assessment" not in archive(unfinished).read("imsmanifest.xml")
    assert json.loads(export("json", unfinished).data)["title"] == "T"


def archive(state: Json | None = None) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(export("cartridge", state).data))


def test_a_cartridge_is_the_same_file_each_time() -> None:
    assert export("cartridge").data == export("cartridge").data
    assert archive().testzip() is None
    assert archive().namelist()[0] == "imsmanifest.xml"


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_manifest_names_every_file_and_nothing_else(spoilt: bool) -> None:
    """Common Cartridge 1.1, 3 and 3.1."""
    files = archive(hostile() if spoilt else None)
    raw = files.read("imsmanifest.xml")
    assert b'xmlns="http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"' in raw[:500]  # Moodle looks there
    manifest = ET.fromstring(raw)
    resources = {each.get("identifier"): each for each in manifest.iter(f"{CP}resource")}
    listed = [each.get("href") for each in manifest.iter(f"{CP}file")]
    assert sorted(listed) == sorted(set(files.namelist()) - {"imsmanifest.xml"})  # type: ignore[type-var]
    referred = [each.get("identifierref") for each in manifest.iter(f"{CP}item") if each.get("identifierref")]
    assert sorted(referred) == sorted(resources)  # type: ignore[type-var]
    identifiers = [each.get("identifier") for each in manifest.iter() if each.get("identifier")]
    assert len(identifiers) == len(set(identifiers))
    (organization,) = manifest.iter(f"{CP}organization")
    assert organization.get("structure") == "rooted-hierarchy"
    (root,) = organization
    assert root.find(f"{CP}title") is None
    modules = root.findall(f"{CP}item")
    assert [len(module.findall(f"{CP}item")) for module in modules] == [5, 5]
    types = {each.get("type") for each in resources.values()}
    assert types == {"webcontent", "imsqti_xmlv1p2/imscc_xmlv1p1/assessment"}
    for each in resources.values():
        assert (each.get("href") is not None) == (each.get("type") == "webcontent")


@pytest.mark.parametrize("spoilt", [False, True])
def test_quizzes_are_those_of_the_course(spoilt: bool) -> None:
    """Common Cartridge 1.1, 4.5: QTI 1.2.1 of the cartridge's profile."""
    state = hostile() if spoilt else run(made())
    files = archive(state)
    for m, module in enumerate(course(state)["modules"], 1):
        for n, lesson in enumerate(module["lessons"], 1):
            quiz = ET.fromstring(files.read(f"quizzes/m{m}-l{n}.xml"))
            (assessment,) = quiz.findall(f"{QTI}assessment")
            (section,) = assessment.findall(f"{QTI}section")
            assert [read(item) for item in section] == lesson["quiz"]
            profiles = [entry.text for entry in quiz.iter(f"{QTI}fieldentry")]
            assert profiles[0] == "cc.exam.v0p1"
            assert profiles.count("cc.multiple_choice.v0p1") == len(lesson["quiz"])


def read(item: ET.Element) -> Json:
    """As an importer does."""
    presentation = item.find(f"{QTI}presentation")
    assert presentation is not None
    labels = list(presentation.iter(f"{QTI}response_label"))
    right = item.findtext(f".//{QTI}varequal")
    score = item.findtext(f".//{QTI}respcondition[{QTI}setvar]/{QTI}setvar")
    assert score == "100"
    shown = item.find(f".//{QTI}displayfeedback")
    feedback = item.find(f"{QTI}itemfeedback")
    assert shown is not None
    assert feedback is not None
    assert shown.get("linkrefid") == feedback.get("ident")
    return {
        "question": text(presentation.find(f"{QTI}material")),
        "options": [text(label) for label in labels],
        "right": [label.get("ident") for label in labels].index(right),
        "why": text(feedback),
    }


def text(element: ET.Element | None) -> str:
    """Of its mattext, which is HTML."""
    assert element is not None
    found = element.find(f".//{QTI}mattext")
    assert found is not None
    assert found.get("texttype") == "text/html"
    (paragraph,) = re.findall("^<p>(.*)</p>$", found.text or "")
    return unescape(paragraph)


def test_pages_of_a_cartridge_are_html() -> None:
    files = archive(hostile())
    pages = [name for name in files.namelist() if name.endswith(".html")]
    assert len(pages) == 2 + 4
    for name in pages:
        page = Page(files.read(name).decode())
        assert "script" not in page.tags
        assert page.tags.count("h1") == 1
