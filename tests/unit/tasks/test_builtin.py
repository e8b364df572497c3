"""The tasks there are: those that come with Candil, and the user's own."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from pyapp.tasks import builtin
from pyapp.tasks.builtin import BUILT_IN, Tasks
from tests.unit.tasks.scripted_task import ScriptedTask


class Pretender(ScriptedTask):
    name = BUILT_IN[0]


def test_one_of_the_users_own_comes_and_goes() -> None:
    tasks = Tasks()
    news: list[int] = []
    tasks.on_change = lambda: news.append(1)
    task = ScriptedTask()
    tasks.add(task)
    assert tasks.find("scripted") is task
    assert tasks.all()[-1] is task
    tasks.remove("scripted")
    assert tasks.find("scripted") is None
    assert len(news) == 2
    tasks.on_change = lambda: None
    tasks.remove("scripted")


def test_nobody_takes_the_place_of_one_that_comes_with_candil() -> None:
    tasks = Tasks()
    tasks.on_change()
    tasks.add(Pretender())
    assert not any(isinstance(task, Pretender) for task in tasks.all())


def test_one_that_comes_with_candil_is_imported_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("pyapp.tasks.made_up")
    module.__spec__ = ModuleSpec(module.__name__, None)
    task = ScriptedTask()
    module.TASK = task  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(builtin, "BUILT_IN", ("made_up", "not_there"))
    assert Tasks().all() == [task]
    assert Tasks().find("made_up") is task
    assert Tasks().find("not_there") is None


def test_those_that_come_with_candil_come_first() -> None:
    tasks = Tasks()
    names = [task.name for task in tasks.all()]
    assert names == [name for name in BUILT_IN if name in names]
    for name in names:
        assert tasks.find(name) is tasks.find(name)
