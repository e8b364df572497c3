"""Labels for the lines of a text or the rows of a table, with how likely each is."""

from pyapp.tasks.classify.task import Classify

TASK = Classify()
