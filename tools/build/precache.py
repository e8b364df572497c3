"""What the service worker keeps: the shell at once, an engine's code from its first use on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from server.headers import HEADERS
from tools.build.cache import digest

# The service worker is the browser's to keep; weights have their own store; licences are for readers.
APART = ("models/", "model_manifest.json", "sw.js")
LICENCES = ("LICENSE", "LICENCE")


def groups(names: Iterable[str], engines: Mapping[str, Mapping[str, list[str]]]) -> dict[str, list[str]]:
    """{"shell": …, "<engine>:<device>": …} -> the names in it."""
    by_engine = {f"{e}:{device}": files for e, devices in engines.items() for device, files in devices.items()}
    later = {name for files in by_engine.values() for name in files}
    shell = [n for n in names if n not in later and not n.startswith(APART) and Path(n).name not in LICENCES]
    return {"shell": sorted(shell), **by_engine}


def script(members: Mapping[str, list[str]], files: Mapping[str, Path], hashes: Mapping[str, str]) -> bytes:
    """precache.js. Its version changes when any byte of any file in it does, and so the browser sees an update.

    In it too: the headers every file is to have, for hosts that do not send them.
    """
    listed = {
        group: {n: {"sha256": hashes[n], "bytes": files[n].stat().st_size} for n in names}
        for group, names in members.items()
    }
    version = digest(json.dumps([listed, HEADERS], sort_keys=True))[:16]
    value = json.dumps({"version": version, "headers": HEADERS, "groups": listed}, indent=1)
    return f"self.PRECACHE = {value};\n".encode()
