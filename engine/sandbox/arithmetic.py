"""Operators that can blow up, with a ceiling: a clear error in place of a process that was killed."""

from __future__ import annotations

import math
import operator
from collections import deque
from collections.abc import Callable
from typing import Any

from engine.sandbox.exact import exact_type
from engine.sandbox.formatting import percent

INT_BITS = 65_536
ITEMS = 10_000_000
FACTORIAL = 5_000

_SEQUENCES = (str, bytes, list, tuple, deque)
_operator: Any = operator
_pow: Any = pow


def multiply(left: Any, right: Any) -> Any:
    """`left * right`."""
    _bound_product(left, right)
    return left * right


def power(base: Any, exponent: Any, modulus: Any = None) -> Any:
    """`base ** exponent`, and `pow` with a modulus."""
    if modulus is not None:
        return _pow(base, exponent, modulus)
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0 and base not in (-1, 0, 1):
        _bound_bits(base.bit_length() * exponent)
    return base**exponent


def shift_left(left: Any, right: Any) -> Any:
    """`left << right`."""
    _bound_shift(left, right)
    return left << right


def remainder(left: Any, right: Any) -> Any:
    """`left % right`, which formats when `left` is text."""
    return percent(left, right) if isinstance(left, str | bytes) else left % right


def factorial(number: Any) -> int:
    """`math.factorial`, up to 5,000."""
    _bound_number(number)
    return math.factorial(number)


def combinations(total: Any, chosen: Any) -> int:
    """`math.comb`, up to 5,000."""
    _bound_number(total)
    return math.comb(total, chosen)


def permutations(total: Any, chosen: Any = None) -> int:
    """`math.perm`, up to 5,000."""
    _bound_number(total)
    return math.perm(total, chosen)


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "*": multiply,
    "**": power,
    "<<": shift_left,
    "%": remainder,
}


def binary(sign: str, left: Any, right: Any) -> Any:
    """The guard of `* ** << %`."""
    return OPERATORS[sign](left, right)


def in_place(sign: str, left: Any, right: Any) -> Any:
    """The guard of `+=` and its like."""
    return _IN_PLACE[sign](left, right)


def _multiply_in_place(left: Any, right: Any) -> Any:
    _bound_product(left, right)
    return _operator.imul(left, right)


_IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+=": _operator.iadd,
    "-=": _operator.isub,
    "*=": _multiply_in_place,
    "/=": _operator.itruediv,
    "//=": _operator.ifloordiv,
    "%=": remainder,
    "**=": power,
    "<<=": shift_left,
    ">>=": _operator.irshift,
    "|=": _operator.ior,
    "^=": _operator.ixor,
    "&=": _operator.iand,
    "@=": _operator.imatmul,
}


def _bound_product(left: Any, right: Any) -> None:
    if exact_type(left) is int and exact_type(right) is int:
        _bound_bits(left.bit_length() + right.bit_length())
        return
    for items, times in ((left, right), (right, left)):
        if exact_type(items) in _SEQUENCES and exact_type(times) is int:
            _bound_items(len(items) * times)


def _bound_shift(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and left:
        _bound_bits(left.bit_length() + max(right, 0))


def _bound_bits(bits: int) -> None:
    if bits > INT_BITS:
        raise OverflowError(f"the result would have more than {INT_BITS:,} bits")


def _bound_items(count: int) -> None:
    if count > ITEMS:
        raise OverflowError(f"the result would have {count:,} items; at most {ITEMS:,} can be made at once")


def _bound_number(number: Any) -> None:
    if isinstance(number, int) and number > FACTORIAL:
        raise OverflowError(f"the number is {number:,}; at most {FACTORIAL:,} is taken here")
