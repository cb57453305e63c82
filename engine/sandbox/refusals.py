"""What to say when a script uses what is not here: in people's words, with the way out."""

from __future__ import annotations

from keyword import iskeyword

_NO_CLOCK = "pass times in as arguments: a run takes the same path every time"
_NO_CHANCE = "pass such values in as arguments: a run takes the same path every time"
_NO_FILES = "ask an agent to read or write files, or pass the text as an argument"
_NO_SYSTEM = "ask an agent to do it; a script only decides what is asked"
_NO_CLASSES = "use a dict, or a function that returns one"
_NO_TASKS = "await agent(), parallel() and pipeline(); nothing else runs side by side"
_NO_ANNOTATIONS = "leave it out: annotations are dropped, so the names in them need no import"
_ADDRESS = "compare values with =="

REFUSED_NODES: dict[str, tuple[str, str]] = {
    "ClassDef": ("classes are not available in workflow scripts", _NO_CLASSES),
    "AsyncWith": (
        "async with is not available in workflow scripts",
        "use with for a budget, and try and finally for the rest",
    ),
    "TryStar": ("except* is not available in workflow scripts", "use except"),
    "TypeAlias": ("type aliases are not available in workflow scripts", "leave it out"),
    "TemplateStr": ("template strings are not available in workflow scripts", 'use an f-string: f"…"'),
}
WRITTEN_OUT = "write it out in plainer Python"
"""The way out of syntax that is too new to be known here."""

REFUSED_NAMES: dict[str, str] = {
    "open": _NO_FILES,
    "input": "pass it as an argument",
    "eval": "write the expression itself, or use json.loads for data",
    "exec": "write the code itself",
    "compile": "write the code itself, or use re.compile for a pattern",
    "breakpoint": "use log(…)",
    "help": "use log(…)",
    "exit": "return from main, or raise an error",
    "quit": "return from main, or raise an error",
    "globals": "use a dict of your own",
    "locals": "use a dict of your own",
    "vars": "use a dict of your own",
    "dir": "use the keys of a dict",
    "type": "use isinstance(value, str)",
    "object": "use None or a dict",
    "super": "use functions",
    "property": "use functions",
    "classmethod": "use functions",
    "staticmethod": "use functions",
    "setattr": 'use a dict: value["name"] = …',
    "delattr": 'use a dict: del value["name"]',
    "id": _ADDRESS,
    "hash": _ADDRESS,
    "memoryview": "use text",
    "bytearray": "use text",
    "bytes": "use text",
    "complex": "use two numbers",
    "aiter": "use async for",
    "anext": "use async for",
    "asyncio": _NO_TASKS,
    "time": _NO_CLOCK,
    "BaseException": "use Exception",
    "SystemExit": "return from main, or raise an error",
    "KeyboardInterrupt": "use Exception",
    "GeneratorExit": "use try and finally",
    "ExceptionGroup": "use Exception",
    "BaseExceptionGroup": "use Exception",
}

_MODULES = {
    _NO_CLOCK: "calendar date datetime time zoneinfo",
    _NO_CHANCE: "random secrets uuid",
    _NO_FILES: "csv fileinput glob io os path pathlib Path pickle shelve shutil sqlite3 tempfile tomllib yaml zipfile",
    _NO_SYSTEM: "aiohttp anthropic ctypes http httpx openai platform requests signal socket subprocess sys urllib",
    _NO_TASKS: "anyio asyncio concurrent multiprocessing queue threading trio",
    _NO_ANNOTATIONS: "abc types typing typing_extensions",
    _NO_CLASSES: "attrs dataclass dataclasses enum pydantic",
    "leave it out: every script is modern Python": "__future__",
    "use json.loads(json.dumps(value)) to copy data": "copy copyreg",
    "use log(…)": "logging pprint",
    "use a lambda": "operator",
    "write the characters out": "string",
    "catch AgentError and log it": "contextlib traceback warnings",
    "use sorted(), or a list and its sort()": "bisect heapq",
}
REFUSED_MODULES: dict[str, str] = {name: hint for hint, names in _MODULES.items() for name in names.split()}
"""The way out for a module that people expect to be here, also where they forgot to import it."""

_UNDERSCORED = {
    "__name__": "leave it out: mco calls main itself",
    "__main__": "leave it out: mco calls main itself",
    "__file__": "take paths from args: a script has no place of its own",
    "__doc__": "put the text into a constant",
    "__import__": "use import",
    "__builtins__": "use the builtins by their names",
    "__debug__": "take it from args",
    "__class__": "use isinstance(value, str)",
    "__dict__": "use a dict of your own",
    "__len__": "use len(value)",
    "__iter__": "use iter(value)",
    "__next__": "use next(value)",
    "__str__": "use str(value)",
    "__repr__": "use repr(value)",
    "__getitem__": "use value[key]",
    "__setitem__": "use value[key] = …",
    "__contains__": "use key in value",
    "__eq__": _ADDRESS,
    "__call__": "call it: value(…)",
    "__traceback__": "log the error itself: log(str(error))",
    "__cause__": "log the error itself: log(str(error))",
}


def instead_of_name(name: str) -> str:
    """The way out for a name that begins with an underscore."""
    plain = name.strip("_")
    usable = plain.isidentifier() and not iskeyword(plain)
    return _UNDERSCORED.get(name) or (f"call it {plain[:60]}" if usable else "call it something else")


def instead_of_attribute(name: str) -> str:
    """The way out for an attribute that begins with an underscore."""
    return _UNDERSCORED.get(name, "use the items and methods of a value: its insides are not for scripts")


_SYNTAX = {
    "outside async function": "make the function around it async def",
    "'await' outside": "write await in main, or in another async def",
    "asynchronous comprehension outside": "make the function around it async def",
    "'return' outside": "put it into main: what main returns is the result",
    "'yield' outside": "put it into a function",
    "with value in async generator": "collect the values in a list and return that, without yield",
    "outside loop": "use it in a for or while",
    "not properly in loop": "use it in a for or while",
    "unexpected indent": "give it as many spaces as the line above",
    "expected an indented block": "indent what belongs to it by four spaces",
    "unindent does not match": "give it as many spaces as the line that it goes with",
    "inconsistent use of tabs": "indent with spaces only",
    "was never closed": "close it",
    "unterminated": "close the quotes",
    "no binding for nonlocal": "give it a value in the function outside, or use global",
    "global declaration": "put global at the beginning of the function",
    "nonlocal declaration": "put nonlocal at the beginning of the function",
    "duplicate argument": "give each parameter a name of its own",
}
_SYNTAX_AT_ALL = "mend this first: the rest is read only then"


def mend_syntax(message: str | None) -> str:
    """The way out of a syntax error, by what Python says of it."""
    return next((hint for said, hint in _SYNTAX.items() if said in (message or "")), _SYNTAX_AT_ALL)
