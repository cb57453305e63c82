"""Whether a provider can be asked, in a few words."""

from __future__ import annotations

from engine.providers.base import Readiness


def phrase(readiness: Readiness) -> str:
    """Such as `ready 2.2.0: newer than those it was tried with`, or `not ready: it is not signed in`."""
    said = "ready" if readiness.ready else "not ready"
    if readiness.version and readiness.ready:
        said = f"{said} {readiness.version}"
    about = readiness.remark if readiness.ready else readiness.why
    return f"{said}: {about}" if about else said
