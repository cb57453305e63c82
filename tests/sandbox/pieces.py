"""The pieces that random scripts are made of: what scripts use, and what nobody may reach."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = ("a", "b", "c", "f", "g", "x", "args")
POISON = _words("_getattr_ _getitem_ _write_ __builtins__ __import__ _tmp0 __class__ _x open")
DUNDERS = _words(
    """__class__ __globals__ __builtins__ __self__ __dict__ __reduce_ex__ __init__ __code__ __closure__
    __traceback__ __loader__ __subclasses__ __getattribute__ __call__ _members _ledger"""
)
INSIDES = _words(
    """gi_frame cr_frame ag_frame f_builtins tb_frame obj func send throw mro re value default_factory
    format_map with_traceback string raw_decode"""
)
PLAIN = _words("args upper format keys items get append copy join group spent cost total")
MODULES = ("json", "re", "math", "itertools", "functools", "collections", "statistics", "textwrap")
MEMBERS = _words(
    """json.loads json.dumps re.sub re.compile itertools.chain itertools.starmap itertools.tee itertools.groupby
    itertools.accumulate functools.partial functools.reduce functools.cmp_to_key collections.Counter
    collections.defaultdict collections.deque collections.OrderedDict statistics.mode statistics.mean
    textwrap.wrap math.prod"""
)
CALLED = _words(
    """getattr hasattr map filter sorted max min list dict tuple set iter next zip enumerate reversed str repr
    format isinstance callable log print agent parallel pipeline workflow budget sum pow round int str.format
    str.join dict.fromkeys Exception AgentError"""
)
ATOMS = (
    "1",
    "0",
    "'text'",
    "b'bytes'",
    "None",
    "[]",
    "{}",
    "()",
    "main",
    "agent",
    "budget",
    "meta",
    "str",
    "int",
    "ValueError",
    "agent('x')",
    "(i for i in [1])",
    "'{0.__class__}'",
    "'%s %(a)d'",
    "re.match('a', 'a')",
    "iter([1])",
    "[].append",
    "(lambda v: v)",
    "budget(5)",
    "int | str",
)
OPERATORS = _words("+ - * % | & << >> // @ **")
COMPARISONS = ("==", "<", "in", "is", "not in", "is not", ">=")
