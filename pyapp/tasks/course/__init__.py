"""A course from a topic: an outline, then module by module and lesson by lesson what is in it."""

from __future__ import annotations

from pyapp.tasks.course.task import Course

TASK = Course()
