"""wllama's workers become files only while the package is the one they were made from."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tools.build.layout import BuildError, Sources
from tools.build.wllama import SOURCE, THREAD, WORKER, workers

PACKAGE = Sources().node_modules / "@wllama" / "wllama"
RUNTIME = "var Module={};"
DRIVER = "RUN_OPTIONS.pathConfig;RUN_OPTIONS.nbThread;RUN_OPTIONS.compat;"


def package(folder: Path, runtime: str, driver: str) -> Path:
    source = folder / SOURCE
    source.parent.mkdir(parents=True)
    strings = {"LLAMA_CPP_WORKER_CODE": driver, "WLLAMA_EMSCRIPTEN_CODE": runtime}
    source.write_text("\n".join(f"export const {name} = {json.dumps(code)};" for name, code in strings.items()))
    return folder


def test_the_locked_package_gives_two_scripts_without_blobs_of_their_own(tmp_path: Path) -> None:
    made = dict(workers(PACKAGE))
    assert made.keys() == {WORKER, THREAD}
    for name, code in made.items():
        file = tmp_path / Path(name).with_suffix(".mjs" if name == WORKER else ".cjs").name
        file.write_bytes(code)
        subprocess.run(["node", "--check", str(file)], check=True)
    assert not re.search(rb"\beval\(|new Function|importScripts|https?://cdn", b"".join(made.values()))


def test_the_runtime_is_put_into_a_function_of_the_driver(tmp_path: Path) -> None:
    worker = dict(workers(package(tmp_path, RUNTIME, DRIVER)))[WORKER].decode()
    assert f"function wModuleInit() {{ var ___Module={{}};; return Module; }}\n{DRIVER}" in worker


@pytest.mark.parametrize(
    ("runtime", "driver", "why"),
    [
        ("let Module={};", DRIVER, "other options"),
        (RUNTIME, DRIVER + "RUN_OPTIONS.more;", "other options"),
        (RUNTIME, "", "other options"),
    ],
)
def test_another_package_ends_the_build(tmp_path: Path, runtime: str, driver: str, why: str) -> None:
    with pytest.raises(BuildError, match=why):
        dict(workers(package(tmp_path, runtime, driver)))


def test_a_package_without_the_strings_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="is missing"):
        dict(workers(tmp_path))
    (tmp_path / SOURCE).parent.mkdir(parents=True)
    (tmp_path / SOURCE).write_text("export const OTHER = 1;")
    with pytest.raises(BuildError, match="as it did"):
        dict(workers(tmp_path))
