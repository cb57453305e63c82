"""The key: everything an answer depends on changes it, nothing else does, and it is the same everywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.primitives.arguments import read_arguments
from engine.step import KEY_VERSION, KeyMaker, ProviderChoice, Step, canonical, key_digest

BASE = Step(prompt="p", providers=(ProviderChoice(name="fake"),), reads=())
PARTS: dict[str, list[Any]] = {
    "prompt": ["q", "p ", "P"],
    "schema": [{"type": "string"}, {"type": "integer"}, {}, True, False],
    "model": ["m", "n"],
    "effort": ["high"],
    "agent_type": ["explorer"],
    "providers": [
        (ProviderChoice(name="other"),),
        (ProviderChoice(name="fake", model="m"),),
        (ProviderChoice(name="fake", access="write"),),
        (ProviderChoice(name="fake"), ProviderChoice(name="other")),
        (ProviderChoice(name="other"), ProviderChoice(name="fake")),
    ],
    "strategy": ["all", "agree"],
    "capabilities": [("web",), ("web", "images")],
    "task": [{"kind": "review"}, {}],
    "access": ["write", "full"],
    "isolation": ["worktree"],
    "max_tool_calls": [0, 3],
}
"""Each part with values that make other keys than the base and than each other."""
NOT_PARTS: dict[str, list[Any]] = {
    "label": ["l"],
    "phase": ["f"],
    "timeout": [5.0],
    "stall_timeout": [5.0],
    "retries": [9],
    "on_resume": ["skip"],
    "cache": [60.0, False],
    "reads": [("src/**",), None],  # they act through the workspace's fingerprint, which is a part
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(st.text(), json_values, max_size=6)
whatever_is_no_part = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in NOT_PARTS.items()}
)


def key_of(step: Step, workspace: str | None = None) -> str:
    return KeyMaker().key(step, workspace).digest


def test_every_field_of_a_step_is_known_as_a_part_or_not_a_part():
    assert set(Step._fields) == PARTS.keys() | NOT_PARTS.keys()
    assert not PARTS.keys() & NOT_PARTS.keys()


def test_the_parts_are_those_that_are_promised():
    parts = KeyMaker().key(BASE, "f" * 64).parts
    assert parts.keys() == PARTS.keys() | {"version", "workspace", "occurrence"}
    assert parts["version"] == KEY_VERSION == 1


@pytest.mark.parametrize("name", PARTS)
def test_what_the_answer_depends_on_changes_the_key(name: str):
    keys = [key_of(BASE._replace(**{name: value})) for value in PARTS[name]]
    assert len({key_of(BASE), *keys}) == len(keys) + 1


@given(given=whatever_is_no_part, workspace=st.none() | st.just("a" * 64))
def test_what_the_answer_does_not_depend_on_leaves_the_key(given: dict[str, Any], workspace: str | None):
    assert key_of(BASE._replace(**given), workspace) == key_of(BASE, workspace)


def test_a_providers_own_timeout_leaves_the_key():
    slow = (ProviderChoice(name="fake", timeout=9.0),)
    assert key_of(BASE._replace(providers=slow)) == key_of(BASE)


def test_the_workspace_changes_the_key():
    assert len({key_of(BASE, None), key_of(BASE, "a" * 64), key_of(BASE, "b" * 64)}) == 3


def test_the_strategy_counts_where_it_makes_another_answer():
    several = BASE._replace(providers=(ProviderChoice(name="a"), ProviderChoice(name="b")))
    assert (
        len({key_of(several._replace(strategy=name)) for name in ("all", "race", "failover", "agree")}) == 4
    )
    assert key_of(BASE._replace(strategy="race")) == key_of(BASE)


def test_capabilities_are_a_set():
    one = key_of(BASE._replace(capabilities=("images", "web")))
    assert key_of(BASE._replace(capabilities=("web", "images", "web"))) == one


OPTIONS: dict[str, Any] = {
    "label": "l",
    "schema": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
    "task": {"kind": "x", "n": 1, "deep": {"y": 1, "z": 2}},
    "model": "m",
    "effort": "high",
    "capabilities": ["web"],
    "timeout": 5.0,
    "reads": [],
    "max_tool_calls": 3,
}


def step_of(options: dict[str, Any]) -> Step:
    arguments = read_arguments("p", options)
    given = {name: getattr(arguments, "output" if name == "schema" else name) for name in options}
    given |= {"capabilities": tuple(given["capabilities"]), "reads": tuple(given["reads"])}
    return BASE._replace(**given)


def turned_around(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: turned_around(value[name]) for name in reversed(value)}
    return value


@given(st.permutations(list(OPTIONS)))
def test_the_order_of_keyword_arguments_leaves_the_key(order: list[str]):
    assert key_of(step_of({name: OPTIONS[name] for name in order})) == key_of(step_of(OPTIONS))


def test_the_order_of_names_in_schemas_and_tasks_leaves_the_key():
    assert key_of(step_of(turned_around(OPTIONS))) == key_of(step_of(OPTIONS))


@given(st.permutations(["a", "a", "a", "b", "b", "c"]))
def test_equal_calls_get_the_same_keys_whatever_comes_between(order: list[str]):
    def keys(prompts: list[str]) -> dict[str, list[str]]:
        maker, made = KeyMaker(), {}
        for prompt in prompts:
            made.setdefault(prompt, []).append(maker.key(BASE._replace(prompt=prompt), None).digest)
        return made

    assert keys(order) == keys(sorted(order))
    assert len({digest for digests in keys(order).values() for digest in digests}) == 6


@given(given=whatever_is_no_part)
def test_equal_calls_are_counted_whatever_they_are_called(given: dict[str, Any]):
    maker = KeyMaker()
    first, second = maker.key(BASE, None), maker.key(BASE._replace(**given), None)
    assert (first.parts["occurrence"], second.parts["occurrence"]) == (1, 2)
    assert first.digest != second.digest


@given(task=objects, occurrence=st.integers(1, 3))
def test_a_key_can_be_made_again_from_its_parts(task: dict[str, Any], occurrence: int):
    maker = KeyMaker()
    key = [maker.key(BASE._replace(task=task), None) for _ in range(occurrence)][-1]
    assert key_digest(json.loads(json.dumps(key.parts))) == key.digest


@given(objects)
def test_canonical_text_does_not_depend_on_the_order_of_names(value: dict[str, Any]):
    backwards = dict(reversed(list(value.items())))
    assert canonical(backwards) == canonical(value)
    assert canonical(value).isascii()
    assert canonical(json.loads(canonical(value))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1.0"),
        (True, "true"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e16, "1e+16"),
        (5e-324, "5e-324"),
        (2**53 + 1, "9007199254740993"),
        (10**40, "1" + "0" * 40),
        ("caf\u00e9", '"caf\\u00e9"'),
        ("cafe\u0301", '"cafe\\u0301"'),
        ("\U0001f600", '"\\ud83d\\ude00"'),
        ("\ud800", '"\\ud800"'),
        ("\x7f\x00/", '"\\u007f\\u0000/"'),
        (
            {"b": 1, "a": [None, {}], "\uffff": 0, "\U0001f600": 0},
            '{"a":[null,{}],"b":1,"\\uffff":0,"\\ud83d\\ude00":0}',
        ),
    ],
)
def test_each_value_has_one_text(value: Any, text: str):
    assert canonical(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_json_has_no_text(value: float):
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"x": value})


GOLDEN: list[tuple[Step, str | None, str]] = [
    (BASE, None, "12e2184598d52b14afca30e4e159bd7f54548d02288e798fb7c5f663326e933a"),
    (BASE, "f" * 64, "ab3922670a34d9a923cabc3e8d6068dff9037fa4ad81abca3b7e7ab57421583c"),
    (
        BASE._replace(prompt="caf\u00e9 \U0001f600 \ud800 \0"),
        None,
        "ad361bb204e091ee17c56e5f6b8e9d0526ac5a1fa7c99cede866b4c0423a75c5",
    ),
    (
        BASE._replace(task={"n": [1, 1.0, -0.0, 0.1, 1e16, 10**40], "\uffff": True, "\U0001f600": None}),
        None,
        "00f3ba8b3d0c659f865fc1edf7fa19e8ee6855e267af2de12c4848805fde3153",
    ),
    (
        BASE._replace(schema={"type": "object", "properties": {"b": {}, "a": {}}}, effort="high"),
        None,
        "4f9205c65837d3e3c7286f26b3f8e67a3686eadf5e69c404657c5a48fec14e81",
    ),
    (
        BASE._replace(
            providers=(ProviderChoice("claude", "opus"), ProviderChoice("codex", access="write")),
            strategy="agree",
            capabilities=("web", "images"),
            access="write",
            isolation="worktree",
            model="m",
            agent_type="explorer",
            max_tool_calls=7,
        ),
        "0" * 64,
        "ca5520f7c41c5c99c91422925565633d898e8d5e207b40e688dead94f8ef74aa",
    ),
]
"""Keys written down: a change here throws every kept answer away, and needs another KEY_VERSION."""


@pytest.mark.parametrize(("step", "workspace", "digest"), GOLDEN)
def test_the_key_is_the_same_on_every_machine(step: Step, workspace: str | None, digest: str):
    assert key_of(step, workspace) == digest
