"""Serves Candil: `python static_server.py` what was built, with --dev the sources (an edit is a reload).

Everything is set by environment variables or the file .env; .env.example explains each. Unless an operator turns the
relay on, it only hands out files. It keeps no word of a chat.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from server import config, dotenv, running
from server.values import ConfigError

ROOT = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="serve the sources; an edit is a reload")
    parser.add_argument("--check", action="store_true", help="show the effective configuration and stop")
    arguments = parser.parse_args()
    try:
        read_dotenv(ROOT / ".env")
        settings = config.load(os.environ)
    except ConfigError as error:
        sys.exit(f"Candil does not start: {error}")
    if arguments.check:
        print("\n".join(config.described(settings)))
        return
    folder = ROOT / "build" / "dev" if arguments.dev else settings.site_dir
    if not (folder / "stdlib.zip").is_file():
        sys.exit(f"The site is not built yet: run `make {'dev' if arguments.dev else 'run'}`.")
    running.run(settings, dev=arguments.dev)


def read_dotenv(path: Path) -> None:
    """Into this process' environment, which comes first. Raises ConfigError."""
    if path.is_file():
        for name, value in dotenv.parse(path.read_text("utf-8")).items():
            os.environ.setdefault(name, value)


if __name__ == "__main__":
    main()
