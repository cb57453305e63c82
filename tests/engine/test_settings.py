"""Four layers, and a project that may only narrow."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.errors import UsageError
from engine.settings import OTHER_VARIABLES, load_settings, parse_tokens


def load(tmp_path: Path, user: str = "", project: str = "", **rest: Any):
    (tmp_path / "user.toml").write_text(user)
    (tmp_path / "project.toml").write_text(project)
    return load_settings(user_file=tmp_path / "user.toml", project_file=tmp_path / "project.toml", **rest)


def test_nothing_need_be_set():
    settings, origins, held = load_settings()
    assert (settings.access, settings.provider, origins, held) == ("read", None, {}, {})


def test_later_layers_win_and_each_value_says_where_it_came_from(tmp_path: Path):
    settings, origins, _ = load(
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
        ("", 'allowed_providers = ["a"]', "allowed_providers", ("a",)),
        ('allowed_providers = ["a", "b"]', 'allowed_providers = ["c", "b"]', "allowed_providers", ("b",)),
        ('allowed_providers = ["a"]', 'allowed_providers = ["b"]', "allowed_providers", ()),
    ],
)
def test_a_project_may_narrow_and_never_widen(tmp_path: Path, user: str, project: str, name: str, value: Any):
    settings = load(tmp_path, user=user, project=project).settings
    assert getattr(settings, name) == value


@pytest.mark.parametrize(
    ("user", "project", "origin", "held"),
    [
        ("", "max_parallel = 100", None, 100),
        ("max_parallel = 4", "max_parallel = 100", "user.toml", 100),
        ("max_parallel = 4", "max_parallel = 2", "project.toml", None),
        ("", 'access = "full"', None, "full"),
        ('allowed_providers = ["a"]', 'allowed_providers = ["a", "b"]', "user.toml", ("a", "b")),
        ('allowed_providers = ["a", "c"]', 'allowed_providers = ["a", "b"]', "project.toml", ("a", "b")),
    ],
)
def test_a_value_that_was_held_to_the_users_own_does_not_come_from_the_project(
    tmp_path: Path, user: str, project: str, origin: str | None, held: Any
):
    loaded = load(tmp_path, user=user, project=project)
    name = project.split(maxsplit=1)[0]
    assert loaded.origins.get(name) == (None if origin is None else str(tmp_path / origin))
    assert loaded.held.get(name) == held


def test_a_variable_lists_names_with_commas():
    loaded = load_settings(environment={"MCO_ALLOWED_PROVIDERS": "claude, codex,"})
    assert loaded.settings.allowed_providers == ("claude", "codex")


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("MCO_BUDGTE", "MCO_BUDGET"),
        ("MCO_MAXPARALLEL", "MCO_MAX_PARALLEL"),
        ("MCO_PROVIDERS", "MCO_PROVIDER"),
    ],
)
def test_a_slip_in_a_variable_is_an_error_since_it_may_be_a_ceiling(variable: str, near: str):
    with pytest.raises(UsageError, match=f"there is no setting {variable}") as caught:
        load_settings(environment={variable: "1"})
    assert str(caught.value.hint).startswith(f"did you mean {near}?")


@pytest.mark.parametrize(
    "variable", ["MCO_DEBUG", "MCO_FAKE_RULES", "MCO_PROCESS_TREE", "MCO_TEST_CLIS", "MCO_HOME", "mco_budget"]
)
def test_variables_of_others_are_left_alone(variable: str):
    assert load_settings(environment={variable: "1"}).origins == {}


def test_a_variable_that_is_empty_says_nothing():
    assert load_settings(environment={"MCO_BUDGTE": "", "MCO_BUDGET": ""}).origins == {}


def test_every_variable_of_ours_is_known_not_to_be_a_setting():
    root = Path(engine.__file__).parent
    named = {
        name
        for path in [*root.rglob("*.py"), *(root.parent / "workflows").rglob("*.py")]
        for name in re.findall(r'"(MCO_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert named - OTHER_VARIABLES == set()


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
