"""A summary of a text or a file, every point of which leads to where it comes from."""

from pyapp.tasks.summarise.task import TASK

__all__ = ["TASK"]
