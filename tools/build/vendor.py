"""The locked packages' files the page uses, and no others. npm has checked every package against package-lock.json."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyapp.views.grammars import NAMES as GRAMMARS
from tools.build import wllama
from tools.build.layout import BuildError

# PyScript loads these when something asks for them, which nothing in our page does: editors, terminals, CDN packages.
PYSCRIPT_UNUSED = ("codemirror", "xterm", "toml-", "zip-", "pyodide_graph", "index-")
PYSCRIPT_LATER = re.compile(r"core\.js|m?py-.{8}\.js")  # boot.js names it, or not asked for at every start
PYSCRIPT_IMPORT = re.compile(r"""(?:from|import\(?)\s*["']\./([\w.-]+\.js)["']""")

FILES = {
    "vendor/pyodide/": ("pyodide", ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"]),
    "vendor/transformers/": ("@huggingface/transformers", ["dist/transformers.min.js", "LICENSE"]),
    "vendor/onnxruntime/": (
        "onnxruntime-web",
        [
            # The plain build runs on the CPU; the asyncify build has the WebGPU execution provider as well.
            *("dist/ort-wasm-simd-threaded.mjs", "dist/ort-wasm-simd-threaded.wasm"),
            *("dist/ort-wasm-simd-threaded.asyncify.mjs", "dist/ort-wasm-simd-threaded.asyncify.wasm"),
            *("dist/ort.wasm.min.mjs", "dist/ort.webgpu.min.mjs"),  # transformers.js has its own; these run the self-test
        ],
    ),
    "vendor/wllama/": ("@wllama/wllama", ["esm/index.min.js", "esm/wasm/wllama.wasm", "LICENCE"]),
    "vendor/jinja/": ("@huggingface/jinja", ["dist/index.js", "LICENSE"]),  # chat templates, for wllama
    # Colours and formulas: loaded with the first finished element that needs them, grammars one by one.
    "vendor/highlight/": (
        "@highlightjs/cdn-assets",
        ["es/core.min.js", *(f"es/languages/{name}.min.js" for name in GRAMMARS), "LICENSE"],
    ),
    "vendor/temml/": ("temml", ["dist/temml.mjs", "dist/Temml.woff2", "LICENSE"]),
    "vendor/web-llm/": ("@mlc-ai/web-llm", ["lib/index.js", "LICENSE"]),
    # One file is pdf.js as a page uses it, the other the worker it parses in.
    "vendor/pdfjs/": ("pdfjs-dist", ["build/pdf.min.mjs", "build/pdf.worker.min.mjs", "LICENSE"]),
    "vendor/noble-hashes/": ("@noble/hashes", ["sha2.js", "_md.js", "_u64.js", "utils.js", "LICENSE"]),
}

TRANSFORMERS = "vendor/transformers/transformers.min.js"
ORT = "vendor/onnxruntime/ort-wasm-simd-threaded"
SELF_TEST = "vendor/onnxruntime/ort"
WLLAMA = ["vendor/wllama/index.min.js", wllama.WORKER, wllama.THREAD, "vendor/wllama/wllama.wasm", "vendor/jinja/index.js"]

# Engine code comes only after somebody chose the engine: per engine and device, what it then takes.
ENGINES: dict[str, dict[str, list[str]]] = {
    "transformers_js": {
        "wasm": [TRANSFORMERS, f"{ORT}.mjs", f"{ORT}.wasm", f"{SELF_TEST}.wasm.min.mjs"],
        "webgpu": [TRANSFORMERS, f"{ORT}.asyncify.mjs", f"{ORT}.asyncify.wasm", f"{SELF_TEST}.webgpu.min.mjs"],
    },
    "wllama": {"wasm": WLLAMA, "webgpu": WLLAMA},  # one build for both
    "webllm": {"webgpu": ["vendor/web-llm/index.js"]},
}

# What else comes only when it is needed, by the group it is then kept in.
LATER: dict[str, list[str]] = {
    "pdf": ["vendor/pdfjs/pdf.min.mjs", "vendor/pdfjs/pdf.worker.min.mjs"],
    "wheels": ["micropip.zip"],  # tasks of the user's own
}


def vendored(node_modules: Path) -> Iterator[tuple[str, Path]]:
    """(path in the site, file) of everything vendored. Raises BuildError when a package is not installed."""
    yield from pyscript(node_modules / "@pyscript" / "core")
    for folder, (package, names) in FILES.items():
        for name in names:
            yield folder + Path(name).name, present(node_modules / package / name)


def pyscript(package: Path) -> Iterator[tuple[str, Path]]:
    """PyScript's core and the chunks it imports, found by following its imports: their names change with it."""
    found, waiting = {"core.js"}, ["core.js"]
    while waiting:
        text = present(package / "dist" / waiting.pop()).read_text("utf-8")
        new = {n for n in PYSCRIPT_IMPORT.findall(text) if not n.startswith(PYSCRIPT_UNUSED)} - found
        found |= new
        waiting += new
    for name in ["LICENSE", *(f"dist/{n}" for n in sorted(found))]:
        yield "vendor/pyscript/" + Path(name).name, present(package / name)


def started(files: Iterable[str]) -> list[str]:
    """Of the site's files, the parts of PyScript that its core asks for at every start."""
    parts = (name for name in files if name.startswith("vendor/pyscript/") and name.endswith(".js"))
    return sorted(name for name in parts if not PYSCRIPT_LATER.fullmatch(Path(name).name))


def present(path: Path) -> Path:
    if not path.is_file():
        raise BuildError(f"{path} is missing: run `make setup` (npm ci).")
    return path
