"""The user's own tasks in our own exports: their files. What one was allowed does not travel with it."""

from __future__ import annotations

import base64
import binascii
import json

from pyapp.tasks.plugins.guest import PluginFile
from pyapp.transfer.form import member
from pyapp.transfer.reading import Damaged, obj, text

LONGEST_NAME = 200  # characters


def file_text(file: PluginFile) -> str:
    """One as JSON, for `exporting.document`."""
    return json.dumps({"file": file.name, "data": base64.b64encode(file.data).decode()}, ensure_ascii=False)


def file_read(item: object) -> PluginFile:
    """Raises Damaged."""
    value = obj(item)
    try:
        data = base64.b64decode(str(member(value, "data")), validate=True)
    except binascii.Error:
        raise Damaged("wrong_type") from None
    return PluginFile(text(member(value, "file"), LONGEST_NAME), data)
