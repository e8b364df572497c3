"""A real llama.cpp server of the embedded model, in a process of its own: `-m tests.browser.llama_server PORT`."""

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
from typing import Any

from tools.embedded_model import ROOT, embedded_gguf

WINDOW = 1024


@dataclass
class LlamaServer:
    """Serves at a free port until it is stopped."""

    key: str = ""
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
        command = [sys.executable, "-m", "tests.browser.llama_server", str(self.port), self.key]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        end = time.monotonic() + 60
        while self.get("/health") is None:
            assert time.monotonic() < end, "llama.cpp's server does not come up"
            time.sleep(0.1)

    def kill(self) -> None:
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


def main(port: int, key: str) -> None:
    import xllamacpp  # type: ignore[import-untyped]

    params = xllamacpp.CommonParams()
    params.model.path = str(embedded_gguf())
    params.n_ctx, params.n_parallel = WINDOW, 1
    params.hostnames, params.port = ["127.0.0.1"], port
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.endpoint_slots = True
    if key:
        params.api_keys = [key]
    server = xllamacpp.Server(params)  # alive as long as the name
    signal.pause()
    del server


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
