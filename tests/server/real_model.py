"""llama.cpp's own server with a model: `python -m tests.server.real_model MODEL.gguf PORT [KEY]`."""

from __future__ import annotations

import signal
import sys

import xllamacpp  # type: ignore[import-untyped]


def main() -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = sys.argv[1]
    parameters.n_ctx, parameters.n_parallel = 2048, 1
    parameters.hostnames, parameters.port = ["127.0.0.1"], int(sys.argv[2])
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 2
    parameters.api_keys = sys.argv[3:]
    parameters.endpoint_slots = True
    parameters.verbosity = -1
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
