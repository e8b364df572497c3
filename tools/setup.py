"""python3 tools/setup.py run|test: the locked dependencies, in .venv and node_modules; nothing when they are there.

Runs on a fresh machine, before anything is installed: standard library only. Says in one sentence what is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CHROMIUM = Path("/usr/bin/chromium")
INSTALL = "apt-get update && apt-get install -y --no-install-recommends"


def main() -> None:
    purpose = sys.argv[1] if len(sys.argv) > 1 else ""
    if purpose not in ("run", "test"):
        sys.exit(__doc__)
    check_versions()
    make_venv()
    install_python("dev" if purpose == "test" else "run")
    install_node()
    if purpose == "test":
        check_programs()


def check_versions() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 -- whoever starts this may have any Python
        sys.exit(f"Candil needs Python 3.11 or newer; python3 here is {sys.version.split()[0]}.")
    if not (node := shutil.which("node")) or not shutil.which("npm"):
        sys.exit("Candil needs Node 20 or newer, with npm, to build: see https://nodejs.org/.")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 20:
        sys.exit(f"Candil needs Node 20 or newer to build; node here is {version}.")


def make_venv() -> None:
    if works(PYTHON):
        return
    say(f"Making {VENV.name} with Python {sys.version.split()[0]}")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], check=False, capture_output=True, text=True
    )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("python3 cannot make a virtual environment; on Debian: apt-get install python3-venv\n" + made.stderr)


def works(python: Path) -> bool:
    """Whether `python` starts; a venv whose Python was removed or replaced does not."""
    return python.exists() and subprocess.run([str(python), "-c", "import pip"], check=False).returncode == 0


def install_python(lock_name: str) -> None:
    """Installs requirements/<lock_name>.txt; dev holds everything run does, in the same versions."""
    lock = ROOT / "requirements" / f"{lock_name}.txt"
    stamp = VENV / f"installed-{lock_name}"
    key = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == key:
        return
    say(f"Installing {lock.relative_to(ROOT)}")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    run([*pip, "--requirement", str(lock)], "The Python packages could not be installed")
    stamp.write_text(key)


def install_node() -> None:
    if is_installed():
        return
    say("Installing package-lock.json")
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run(npm, "The Node packages could not be installed")


def is_installed() -> bool:
    """Whether npm's record of node_modules agrees with the lock; packages for other systems are not there."""
    record = ROOT / "node_modules" / ".package-lock.json"
    if not record.exists():
        return False
    there = json.loads(record.read_text("utf-8"))["packages"]
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    del locked[""]
    return (
        all(there[n] == p if n in there else p.get("optional") for n, p in locked.items()) and not there.keys() - locked
    )


def check_programs() -> None:
    """What the tests need besides: Debian's packages where we may install them; else says how."""
    if "CHROMIUM" not in os.environ and not CHROMIUM.exists():
        install_program("chromium chromium-headless-shell", "The browser tests need Chromium (or CHROMIUM=/path/to/it)")
    if not shutil.which("redis-server"):
        install_program("redis-server", "The server's tests need redis-server")


def install_program(package: str, need: str) -> None:
    if os.geteuid() or not shutil.which("apt-get"):
        sys.exit(f"{need}. As root: {INSTALL} {package}")
    say(f"Installing {package}")
    run(["sh", "-c", f"{INSTALL} {package}"], f"{package} could not be installed")


def run(command: list[str], failure: str) -> None:
    if subprocess.run(command, check=False, cwd=ROOT).returncode:
        sys.exit(f"{failure}: {' '.join(command)}")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
