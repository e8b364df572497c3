"""All of the app with a model that says what is written there, and a task that has every kind of field and block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.conftest import ROOT, Site
from tests.browser.driven import SCRIPTED, driven

TASK = ROOT / "tests" / "unit" / "tasks" / "scripted_task.py"
ADDED = Path(__file__).with_name("scripted_tasks.py")
FUTURE = "from __future__ import annotations\n"


@contextmanager
def tasks_site(folder: Path, scratch: Path) -> Iterator[Site]:
    parts = [path.read_text("utf-8").replace(FUTURE, "") for path in (TASK, ADDED, SCRIPTED)]
    script = scratch / "start.py"
    script.write_text(FUTURE + "\n".join(parts), "utf-8")
    site = driven(folder, script=script).start()
    yield site
    site.stop()
