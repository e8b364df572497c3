"""The languages as tests speak them: numbers as people write them, without a browser to ask."""

from __future__ import annotations

from pyapp.views.formats import Plain
from pyapp.views.language import Language

EN, ES = Language("en"), Language("es", Plain(".", ","))
