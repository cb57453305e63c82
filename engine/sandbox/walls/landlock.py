"""Landlock: the kernel denies this process files, TCP, and the sockets and processes of others. Linux 5.13 and later.

https://docs.kernel.org/userspace-api/landlock.html has the calls, and which version of it knows which rights.
"""

from __future__ import annotations

import os
import socket
import struct
from errno import ENOSYS, EOPNOTSUPP, EPERM

from engine.sandbox.layer import Layer
from engine.sandbox.walls import kernel
from engine.sandbox.walls.proof import Attempt, connecting, missing, proven, reading, signalling, writing

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same numbers on every machine
_ASK_VERSION = 1
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
"""From which version on how many rights on files are known: reading, writing, …; refer; truncate; devices."""
_NETWORK_VERSION, _NETWORK = 4, 0b11
_SCOPE_VERSION, _SCOPES = 6, 0b11
_REASONS = {
    ENOSYS: "the kernel has no Landlock; it came with Linux 5.13",
    EOPNOTSUPP: "the kernel has Landlock, but it was not switched on when it started (lsm=landlock,…)",
}


def raise_landlock(parent: int) -> Layer:
    """Deny everything that this kernel's Landlock knows of; there are no exceptions. Needs no_new_privs."""
    try:
        version = kernel.system_call(_CREATE_RULESET, None, 0, _ASK_VERSION)
        with _outside_socket() as stranger:
            _restrict(version)
            return proven("landlock", _attempts(version, parent, stranger), f"version {version}")
    except OSError as error:
        return missing("landlock", error, _REASONS)


def _restrict(version: int) -> None:
    files = (1 << max(bits for first, bits in _FILES.items() if first <= version)) - 1
    network = _NETWORK if version >= _NETWORK_VERSION else 0
    scopes = _SCOPES if version >= _SCOPE_VERSION else 0
    attributes = struct.pack("QQQ", files, network, scopes)
    ruleset = kernel.system_call(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        kernel.system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _attempts(version: int, parent: int, stranger: socket.socket) -> list[Attempt]:
    attempts = [reading(), writing()]
    if version >= _NETWORK_VERSION:
        attempts.append(connecting())
    if version >= _SCOPE_VERSION:
        attempts += [_reaching(stranger), signalling(parent)]
    return attempts


def _outside_socket() -> socket.socket:
    """A socket of the time before, with a name that no file has: to the domain it is somebody else's."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("")
    listener.listen()
    return listener


def _reaching(stranger: socket.socket) -> Attempt:
    def act() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ours:
            ours.connect(stranger.getsockname())

    return Attempt("sockets of others", act, (EPERM,))
