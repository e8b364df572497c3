"""The words a user reads, modules per language (`en`, `models.en`, `settings.en`): `STRINGS`, key -> sentence.

To add a language: copy them, translate the values, add a row to LANGUAGES and an <option> to the shell.
"""

from __future__ import annotations

from pyapp.views.strings import en, es
from pyapp.views.strings.models import en as models_en
from pyapp.views.strings.models import es as models_es
from pyapp.views.strings.settings import en as settings_en
from pyapp.views.strings.settings import es as settings_es

LANGUAGES: dict[str, dict[str, str]] = {
    "en": en.STRINGS | models_en.STRINGS | settings_en.STRINGS,
    "es": es.STRINGS | models_es.STRINGS | settings_es.STRINGS,
}
