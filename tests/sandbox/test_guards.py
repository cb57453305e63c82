"""Wall 1, the values: attributes, items, arithmetic and formatting, called as the guarded code calls them."""

from __future__ import annotations

from collections import Counter, defaultdict
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sandbox import arithmetic, formatting, guards
from engine.sandbox.attributes import OF_TYPES
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
        (MODULES["json"], "__class__"),
        (MODULES["json"], "__init__"),
        (MODULES["json"], "__reduce_ex__"),
        (MODULES["json"], "__dict__"),
        (MODULES["json"], "_members"),
        (Counter, "copy"),
        (Counter, "total"),
        (defaultdict, "copy"),
        (len, "__self__"),
        (object(), "anything"),
    ],
)
def test_what_is_not_listed_has_no_such_attribute(value: Any, name: str) -> None:
    with pytest.raises(AttributeError):
        guards.get_attribute(value, name)
    assert not guards.has_attribute(value, name)
    assert guards.get_attribute_or(value, name, "none") == "none"


def test_no_method_that_is_written_in_python_is_handed_out_unbound() -> None:
    """It would take anything for itself, and ask it for attributes past the guard."""
    handed_out = [getattr(kind, name) for kind, names in OF_TYPES.items() for name in names]
    assert [each for each in handed_out if isinstance(each, FunctionType)] == []


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


@pytest.mark.parametrize(
    "template",
    [
        "%*d",
        "%.*f",
        "%99999d",
        "%.99999f",
        "%(a)99999d",
        "%%%99999d",
        "%(a(b)c)99999d",
        "%((a)(b))-#099999d",
        "%(a%(b)s)99999d",
        "%5%%99999d",
        "%l%%99999d",
        "% %%99999d",
        "%s%99999d",
        "%d.%99999d",
    ],
)
def test_percent_widths_are_bounded(template: str) -> None:
    with pytest.raises(ValueError, match="width or precision"):
        formatting.percent(template, (1, 1))
    with pytest.raises(ValueError, match="width or precision"):
        formatting.percent(template.encode(), (1, 1))


@settings(derandomize=True, max_examples=2_000)
@given(
    st.text("%%%()0123459.-+ #hlds", max_size=16),
    st.sampled_from([1, (1,), (1, 2.5), (1, 2, 3), defaultdict(int)]),
)
def test_whatever_the_template_nothing_wide_comes_out(template: str, values: Any) -> None:
    for each in (template, template.encode()):
        try:
            assert len(formatting.percent(each, values)) < 10_000 * (len(template) + 1)
        except (ValueError, TypeError, KeyError, OverflowError):
            continue


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("%s is 123456", "it", "it is 123456"),
        ("%%99999d %d", 1, "%99999d 1"),
        ("%(a)s123456", {"a": 1}, "1123456"),
        ("%(a(b)c)5d", {"a(b)c": 1}, "    1"),
        ("%(12345)s", {"12345": 1}, "1"),
        ("%-5s|%+.2f|%05d", ("a", 1, 2), "a    |+1.00|00002"),
    ],
)
def test_digits_that_are_no_width_are_left_alone(template: str, values: Any, text: str) -> None:
    assert formatting.percent(template, values) == text


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
