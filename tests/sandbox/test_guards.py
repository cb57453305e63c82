"""Wall 1, the values: attributes, items, arithmetic and formatting, called as the guarded code calls them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.sandbox import arithmetic, formatting, guards
from engine.sandbox.facades import MODULES, import_module
from engine.sandbox.failures import AgentError


async def coroutine() -> None:
    return None


def generator() -> Any:
    yield 1


def suspended() -> Any:
    made = coroutine()
    made.close()
    return made


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (generator(), "gi_frame"),
        (generator(), "send"),
        (suspended(), "cr_frame"),
        (suspended(), "send"),
        (suspended(), "close"),
        (generator, "func_globals"),
        (ValueError("x"), "with_traceback"),
        (ValueError("x"), "add_note"),
        (AttributeError("x"), "obj"),
        (AttributeError("x"), "name"),
        (str, "mro"),
        (str, "format_map"),
        ("", "format_map"),
        (int, "from_bytes_"),
        (MODULES["re"], "enum"),
        (MODULES["json"], "codecs"),
        (MODULES["functools"], "wraps"),
        (len, "__self__"),
        (object(), "anything"),
    ],
)
def test_what_is_not_listed_has_no_such_attribute(value: Any, name: str) -> None:
    with pytest.raises(AttributeError):
        guards.get_attribute(value, name)
    assert not guards.has_attribute(value, name)
    assert guards.get_attribute_or(value, name, "none") == "none"


def test_a_subclass_of_a_listed_type_has_nothing() -> None:
    class Text(str):
        pass

    with pytest.raises(AttributeError):
        guards.get_attribute(Text("x"), "upper")


def test_what_is_listed_works() -> None:
    assert guards.get_attribute("a", "upper")() == "A"
    assert guards.get_attribute(str, "upper")("a") == "A"
    assert guards.get_attribute(AgentError("m", "timeout", "claude"), "reason") == "timeout"
    assert guards.get_attribute(ValueError(1, [2]), "args") == (1, [2])


def test_the_arguments_of_an_exception_are_plain_values_only() -> None:
    error = ValueError(guards, "x")
    assert guards.get_attribute(error, "args") == (str(guards), "x")


def test_only_builtin_containers_are_written() -> None:
    assert guards.writable([1]) == [1]
    for value in ("x", (1,), MODULES["json"], len, {1}):
        with pytest.raises(TypeError, match="cannot be set or deleted"):
            guards.writable(value)


def test_only_coroutines_are_awaited() -> None:
    with pytest.raises(TypeError, match="a list cannot be awaited"):
        guards.awaitable([])


def test_facades_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        MODULES["json"].dumps = len
    with pytest.raises(AttributeError):
        del MODULES["json"].dumps
    with pytest.raises(ImportError):
        import_module("os")


@pytest.mark.parametrize(
    ("sign", "left", "right"),
    [
        ("*", "a", 10**8),
        ("*", 10**8, [1]),
        ("*", b"a", 10**12),
        ("**", 10, 10**10),
        ("**", -3, 10**9),
        ("<<", 1, 10**9),
    ],
)
def test_arithmetic_that_would_blow_up_is_refused(sign: str, left: Any, right: Any) -> None:
    with pytest.raises(OverflowError):
        arithmetic.binary(sign, left, right)


def test_a_product_of_large_integers_is_refused() -> None:
    with pytest.raises(OverflowError):
        arithmetic.binary("*", 1 << 60_000, 1 << 60_000)


@pytest.mark.parametrize(
    ("sign", "left", "right", "result"),
    [
        ("*", 6, 7, 42),
        ("*", "ab", 2, "abab"),
        ("**", 2, -1, 0.5),
        ("**", 1, 10**9, 1),
        ("**", 2.0, 3, 8.0),
        ("<<", 1, 10, 1024),
        ("%", 7, 4, 3),
        ("%", "%s-%03d%%", ("a", 5), "a-005%"),
    ],
)
def test_arithmetic_in_bounds_is_pythons(sign: str, left: Any, right: Any, result: Any) -> None:
    assert arithmetic.binary(sign, left, right) == result


@pytest.mark.parametrize("template", ["%*d", "%.*f", "%99999d", "%.99999f", "%(a)99999d", "%%%99999d"])
def test_percent_widths_are_bounded(template: str) -> None:
    with pytest.raises(ValueError, match="width or precision"):
        formatting.percent(template, (1, 1))


@pytest.mark.parametrize(
    "template",
    [
        "{0.__class__}",
        "{0[0]}",
        "{a.b}",
        "{0:{1}}",
        "{0.__\uff43lass__!r:>10}",
        "{0:99999}",
        "{0!x}",
        "{0:.99999f}",
    ],
)
def test_format_reads_nothing_inside_values(template: str) -> None:
    with pytest.raises(ValueError, match=r"use |digits"):
        formatting.format_text(template, (1, 2), {"a": 1})


def test_format_in_bounds_is_pythons() -> None:
    assert formatting.format_text("{} {} {{}} {n:>4}|{0!r}", ("x", 2), {"n": 1}) == "x 2 {}    1|'x'"
    with pytest.raises(IndexError):
        formatting.format_text("{5}", (), {})
    with pytest.raises(KeyError):
        formatting.format_text("{name}", (), {})
