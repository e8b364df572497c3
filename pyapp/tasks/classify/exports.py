"""The result as files."""

from __future__ import annotations

import json

from pyapp.engine import Json
from pyapp.tasks.classify.items import Items
from pyapp.tasks.classify.labels import BETWEEN
from pyapp.tasks.classify.state import State, labels_of, names_of, shares_of
from pyapp.tasks.classify.tables import write_table
from pyapp.tasks.task import Export, Say

_TEXT: Json = {"type": "string"}
_SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


SCHEMA: Json = _object(
    {
        "labels": {"type": "array", "items": _object({"name": _TEXT, "meaning": _TEXT})},
        "items": {
            "type": "array",
            "items": _object(
                {
                    "text": _TEXT,
                    "labels": {"type": "array", "items": _TEXT},
                    "probabilities": {"type": ["object", "null"], "additionalProperties": _SHARE},
                    "by_hand": {"type": "boolean"},
                }
            ),
        },
    }
)


def as_json(items: Items, state: State, say: Say) -> Export:
    """As SCHEMA says; the items that are done."""
    names = names_of(state)
    listed = [
        {
            "text": text,
            "labels": labels_of(state, index),
            "probabilities": None if done["p"] is None else dict(zip(names, done["p"], strict=True)),
            "by_hand": str(index) in state["by_hand"],
        }
        for index, (text, done) in enumerate(zip(items.texts, state["done"], strict=False))
    ]
    text = json.dumps({"labels": state["labels"], "items": listed}, ensure_ascii=False, indent=1)
    return Export(f"{say.text('classify.file_name')}.json", "application/json", text.encode())


def as_csv(items: Items, state: State, say: Say) -> Export:
    """Every row as it came, with two more columns."""
    table = items.table
    columns = table.columns if table else [say.text("classify.item")]
    rows = table.rows if table else [[text] for text in items.texts]
    separator = table.separator if table else ","
    made = [_cells(state, index, separator) for index in range(len(rows))]
    data = write_table(
        [*columns, say.text("classify.label"), say.text("classify.probability")],
        [[*row, *cells] for row, cells in zip(rows, made, strict=True)],
        separator,
    )
    return Export(f"{say.text('classify.file_name')}.csv", "text/csv", data)


def _cells(state: State, index: int, separator: str) -> list[str]:
    shares = BETWEEN.join(f"{share:.4f}" for share in shares_of(state, index) or ())
    # Where columns are separated by semicolons it is because the comma is in the numbers.
    return [BETWEEN.join(labels_of(state, index)), shares.replace(".", ",") if separator == ";" else shares]
