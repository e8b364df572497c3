"""python -m tests.schemas: the 200 as JSON, for tests that are not Python."""

from __future__ import annotations

import dataclasses
import json

from tests.schemas.corpus import CASES

print(json.dumps([dataclasses.asdict(case) for case in CASES], ensure_ascii=False))
