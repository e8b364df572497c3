"""llama.cpp's own server in a process of its own: what hangs there, or waits for itself, can be killed from here."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
START_SECONDS = 60


@dataclass
class LlamaServer:
    """Serves `gguf` at a free port of this computer, from its making until `kill`.

    window: tokens. exact: attention in float32 throughout. Raises AssertionError where it does not come up.
    """

    gguf: Path
    key: str = ""
    window: int = 1024
    # Two that wait for each other are many times slower on a machine that also does something else.
    threads: int = 1
    exact: bool = False
    port: int = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Again at the same port, after `kill`."""
        asked = {"key": self.key, "window": self.window, "threads": self.threads, "exact": self.exact}
        command = [sys.executable, "-m", "bench.llama_server", str(self.port), str(self.gguf), json.dumps(asked)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        end = time.monotonic() + START_SECONDS
        while self.get("/health") is None:
            if not self.running or time.monotonic() > end:
                self.kill()
                raise AssertionError("llama.cpp's server does not come up")
            time.sleep(0.1)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """At once, whatever it does."""
        self._process.kill()
        self._process.wait()

    def get(self, path: str) -> Any:
        """JSON, None while it does not answer."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.key}"})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.loads(answer.read())
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def busy(self) -> bool:
        """Whether it works on an answer."""
        return any(slot["is_processing"] for slot in self.get("/slots"))


def _serve(port: int, gguf: str, *, key: str, window: int, threads: int, exact: bool) -> None:
    import xllamacpp  # type: ignore[import-untyped]
    from gguf import GGMLQuantizationType

    asked = xllamacpp.CommonParams()
    asked.model.path = gguf
    asked.n_ctx, asked.n_parallel = window, 1
    asked.hostnames, asked.port = ["127.0.0.1"], port
    asked.cpuparams.n_threads = asked.cpuparams_batch.n_threads = threads
    asked.endpoint_slots = True
    asked.verbosity = -1
    if key:
        asked.api_keys = [key]
    if exact:
        asked.cache_type_k = asked.cache_type_v = GGMLQuantizationType.F32
        asked.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(asked)  # alive as long as the name
    signal.pause()
    del server


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2], **json.loads(sys.argv[3]))
