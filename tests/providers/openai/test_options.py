"""The table of a service, the variables that stand in for one, and what they lack."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.providers.base import ProviderContext, Readiness
from engine.providers.openai import OpenAIProvider, build, extra
from engine.providers.registry import Registry


def provider(tmp_path: Path, environment: dict[str, str] | None = None, **table: Any) -> OpenAIProvider:
    return build(ProviderContext("local", tmp_path, tmp_path, table, environment or {}))


def readiness(tmp_path: Path, environment: dict[str, str] | None = None, **table: Any) -> Readiness:
    return provider(tmp_path, environment, **table).readiness()


def test_openai_itself_wants_a_key_and_a_model(tmp_path: Path):
    keyless = readiness(tmp_path, model="m")
    assert (keyless.ready, keyless.why) == (False, "OPENAI_API_KEY is not set")
    modelless = readiness(tmp_path, {"OPENAI_API_KEY": "k"})
    assert (modelless.why, modelless.hint) == (
        "no model is named",
        'write model = "…" into [providers.local], or set OPENAI_MODEL',
    )
    ready = readiness(tmp_path, {"OPENAI_API_KEY": "k"}, model="m")
    assert (ready.ready, ready.remark) == (True, "m at https://api.openai.com/v1")


def test_variables_alone_name_a_service(tmp_path: Path):
    variables = {"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/", "OPENAI_MODEL": "m"}
    assert readiness(tmp_path, variables) == Readiness(True, remark="m at http://127.0.0.1:8080/v1")


def test_a_variable_that_is_no_address_keeps_nobody_else_from_being_asked(tmp_path: Path):
    variables = {"OPENAI_BASE_URL": "here", "OPENAI_MODEL": "m"}
    lacking = readiness(tmp_path, variables)
    assert lacking.why.startswith("OPENAI_BASE_URL is wrong: write an http or https address")
    assert lacking.hint == "correct or unset OPENAI_BASE_URL"
    found = Registry(tables={}, workspace=tmp_path, cache_folder=tmp_path, environment=variables)
    assert found.default() == "builtin"


def test_the_variables_of_one_service_are_not_told_to_another(tmp_path: Path):
    variables = {"OPENAI_API_KEY": "k", "OPENAI_MODEL": "m", "OPENAI_BASE_URL": "http://there/v1"}
    other = provider(tmp_path, variables, base_url="http://127.0.0.1:11434/v1", model="own")
    assert other.readiness().remark == "own at http://127.0.0.1:11434/v1"
    assert "Authorization" not in other._endpoint.headers()
    nameless = readiness(tmp_path, variables, base_url="http://127.0.0.1:11434/v1")
    assert nameless.hint == 'write model = "…" into [providers.local]'


def test_a_key_variable_that_was_named_must_be_set(tmp_path: Path):
    table: Any = {"base_url": "https://example.com/v1", "model": "m", "api_key_variable": "MY_KEY"}
    assert readiness(tmp_path, **table).why == "MY_KEY is not set"
    assert readiness(tmp_path, {"MY_KEY": "k\nk"}, **table).why == "MY_KEY holds characters that no key has"
    assert readiness(tmp_path, {"MY_KEY": "k"}, **table).ready


def test_a_key_that_goes_out_unencrypted_is_remarked(tmp_path: Path):
    said = {
        address: "others on the way" in readiness(
            tmp_path, {"K": "k"}, base_url=address, model="m", api_key_variable="K"
        ).remark
        for address in ("http://example.com", "https://example.com", "http://localhost:1", "http://[::1]:1")
    }  # fmt: skip
    assert list(said.values()) == [True, False, False, False]


def test_readiness_names_the_extra_without_loading_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    lacking = readiness(tmp_path)
    assert (lacking.ready, lacking.hint) == (False, "uv tool install 'mco-workflows[openai]'")
    code = (
        "import sys; from pathlib import Path; from engine.providers.base import ProviderContext;"
        "from engine.providers.openai import build;"
        "build(ProviderContext('x', Path(), Path())).readiness(); print('httpx2' in sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("table", "place", "said"),
    [
        ({"base_ulr": "http://x"}, "base_ulr", "did you mean 'base_url'?"),
        ({"zzz": 1}, "zzz", "it may have: base_url, "),
        ({"api_key": "sk-1"}, "api_key", 'name its variable: api_key_variable = "MY_API_KEY"'),
        ({"base_url": "ftp://x"}, "base_url", "write an http or https address"),
        ({"base_url": "http://"}, "base_url", "write an http or https address"),
        ({"base_url": "http://me:secret@x/v1"}, "base_url", "does not belong in an address"),
        ({"base_url": "http://x/v1?key=1"}, "base_url", "may not have a query"),
        ({"base_url": "http://x:99999/v1"}, "base_url", "no address"),
        ({"api_key_variable": "sk-1"}, "api_key_variable", "pattern"),
        ({"organization": "a\nb"}, "organization", "pattern"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"temperature": 9}, "temperature", "less than or equal to 2"),
        ({"structured": "xml"}, "structured", "json_schema"),
    ],
)
def test_a_wrong_table_is_named_with_the_way_out(tmp_path: Path, table: Any, place: str, said: str):
    with pytest.raises(UsageError) as caught:
        provider(tmp_path, **table)
    error = caught.value
    assert (error.what, error.where) == ("[providers.local] is wrong", place)
    assert said in f"{error.why} {error.hint}"
    assert "secret" not in str(error)


def test_a_model_without_tools_is_a_default_only_behind_agents(tmp_path: Path):
    names = Registry(tables={}, workspace=tmp_path, cache_folder=tmp_path, environment={}).names()
    assert names[-3:] == ["openai", "builtin", "fake"]
