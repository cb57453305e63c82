"""The layers of the operating system's wall, and which of them make it whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple


class Layer(NamedTuple):
    """A layer, whether it stands, and how that was found out, or why it is missing."""

    name: str
    stands: bool
    said: str


_LIMITS = ("limit-cpu", "limit-files", "limit-descriptors")
_NEEDED: dict[str, tuple[str, ...]] = {
    "linux": ("no-new-privileges", *_LIMITS, "limit-memory", "seccomp"),
    "darwin": (*_LIMITS, "seatbelt"),
}
"""What together stops reading, writing, connecting and starting processes, and bounds what a script uses up."""


def gaps(layers: Sequence[Layer], system: str = sys.platform) -> list[str]:
    """What the wall lacks of being whole, each with its reason; nothing when it is whole."""
    if system not in _NEEDED:
        return [
            "on this system nothing but the interpreter's rules keeps a script from files and the network"
        ]
    known = {layer.name: layer for layer in layers}
    unheard = Layer("", stands=False, said="its process did not speak of it")
    found = {name: known.get(name, unheard) for name in _NEEDED[system]}
    return [f"{name} is missing: {layer.said}" for name, layer in found.items() if not layer.stands]
