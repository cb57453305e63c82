"""What to say when a script uses what is not here: in people's words, with the way out."""

from __future__ import annotations

_NO_CLOCK = "pass times in as arguments: a run takes the same path every time"
_NO_FILES = "ask an agent to read or write files, or pass the text as an argument"
_ADDRESS = "compare values with =="

REFUSED_NODES: dict[str, tuple[str, str | None]] = {
    "ClassDef": (
        "classes are not available in workflow scripts",
        "use a dict, or a function that returns one",
    ),
    "AsyncWith": ("async with is not available in workflow scripts", "use try and finally"),
    "TryStar": ("except* is not available in workflow scripts", "use except"),
    "TypeAlias": ("type aliases are not available in workflow scripts", "leave it out"),
    "TemplateStr": ("template strings are not available in workflow scripts", 'use an f-string: f"…"'),
}

REFUSED_NAMES: dict[str, str | None] = {
    "open": _NO_FILES,
    "input": "pass it as an argument",
    "eval": "write the expression itself, or use json.loads for data",
    "exec": "write the code itself",
    "compile": "write the code itself",
    "breakpoint": "use log(…)",
    "exit": "return from main, or raise an error",
    "quit": "return from main, or raise an error",
    "globals": "use a dict of your own",
    "locals": "use a dict of your own",
    "vars": "use a dict of your own",
    "dir": None,
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
    "asyncio": "await agent(), parallel() and pipeline(); nothing else runs side by side",
    "time": _NO_CLOCK,
    "BaseException": "use Exception",
    "SystemExit": "return from main, or raise an error",
    "KeyboardInterrupt": "use Exception",
    "GeneratorExit": "use try and finally",
    "ExceptionGroup": "use Exception",
    "BaseExceptionGroup": "use Exception",
}
