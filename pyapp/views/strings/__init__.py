"""The words a user reads, one module per language: `STRINGS`, key -> sentence.

To add a language: copy en.py, translate the values, add a row to LANGUAGES and an <option> to the shell.
"""

from __future__ import annotations

from pyapp.views.strings import en, es

LANGUAGES: dict[str, dict[str, str]] = {"en": en.STRINGS, "es": es.STRINGS}
