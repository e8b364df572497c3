"""As scripted.py, before whose start it stands: answers to a task are short, and slow enough to be seen."""

import pyapp.tasks.builtin
from pyapp.tasks.builtin import Tasks


class WithScripted(Tasks):
    def __init__(self) -> None:
        super().__init__()
        self.add(TASK)  # type: ignore[name-defined]  # noqa: F821 -- tests/unit/tasks/scripted_task.py is above


pyapp.tasks.builtin.Tasks = WithScripted  # type: ignore[misc]
