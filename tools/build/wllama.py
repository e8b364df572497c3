"""wllama's workers as files of their own.

wllama keeps its workers' code in strings and starts them from blob: URLs, which this site's policy refuses. What its
ProxyToWorker.moduleInit (src/worker.ts) joins in the browser is joined here, from the same strings, unchanged;
site/engines/llama_worker.js then starts the file instead of the blob.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tools.build.layout import BuildError

SOURCE = "src/workers-code/generated.ts"
WORKER = "vendor/wllama/worker.js"
THREAD = "vendor/wllama/thread.js"

# What moduleInit puts before the code; llama_worker.js passes the two values in the worker's name.
HEAD = """\
const { threads, webgpu } = JSON.parse(self.name);
const RUN_OPTIONS = {
  pathConfig: { "wllama.wasm": new URL("wllama.wasm", self.location.href).href }, nbThread: threads, compat: false,
};
const noAdapter = { requestAdapter: async () => null };
if (!webgpu) Object.defineProperty(WorkerNavigator.prototype, "gpu", { get: () => noAdapter });
"""


def workers(package: Path) -> Iterator[tuple[str, bytes]]:
    """(path in the site, content): llama.cpp's worker, and that of its threads.

    Raises BuildError when the package is not the one this was made for.
    """
    source = package / SOURCE
    if not source.is_file():
        raise BuildError(f"{source} is missing: run `make setup` (npm ci).")
    strings = dict(re.findall(r'^export const (\w+) = (".*");$', source.read_text("utf-8"), re.MULTILINE))
    try:
        runtime, driver = (json.loads(strings[name]) for name in ("WLLAMA_EMSCRIPTEN_CODE", "LLAMA_CPP_WORKER_CODE"))
    except (KeyError, ValueError) as error:
        raise BuildError(f"{source} does not hold its workers' code as it did.") from error
    if not runtime.startswith("var Module=") or set(re.findall(r"RUN_OPTIONS\.(\w+)", driver)) != {
        *("pathConfig", "nbThread", "compat")
    }:
        raise BuildError(f"{source} asks for other options than {Path(__file__).name} gives it.")
    inner = runtime.replace("var Module", "var ___Module", 1)  # `Module` is the driver's
    yield WORKER, f"{HEAD}function wModuleInit() {{ {inner}; return Module; }}\n{driver}".encode()
    yield THREAD, runtime.encode()
