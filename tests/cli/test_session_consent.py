"""Under `--watch` a yes holds for the versions of that very file which are saved in the session, and no further."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.source import ScriptSource
from workflows.cli.caller import Caller, read_source
from workflows.cli.consent import Consent
from workflows.cli.watching import SessionConsent
from workflows.script import Script

ONE, TWO = "meta = 1\n", "meta = 2\n"


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    """Somebody in a workspace that they trust nothing of; there is no terminal to ask on."""
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    return Caller(tmp_path / "clone", dict(os.environ), lambda: 1_000.0, random.Random(1))


def wrote(caller: Caller, text: str, name: str = "flow.py") -> Script:
    path = caller.folder / name
    path.write_text(text)
    return Script(path.stem, path, "file")


def source_of(script: Script) -> ScriptSource:
    return read_source(script, str(script.path))


def agreed(caller: Caller, script: Script) -> SessionConsent:
    """A session whose first version the user had agreed to."""
    source = source_of(script)
    caller.trust.agree(script.path, source.digest, 1.0)
    consent = SessionConsent(Consent(caller))
    consent.to_run(script, source, caller.settings().settings)
    return consent


def test_a_later_version_runs_in_the_session_and_is_not_kept(caller: Caller) -> None:
    consent = agreed(caller, wrote(caller, ONE))
    kept = caller.trust.file.read_bytes()
    later = wrote(caller, TWO)
    settings = caller.settings().settings
    consent.to_run(later, source_of(later), settings)

    assert caller.trust.file.read_bytes() == kept
    with pytest.raises(UsageError, match="has changed since you trusted it"):
        SessionConsent(Consent(caller)).to_run(later, source_of(later), settings)


def test_what_nobody_agreed_to_is_asked_about(caller: Caller) -> None:
    script = wrote(caller, ONE)
    with pytest.raises(UsageError, match="not trusted here yet"):
        SessionConsent(Consent(caller)).to_run(script, source_of(script), caller.settings().settings)


def test_a_link_that_leads_elsewhere_by_now_is_asked_about(caller: Caller) -> None:
    wrote(caller, ONE, "real.py")
    link = caller.folder / "flow.py"
    link.symlink_to("real.py")
    script = Script("flow", link, "file")
    consent = agreed(caller, script)
    wrote(caller, TWO, "other.py")
    link.unlink()
    link.symlink_to("other.py")

    with pytest.raises(UsageError, match="not trusted here yet"):
        consent.to_run(script, source_of(script), caller.settings().settings)


def test_a_file_that_another_user_can_change_is_asked_about(caller: Caller) -> None:
    consent = agreed(caller, wrote(caller, ONE))
    later = wrote(caller, TWO)
    foreign = source_of(later)._replace(foreign=True)

    with pytest.raises(UsageError, match="has changed"):
        consent.to_run(later, foreign, caller.settings().settings)


def test_a_script_that_is_called_needs_a_yes_of_its_own(caller: Caller) -> None:
    consent = agreed(caller, wrote(caller, ONE))
    called = wrote(caller, ONE + "# called\n", "inner.py")

    with pytest.raises(UsageError, match="not trusted here yet"):
        consent.to_call("./inner.py")
    caller.trust.agree(called.path, source_of(called).digest, 1.0)
    assert consent.to_call("./inner.py").source == called.path.read_bytes()
    wrote(caller, TWO + "# called\n", "inner.py")
    assert consent.to_call("./inner.py").source == called.path.read_bytes()
