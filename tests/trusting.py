"""A folder whose scripts the user of a test trusts, as an `a` at the question would make it."""

from __future__ import annotations

import os
from pathlib import Path

from workflows.places import Places
from workflows.trust import Trust


def trust_project(folder: Path) -> None:
    """Remember that every script in the folder may run, for whoever the environment says the user is."""
    Trust(Places.around(folder, os.environ)).agree_to_project(0.0)
