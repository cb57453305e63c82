"""The key: everything an answer depends on changes it, nothing else does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.step import KeyMaker, ProviderChoice, Step, Usage, canonical

BASE = Step(prompt="p", providers=(ProviderChoice(name="fake"),), reads=())
PARTS: dict[str, Any] = {
    "prompt": "q",
    "schema": {"type": "string"},
    "model": "m",
    "effort": "high",
    "agent_type": "explorer",
    "providers": (ProviderChoice(name="other"),),
    "capabilities": ("web",),
    "task": {"kind": "review"},
    "access": "write",
    "isolation": "worktree",
    "max_tool_calls": 3,
}
NOT_PARTS: dict[str, Any] = {
    "label": "l",
    "phase": "f",
    "timeout": 5.0,
    "stall_timeout": 5.0,
    "retries": 9,
    "cache": 60.0,
    "reads": ("src/**",),
}


def key_of(step: Step, workspace: str | None = None) -> str:
    return KeyMaker().key(step, workspace).digest


def test_every_field_of_a_step_is_known_as_a_part_or_not_a_part():
    fields = set(Step._fields)
    assert fields == PARTS.keys() | NOT_PARTS.keys() | {"strategy"}


@pytest.mark.parametrize("name", PARTS)
def test_what_the_answer_depends_on_changes_the_key(name: str):
    assert key_of(BASE._replace(**{name: PARTS[name]})) != key_of(BASE)


@pytest.mark.parametrize("name", NOT_PARTS)
def test_what_the_answer_does_not_depend_on_leaves_the_key(name: str):
    # `reads` acts through the workspace's fingerprint, which is a part.
    assert key_of(BASE._replace(**{name: NOT_PARTS[name]})) == key_of(BASE)


def test_the_workspace_changes_the_key():
    assert len({key_of(BASE, None), key_of(BASE, "a" * 64), key_of(BASE, "b" * 64)}) == 3


def test_the_strategy_counts_where_it_makes_another_answer():
    several = BASE._replace(providers=(ProviderChoice(name="a"), ProviderChoice(name="b")))
    assert key_of(several._replace(strategy="all")) != key_of(several)
    assert key_of(BASE._replace(strategy="race")) == key_of(BASE)
    assert key_of(BASE._replace(strategy="all")) != key_of(BASE)


def test_equal_calls_get_keys_by_occurrence_whatever_comes_between():
    maker = KeyMaker()
    other = BASE._replace(prompt="other")
    first, _, second = maker.key(BASE, None), maker.key(other, None), maker.key(BASE, None)
    assert (first.parts["occurrence"], second.parts["occurrence"]) == (1, 2)
    again = KeyMaker()
    assert [again.key(BASE, None).digest, again.key(BASE, None).digest] == [first.digest, second.digest]


def test_the_key_is_the_same_on_every_machine():
    assert key_of(BASE) == "12e2184598d52b14afca30e4e159bd7f54548d02288e798fb7c5f663326e933a"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=6))
def test_canonical_text_does_not_depend_on_the_order_of_names(value: dict[str, Any]):
    backwards = dict(reversed(list(value.items())))
    assert canonical(backwards) == canonical(value)
    assert json.loads(canonical(value)) == value
    assert canonical(value).isascii()


usages = st.builds(
    Usage,
    input_tokens=st.none() | st.integers(0, 10**9),
    output_tokens=st.none() | st.integers(0, 10**9),
    cost=st.none() | st.integers(0, 1000).map(float),
)


@given(usages, usages, usages)
def test_usage_adds_up_in_any_grouping_and_unknown_stays_unknown(a: Usage, b: Usage, c: Usage):
    assert (a + b) + c == a + (b + c)
    assert a + Usage() == a
    assert (Usage() + Usage()).tokens is None
