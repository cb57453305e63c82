"""Which attributes a script may read, by exact type. Whatever is not listed has none."""

from __future__ import annotations

import builtins
import itertools
import json
import re
import statistics
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

from engine.sandbox.budget import Budget, BudgetBlock, CostBudget
from engine.sandbox.failures import AgentError, BudgetExceeded, LimitExceeded
from engine.sandbox.values import NotJSON

# Not here, because guards answer for them: str.format, str.encode, bytes.decode.
_STR = """capitalize casefold center count endswith expandtabs find index isalnum isalpha isascii isdecimal isdigit
    isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans partition
    removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip
    swapcase title translate upper zfill"""
_BYTES = "count endswith find hex index join replace rfind split startswith strip"
_LIST = "append clear copy count extend index insert pop remove reverse sort"
_DICT = "clear copy fromkeys get items keys pop popitem setdefault update values"
_FROZENSET = "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
_SET = f"""{_FROZENSET} add clear difference_update discard intersection_update pop remove
    symmetric_difference_update update"""
_DEQUE = """append appendleft clear copy count extend extendleft index insert maxlen pop popleft remove reverse
    rotate"""
_MATCH = "end endpos expand group groupdict groups lastgroup lastindex pos span start string"
_PATTERN = "findall finditer flags fullmatch groups match pattern search split sub subn"
_BUDGET = "cost remaining spent total"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXCEPTIONS: dict[type, frozenset[str]] = {
    kind: _names("args")
    for kind in vars(builtins).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
}

OF_VALUES: dict[type, frozenset[str]] = {
    **_EXCEPTIONS,
    str: _names(_STR),
    bytes: _names(_BYTES),
    list: _names(_LIST),
    dict: _names(_DICT),
    tuple: _names("count index"),
    set: _names(_SET),
    frozenset: _names(_FROZENSET),
    int: _names("as_integer_ratio bit_count bit_length denominator imag is_integer numerator real"),
    bool: _names("bit_count bit_length"),
    float: _names("as_integer_ratio hex imag is_integer real"),
    range: _names("count index start step stop"),
    deque: _names(_DEQUE),
    Counter: _names(f"{_DICT} elements most_common subtract total"),
    defaultdict: _names(_DICT),
    OrderedDict: _names(f"{_DICT} move_to_end"),
    re.Match: _names(_MATCH),
    re.Pattern: _names(_PATTERN),
    re.error: _names("args colno lineno msg pos"),
    json.JSONDecodeError: _names("args colno lineno msg pos"),
    statistics.StatisticsError: _names("args"),
    NotJSON: _names("args"),
    StopIteration: _names("args value"),
    AgentError: _names("args provider reason"),
    BudgetExceeded: _names("args"),
    LimitExceeded: _names("args"),
    Budget: _names(_BUDGET),
    BudgetBlock: _names(_BUDGET),
    CostBudget: _names("remaining spent total"),
}

OF_TYPES: dict[Any, frozenset[str]] = {
    **{kind: OF_VALUES[kind] for kind in (str, list, dict, tuple, set, frozenset, deque, OrderedDict)},
    int: _names("bit_count bit_length from_bytes"),
    float: _names("fromhex hex is_integer"),
    itertools.chain: _names("from_iterable"),
}
"""No type whose methods are written in Python: they take anything for themselves, and `Counter.copy(str)` is `type`."""
