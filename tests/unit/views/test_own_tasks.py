"""Tasks of the user's own as they are shown."""

from __future__ import annotations

from dataclasses import replace

from pyapp.errors import PluginRefused
from pyapp.routing.needs import Needs
from pyapp.tasks.plugins.described import Described
from pyapp.tasks.plugins.own import Adding, Own
from pyapp.views.language import Language
from pyapp.views.own_tasks import section

EN = Language("en")
STRINGS = {"fr": {"x.title": "X & <b>Y</b>", "x.about": "<script>"}}
OWN = Own(Described("x", STRINGS, (), (), {}, Needs("chat")), "x<i>.py", 3400, "0" * 64)


def html(*kept: Own, adding: Adding | None = None, asking: str = "") -> str:
    return str(section(kept, adding, asking, EN).html)


def test_none_yet() -> None:
    shown = html()
    assert "Add a task of your own" in shown
    assert "<ul" not in shown


def test_one_says_what_it_may_do_and_can_be_given_more_or_less() -> None:
    offline, online = html(OWN), html(replace(OWN, online=True))
    assert ("no network" in offline, "own-task-ask" in offline, "own-task-forbid" in offline) == (True, True, False)
    assert ("may use the network" in online, "own-task-forbid" in online, "own-task-ask" in online) == (
        True,
        True,
        False,
    )
    for action in ("own-task-save", "own-task-remove"):
        assert f'data-action="{action}" data-id="x"' in offline


def test_the_network_is_asked_about() -> None:
    shown = html(OWN, asking="x")
    assert 'data-action="own-task-allow" data-id="x"' in shown
    assert "own-task-ask" not in shown
    assert "own-task-allow" not in html(OWN, asking="y")


def test_a_file_that_is_looked_at_and_what_came_of_it() -> None:
    assert "Looking at x.py" in html(adding=Adding("x.py"))
    asked = html(adding=Adding("x.py", OWN))
    assert 'data-action="own-task-add"' in asked
    assert "3.4\N{NO-BREAK SPACE}kB" in asked
    refused = html(adding=Adding("x.py", error=PluginRefused(why="no_task", what="")))
    assert "TASK = MyTask()" in refused
    assert "own-task-add" not in refused


def test_what_its_author_wrote_is_text() -> None:
    for shown in (html(OWN, asking="x"), html(adding=Adding("<i>", OWN)), html(adding=Adding("<i>"))):
        assert not any(tag in shown for tag in ("<b>", "<i>", "<script>"))
