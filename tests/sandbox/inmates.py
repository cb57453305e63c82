"""Which values a script may come by at all: an allow-list, made from what it is given, not from how it is guarded."""

from __future__ import annotations

import builtins
import collections
import functools
import itertools
import json
import re
import statistics
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodDescriptorType,
    MethodType,
    UnionType,
)
from typing import Any

from engine.sandbox import attributes, failures
from engine.sandbox.budget import Budget, BudgetBlock, CostBudget
from engine.sandbox.facades import MODULES, Facade
from engine.sandbox.names import script_builtins
from engine.sandbox.script import FILE
from engine.sandbox.values import NotJSON

_LEAVES = (
    str,
    bytes,
    int,
    float,
    complex,
    bool,
    range,
    slice,
    type(None),
    type(...),
    type(NotImplemented),
    UnionType,
)
_CONTAINERS = (
    list,
    tuple,
    set,
    frozenset,
    collections.deque,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
    type(collections.OrderedDict().keys()),
    type(collections.OrderedDict().values()),
    type(collections.OrderedDict().items()),
)
_MAPPINGS = (dict, collections.Counter, collections.defaultdict, collections.OrderedDict)
_OWN = (
    Facade,
    Budget,
    BudgetBlock,
    CostBudget,
    re.Match,
    re.Pattern,
    type(functools.cmp_to_key(lambda a, b: 0)),
)
_ITERATORS = (
    *(
        type(iter(each))
        for each in (
            [],
            (),
            "",
            "\u00e4",
            b"",
            set[int](),
            {},
            range(0),
            range(2**70),
            {}.values(),
            {}.items(),
        )
    ),
    *(type(reversed(each)) for each in ([], {}, {}.values(), {}.items(), collections.deque[int]())),
    type(iter(collections.OrderedDict())),
    type(iter(collections.deque[int]())),
    type(iter(int, 1)),
    type(re.finditer("", "")),
    *(type(each) for each in itertools.tee([])),
    *(each for each in vars(itertools).values() if isinstance(each, type)),
    enumerate,
    filter,
    map,
    reversed,
    zip,
)
_ERRORS = (
    *(each for each in vars(builtins).values() if isinstance(each, type) and issubclass(each, Exception)),
    failures.AgentError,
    failures.BudgetExceeded,
    failures.LimitExceeded,
    json.JSONDecodeError,
    re.error,
    statistics.StatisticsError,
    NotJSON,
)
_KINDS = frozenset((*_LEAVES, *_CONTAINERS, *_MAPPINGS, *_OWN, *_ITERATORS, *_ERRORS))
_CLOSURES = frozenset(
    {
        "_format",
        "_formatter_of.<locals>.formatted",
        "_own_method.<locals>.<lambda>",
        "_partial.<locals>.partial",
    }
)
_API = ("agent", "workflow", "phase", "log", "script_print", "parallel", "pipeline")
_OURS = frozenset(
    {*(f"script_api.<locals>.{name}" for name in _API), *(f"_side_by_side.<locals>.{name}" for name in _API)}
)
_OUR_COROUTINES = frozenset({*_OURS, "_ask"})
_DEPTH = 3
_ITEMS = 20


class Inmates:
    """Tells what has no business in a script."""

    def __init__(self) -> None:
        given = [value for name, value in script_builtins().items() if name != "__import__"]
        for facade in MODULES.values():
            given += [getattr(facade, name) for name in facade]
        self._given = given
        self._known = {id(value) for value in given}
        self._dicts = {id(vars(builtins)), id(MODULES)}

    def stranger(self, value: Any, depth: int = _DEPTH) -> str | None:
        """Why a script should not have a value; None when it may."""
        kind = type(value)
        if id(value) in self._known:
            return None
        if id(value) in self._dicts:
            return "the names of a module"
        if kind in _MAPPINGS:
            if "__builtins__" in value and "_getattr_" in value:
                return "the names of the script, guards and all"
            return self._inside([*value.keys(), *value.values()], depth)
        if kind in _CONTAINERS:
            return self._inside(value, depth)
        if kind in _KINDS:
            return None
        return self._callable(value)

    def _inside(self, values: Any, depth: int) -> str | None:
        if depth == 0:
            return None
        for each in itertools.islice(values, _ITEMS):
            if reason := self.stranger(each, depth - 1):
                return reason
        return None

    def _callable(self, value: Any) -> str | None:
        kind = type(value)
        if kind is FunctionType and self._is_ours(
            value.__code__.co_filename, value.__qualname__, _OURS | _CLOSURES
        ):
            return None
        if kind is BuiltinFunctionType and value.__name__ in self._listed(value.__self__):
            return None
        if kind is MethodType and value.__name__ in self._listed(value.__self__):
            return None
        if kind is MethodDescriptorType and value.__name__ in attributes.OF_TYPES.get(value.__objclass__, ()):
            return None
        if kind is CoroutineType and self._is_ours(
            value.cr_code.co_filename, value.__qualname__, _OUR_COROUTINES
        ):
            return None
        if kind is GeneratorType and self._is_ours(
            value.gi_code.co_filename, value.__qualname__, {"_batched"}
        ):
            return None
        if kind is AsyncGeneratorType and value.ag_code.co_filename == FILE:
            return None
        return f"a {kind.__module__}.{kind.__qualname__}: {repr(value)[:200]}"

    def _is_ours(self, file: str, name: str, ours: Any) -> bool:
        return file == FILE or name in ours

    def _listed(self, owner: Any) -> frozenset[str]:
        if isinstance(owner, type):
            return attributes.OF_TYPES.get(owner, frozenset())
        return attributes.OF_VALUES.get(type(owner), frozenset())
