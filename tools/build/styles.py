"""One style sheet instead of several: each is a request the first paint waits for."""

from __future__ import annotations

import re
from pathlib import Path

LINK = re.compile(r'[ \t]*<link rel="stylesheet" href="([^"]+)">\n')
JOINED = "styles/all.css"


def joined(page: str, site: Path) -> tuple[str, list[str], str]:
    """The page with one link in place of the first, the names of the sheets it had, and their text in that order.

    The one lies where the others do, so that what they refer to is still found.
    """
    names = LINK.findall(page)
    sheets = "\n".join((site / name).read_text("utf-8") for name in names)
    one = LINK.sub(f'  <link rel="stylesheet" href="{JOINED}">\n', page, count=1)
    return LINK.sub(lambda link: link[0] if link[1] == JOINED else "", one), names, sheets
