"""What the worker sees of where it was started: nothing."""

from __future__ import annotations

import os

from engine.sandbox.layer import Layer
from engine.sandbox.walls.proof import confirmed


def leave_surroundings() -> list[Layer]:
    """Forget the environment; the folder and the session are as the host started us."""
    os.environ.clear()
    layers = [
        confirmed("environment", "it is empty", stands=not os.environ),
        confirmed("folder", "it is the root folder", stands=_is_root_folder()),
    ]
    if hasattr(os, "getsid"):
        own = os.getsid(0) == os.getpid()
        layers.append(confirmed("session", "it leads a session of its own", stands=own))
    return layers


def _is_root_folder() -> bool:
    here = os.getcwd()  # noqa: PTH109 - pathlib is slow to import
    return os.path.dirname(here) == here  # noqa: PTH120
