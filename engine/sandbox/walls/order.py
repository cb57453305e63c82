"""Raises the wall: what a layer needs comes before it, and what forbids most comes last."""

from __future__ import annotations

import sys

from engine.sandbox.layer import Layer
from engine.sandbox.walls.limits import close_descriptors, set_limits
from engine.sandbox.walls.surroundings import leave_surroundings

# Imported with the rest, though only one system needs each: when the wall is raised, nothing can be imported any more.
if sys.platform == "linux":
    from engine.sandbox.walls.landlock import raise_landlock
    from engine.sandbox.walls.process import drop_capabilities, give_up_rights
    from engine.sandbox.walls.seccomp import raise_seccomp
elif sys.platform == "darwin":
    from engine.sandbox.walls.macos import raise_seatbelt
elif sys.platform == "win32":
    from engine.sandbox.walls.windows import job_around_us


def raise_walls(memory_bytes: int, cpu_seconds: int, parent: int) -> list[Layer]:
    """Give up what a script never needs; every layer, with how it was tried or why it is missing.

    `parent` is the process that started us: when it is gone already, there is nobody to work for.
    """
    layers = leave_surroundings()
    if sys.platform == "linux":
        layers += give_up_rights(parent)
    layers += set_limits(memory_bytes, cpu_seconds)
    if sys.platform == "linux":
        layers.append(drop_capabilities())
        layers.append(raise_landlock(parent))  # it needs descriptors, which end here
    elif sys.platform == "darwin":
        layers.append(raise_seatbelt(parent))
    elif sys.platform == "win32":
        layers.append(job_around_us())
    layers.append(close_descriptors())
    if sys.platform == "linux":
        layers.append(raise_seccomp())
    return layers
