"""Four layers, and a project that may only narrow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.settings import load_settings, parse_tokens


def load(tmp_path: Path, user: str = "", project: str = "", **rest: Any):
    (tmp_path / "user.toml").write_text(user)
    (tmp_path / "project.toml").write_text(project)
    return load_settings(user_file=tmp_path / "user.toml", project_file=tmp_path / "project.toml", **rest)


def test_nothing_need_be_set():
    settings, origins = load_settings()
    assert (settings.access, settings.provider, origins) == ("read", None, {})


def test_later_layers_win_and_each_value_says_where_it_came_from(tmp_path: Path):
    settings, origins = load(
        tmp_path,
        user='provider = "claude"\nmax_parallel = 4\nretries = 5\n',
        environment={"MCO_MAX_PARALLEL": "6", "MCO_RETRIES": "", "HOME": "/x"},
        flags={"provider": "fake", "access": None},
    )
    assert (settings.provider, settings.max_parallel, settings.retries) == ("fake", 6, 5)
    assert origins == {
        "provider": "command line",
        "max_parallel": "environment",
        "retries": str(tmp_path / "user.toml"),
    }


@pytest.mark.parametrize(
    ("user", "project", "name", "value"),
    [
        ("", "max_parallel = 100", "max_parallel", 8),
        ("", "max_parallel = 2", "max_parallel", 2),
        ("budget = 1000", 'budget = "2k"', "budget", 1000),
        ("budget = 1000", "budget = 500", "budget", 500),
        ("", "budget = 500", "budget", 500),
        ('access = "write"', 'access = "full"', "access", "write"),
        ('access = "write"', 'access = "read"', "access", "read"),
        ("", 'access = "full"', "access", "read"),
        ("timeout = 5", "timeout = 50", "timeout", 5.0),
        ("", "memory_mb = 4096", "memory_mb", 512),
    ],
)
def test_a_project_may_narrow_and_never_widen(tmp_path: Path, user: str, project: str, name: str, value: Any):
    settings, _ = load(tmp_path, user=user, project=project)
    assert getattr(settings, name) == value


def test_a_project_may_not_name_programs_to_run(tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        load(tmp_path, project='[providers.evil]\ncommand = ["sh", "-c", "id"]\n')
    assert "may not set 'providers'" in str(caught.value)
    assert caught.value.where == str(tmp_path / "project.toml")


def test_a_project_may_not_have_answers_made_up(tmp_path: Path):
    with pytest.raises(UsageError, match="may not choose the provider 'fake'"):
        load(tmp_path, project='provider = "fake"')
    assert load(tmp_path, user='provider = "fake"').settings.provider == "fake"


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("max_paralel = 3", "no setting 'max_paralel'", "did you mean 'max_parallel'?"),
        ("max_parallel = 0", "greater than or equal to 1", None),
        ('budget = "lots"', "write a number of tokens", None),
        ("access = 3", "'read', 'write' or 'full'", None),
        ("a = [", "not valid TOML", None),
    ],
)
def test_wrong_settings_are_named_with_their_file(tmp_path: Path, text: str, said: str, hint: str | None):
    with pytest.raises(UsageError) as caught:
        load(tmp_path, user=text)
    assert said in str(caught.value)
    assert str(caught.value.where).startswith(str(tmp_path / "user.toml"))
    assert hint is None or caught.value.hint == hint


def test_a_file_that_is_not_text_is_refused(tmp_path: Path):
    (tmp_path / "user.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_settings(user_file=tmp_path / "user.toml")


@pytest.mark.parametrize(
    ("text", "tokens"), [("200k", 200_000), ("1.5m", 1_500_000), ("20_000", 20_000), ("7", 7)]
)
def test_tokens_are_written_short(text: str, tokens: int):
    assert parse_tokens(text) == tokens


@pytest.mark.parametrize(
    "line",
    [
        "stall_timeout = inf",
        "think_seconds = 1e300",
        "expire_days = inf",
        "max_cost = inf",
        "cpu_seconds = 99999999999999999999",
        "memory_mb = 99999999999999",
    ],
)
def test_what_cannot_be_counted_with_is_refused(tmp_path: Path, line: str):
    with pytest.raises(UsageError, match="should be less than or equal"):
        load(tmp_path, user=line)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_a_file_of_settings_that_never_ends_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        load_settings(project_file=tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * 1024 * 1025)
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        load_settings(project_file=tmp_path / "large")
