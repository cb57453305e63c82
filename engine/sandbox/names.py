"""Which of Python's builtins a script sees: an allow-list, with our own in place of those that reach too far."""

from __future__ import annotations

import builtins
from typing import Any

from engine.sandbox import failures
from engine.sandbox.arithmetic import power
from engine.sandbox.facades import import_module
from engine.sandbox.formatting import format_value
from engine.sandbox.guards import get_attribute_or, has_attribute

_TAKEN = """abs all any ascii bin bool callable chr dict divmod enumerate filter float frozenset hex int isinstance
    issubclass iter len list map max min next oct ord range repr reversed round set slice sorted str sum tuple zip
    None True False Ellipsis NotImplemented
    ArithmeticError AssertionError AttributeError EOFError Exception FloatingPointError ImportError IndexError
    KeyError LookupError MemoryError NameError NotImplementedError OSError OverflowError RecursionError RuntimeError
    StopAsyncIteration StopIteration TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError
    UnicodeError ValueError ZeroDivisionError"""


def script_builtins() -> dict[str, Any]:
    """A new dict of builtins for one run."""
    return {
        **{name: getattr(builtins, name) for name in _TAKEN.split()},
        "AgentError": failures.AgentError,
        "BudgetExceeded": failures.BudgetExceeded,
        "LimitExceeded": failures.LimitExceeded,
        "__import__": import_module,
        "format": format_value,
        "getattr": get_attribute_or,
        "hasattr": has_attribute,
        "pow": power,
    }
