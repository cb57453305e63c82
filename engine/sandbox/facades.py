"""The modules that a script can import: frozen tables of named functions, never the real module."""

from __future__ import annotations

import collections
import functools
import itertools
import json
import math
import re
import statistics
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Any, NoReturn

from engine.sandbox import arithmetic


class Facade:
    """A module as a script sees it: it can be read by name, and nothing else."""

    __slots__ = ("_members", "_title")

    _members: MappingProxyType[str, Any]
    _title: str

    def __init__(self, title: str, members: dict[str, Any]) -> None:
        object.__setattr__(self, "_title", title)
        object.__setattr__(self, "_members", MappingProxyType(members))

    def __getattr__(self, name: str) -> Any:
        """A listed member; called by its name, as `guards` does, it gives nothing of what all objects have."""
        try:
            return self._members[name]
        except KeyError:
            raise AttributeError(f"module {self._title!r} has no {str(name)[:60]!r} here") from None

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError("modules cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("modules cannot be changed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __repr__(self) -> str:
        return f"<module {self._title!r}>"


def _taken(module: Any, names: str) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names.split()}


def _loads(text: str | bytes) -> Any:
    """`json.loads`, without hooks."""
    return json.loads(text)


def _dumps(
    value: Any,
    *,
    indent: int | str | None = None,
    sort_keys: bool = False,
    ensure_ascii: bool = True,
    separators: tuple[str, str] | None = None,
    skipkeys: bool = False,
    allow_nan: bool = True,
) -> str:
    """`json.dumps`, without hooks."""
    return json.dumps(
        value,
        indent=indent,
        sort_keys=sort_keys,
        ensure_ascii=ensure_ascii,
        separators=separators,
        skipkeys=skipkeys,
        allow_nan=allow_nan,
    )


def _partial(function: Callable[..., Any], /, *arguments: Any, **names: Any) -> Callable[..., Any]:
    """`functools.partial` as a closure: the real one shows its insides."""

    def partial(*more: Any, **others: Any) -> Any:
        return function(*arguments, *more, **{**names, **others})

    return partial


def _batched(items: Iterable[Any], n: int) -> Iterator[tuple[Any, ...]]:
    """`itertools.batched`, on Python 3.11 too."""
    if n < 1:
        raise ValueError("n must be at least one")
    rest = iter(items)
    while batch := tuple(itertools.islice(rest, n)):
        yield batch


_RE_FLAGS = ("A", "ASCII", "I", "IGNORECASE", "M", "MULTILINE", "S", "DOTALL", "X", "VERBOSE")

_MATH = """acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees dist e erf erfc exp exp2
    expm1 fabs floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm ldexp lgamma log
    log10 log1p log2 modf nan nextafter pi prod radians remainder sin sinh sqrt tan tanh tau trunc ulp"""
_ITERTOOLS = """accumulate chain combinations combinations_with_replacement compress count cycle dropwhile
    filterfalse groupby islice pairwise permutations product repeat starmap takewhile tee zip_longest"""
_STATISTICS = """StatisticsError correlation covariance fmean geometric_mean harmonic_mean mean median
    median_grouped median_high median_low mode multimode pstdev pvariance quantiles stdev variance"""

_MEMBERS: dict[str, dict[str, Any]] = {
    "json": {"loads": _loads, "dumps": _dumps, "JSONDecodeError": json.JSONDecodeError},
    "re": {
        **_taken(re, "compile search match fullmatch sub subn split findall finditer escape error"),
        **{flag: int(getattr(re, flag)) for flag in _RE_FLAGS},
    },
    "math": {
        **_taken(math, _MATH),
        "pow": math.pow,
        "factorial": arithmetic.factorial,
        "comb": arithmetic.combinations,
        "perm": arithmetic.permutations,
    },
    "itertools": {**_taken(itertools, _ITERTOOLS), "batched": _batched},
    "functools": {**_taken(functools, "reduce cmp_to_key"), "partial": _partial},
    "collections": _taken(collections, "Counter OrderedDict defaultdict deque"),
    "statistics": _taken(statistics, _STATISTICS),
    "textwrap": _taken(textwrap, "dedent fill indent shorten wrap"),
}

MODULES: MappingProxyType[str, Facade] = MappingProxyType(
    {name: Facade(name, members) for name, members in _MEMBERS.items()}
)


INTERNAL = frozenset({"_pylong"})
"""What the interpreter itself imports in a script's name: it takes the module from `sys.modules`, not from us."""


def import_module(
    name: str,
    globals: Any = None,  # noqa: A002 - the interpreter calls it so
    locals: Any = None,  # noqa: A002
    fromlist: Any = (),
    level: int = 0,
) -> Facade | None:
    """What `import` does in a script."""
    if name in INTERNAL:
        return None
    if level or name not in MODULES:
        raise ImportError(f"the module {name} cannot be imported in workflow scripts")
    return MODULES[name]
