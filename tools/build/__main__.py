"""python -m tools.build [--dev] [--no-model] [--out FOLDER]: brings build/site (or build/dev) up to date."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tools import digits, embedded_model
from tools.build.layout import ROOT, BuildError, Sources
from tools.build.site import Target, alone, build


def main() -> int:
    arguments = parse()
    started = time.monotonic()
    sources = Sources()
    out = arguments.out or ROOT / "build" / ("dev" if arguments.dev else "site")
    try:
        with alone(sources.cache):
            prepared = None if arguments.no_model else made(embedded_model.prepare, sources.cache)
            gguf = embedded_model.embedded_gguf(sources.cache) if prepared else None
            digits_made = None if arguments.no_model else made(digits.prepare, sources.cache)
            changed = build(sources, Target(out, arguments.dev, prepared, gguf, digits_made))
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{out.relative_to(ROOT)}: {'built' if changed else 'up to date'} ({time.monotonic() - started:.1f} s)")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.build", description=__doc__)
    parser.add_argument(
        "--dev", action="store_true", help="for `static_server.py --dev`: sources are served as they are"
    )
    parser.add_argument("--no-model", action="store_true", help="without the embedded model")
    parser.add_argument("--out", type=lambda p: Path(p).resolve(), help="default: build/site, with --dev build/dev")
    return parser.parse_args()


def made(prepare: Callable[[Path], Path], cache: Path) -> Path:
    """The embedded model in the browser's formats, or the self-test's network: fetched and made on the first call.

    Raises BuildError."""
    try:
        return prepare(cache)
    except RuntimeError as error:
        raise BuildError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
