"""What names, hashes and addresses in the catalog look like; model_manifest.schema.json has the same patterns.

Every one is matched against the whole string. None admits a backslash, a space or a control
character, which browsers quietly repair into another address, nor user names in an address.
"""

from __future__ import annotations

import re

MODEL_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
VARIANT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")  # no dot: "<model>.<variant>" splits at the last one
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")
REVISION = re.compile(r"[0-9a-f]{40}")
_NO_DOTS = r"(?!(?:.*/)?\.{1,2}(?:/|$))"  # no segment is "." or ".."
FILE_PATH = re.compile(_NO_DOTS + r"[A-Za-z0-9._+@=-]+(?:/[A-Za-z0-9._+@=-]+)*")
FILE_GLOB = re.compile(_NO_DOTS + r"[A-Za-z0-9._+@=*-]+(?:/[A-Za-z0-9._+@=*-]+)*")
_AUTHORITY = r"(?:https://[A-Za-z0-9.-]+|http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?"
HOST = re.compile(_AUTHORITY)
URL = re.compile(
    _AUTHORITY + r"/[A-Za-z0-9._~:!$&'()*+,;=@%/?-]*|(?!//)" + _NO_DOTS + r"[A-Za-z0-9._~!$&'()*+,;=@%/?-]+"
)
REPO = re.compile(_NO_DOTS + r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
