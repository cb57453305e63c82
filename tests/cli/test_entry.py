"""Ctrl-C before mco has even been imported."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.console import ROOT

INTERRUPTED = """\
import sys

class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == "workflows.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Impatient())
from workflows.cli.entry import main
main()
"""


def test_ctrl_c_while_mco_is_still_being_imported_ends_it_quietly() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_without_it_the_command_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workflows.cli.entry", "--version"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("mco ")
