"""`python -m tools.pin`: gives every entry of the catalog that has none a revision, sizes and hashes, from its hub.

Each entry is written as soon as it is known, so an interrupted run goes on where it stopped. HF_TOKEN, if set, is used
for repositories whose publishers ask for an account.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyapp.errors import AccessDenied, CandilError, FileMissing, NetworkFailed, ServerBusy
from pyapp.models.manifest import HubSource, ModelSpec, Repository, Variant, parse
from pyapp.models.pinning import Read, pin
from tools.pin.layout import laid_out
from tools.pin.reading import HubReader

MANIFEST = Path(__file__).parents[2] / "model_manifest.json"


def main(argv: list[str] | None = None) -> int:
    """The number of entries that could not be pinned."""
    parser = argparse.ArgumentParser(prog="tools.pin", description=__doc__)
    parser.add_argument("--only", action="append", metavar="ID", help="a model, or model.variant; may be repeated")
    parser.add_argument("--again", action="store_true", help="also what has a revision already: take the newest")
    parser.add_argument("--manifest", type=Path, default=MANIFEST)
    given = parser.parse_args(argv)
    return asyncio.run(pin_all(given.manifest, HubReader(os.environ.get("HF_TOKEN")), given.only, again=given.again))


async def pin_all(manifest: Path, read: Read, only: list[str] | None, *, again: bool) -> int:
    wanted = list(_wanted(manifest, only, again=again))
    if not wanted:
        print("Nothing to pin.")
    failed = 0
    for model, variant in wanted:
        name = f"{model.id}.{variant.name}"
        try:
            pinned = await pin(variant, read)
        except CandilError as error:
            failed += 1
            print(f"{name}: {advice(error, _repository(variant))}", file=sys.stderr)
            continue
        write(manifest, model.id, pinned)
        print(f"{name}: {len(pinned.files)} files, {pinned.bytes / 1e6:.0f} MB, {_repository(pinned).revision}")
    return failed


def _wanted(manifest: Path, only: list[str] | None, *, again: bool) -> Iterator[tuple[ModelSpec, Variant]]:
    for model in parse(manifest.read_text("utf-8")).models:
        for variant in model.variants if isinstance(model.source, HubSource) else ():
            named = only is None or model.id in only or f"{model.id}.{variant.name}" in only
            if named and (again or not variant.pinned):
                yield model, variant


def _repository(variant: Variant) -> Repository:
    assert variant.repository is not None  # it is from a hub
    return variant.repository


def write(manifest: Path, model_id: str, pinned: Variant) -> None:
    """Into the entry it is of, in one step; nothing else in the file changes."""
    document: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    (model,) = (each for each in document["models"] if each["id"] == model_id)
    (entry,) = (each for each in model["variants"] if each["name"] == pinned.name)
    entry["repository"]["revision"] = _repository(pinned).revision
    entry["files"] = [{"path": file.path, "bytes": file.bytes, "sha256": file.sha256} for file in pinned.files]
    text = laid_out(document)
    parse(text)
    beside = manifest.with_suffix(".new")
    beside.write_text(text, "utf-8")
    beside.replace(manifest)


def advice(error: CandilError, repository: Repository) -> str:
    """What happened, and what to do."""
    where = f"{repository.host}/{repository.repo}"
    match error:
        case AccessDenied() if error.details.get("status") == 401:
            return (
                f"{where} is gated, private or does not exist. If it is gated, accept its terms there, "
                f"make a token at {repository.host}/settings/tokens and run again with HF_TOKEN set."
            )
        case AccessDenied():
            return f"{where} does not let the account of HF_TOKEN in. Accept its terms there and run again."
        case FileMissing() if "path" in error.details:
            return f"{where} has no {error.details['path']}. Correct the entry's `wants`."
        case FileMissing():
            return f"{where} is not there any more. Look for the repository's new name and correct the entry."
        case ServerBusy():
            return f"{where} is busy ({error.message}). Run again later; what is done is kept."
        case NetworkFailed():
            return f"{where} cannot be reached ({error.message}). Check the connection and run again."
        case _:
            return f"{where}: {error.message}"


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
