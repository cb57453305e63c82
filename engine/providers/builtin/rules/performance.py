"""Rules whose findings cost time or memory: work in the wrong place, or the same work twice."""

from __future__ import annotations

from engine.providers.builtin.rules.rule import Rule, Rules

_BLOCKS = "Everything else on the event loop waits. Use its async counterpart, or a worker thread."

_EVENT_LOOP: Rules = {
    "ASYNC210": Rule("high", "Blocking HTTP call in an async function", _BLOCKS),
    "ASYNC251": Rule("high", "Blocking sleep in an async function", _BLOCKS),
    "ASYNC220": Rule("medium", "Blocking child process in an async function", _BLOCKS),
    "ASYNC221": Rule("medium", "Blocking child process in an async function", _BLOCKS),
    "ASYNC222": Rule("medium", "Blocking wait in an async function", _BLOCKS),
    "ASYNC230": Rule("low", "Blocking file access in an async function", _BLOCKS),
    "ASYNC110": Rule("low", "Busy waiting", "Wait for an event instead of sleeping and looking again."),
}

_ALGORITHMS: Rules = {
    "RUF017": Rule("medium", "Lists are summed in quadratic time", "Use `itertools.chain.from_iterable`."),
    "B019": Rule(
        "medium",
        "Cache on a method keeps every instance alive",
        "Cache a module-level function, or use `cached_property`.",
    ),
    "C419": Rule("medium", "List is built before any() or all()", "A generator stops at the first answer."),
    "FURB192": Rule("medium", "Sorts everything to take one", "Use `min` or `max`."),
    "RUF015": Rule("low", "Builds a list to take its first element", "Use `next(iter(…))`."),
    "C414": Rule(
        "low", "Conversion inside a conversion", "The inner list, tuple or sorted is built for nothing."
    ),
    "C413": Rule("low", "List or reversed around sorted", "`sorted` gives a list and takes `reverse=True`."),
    "C411": Rule("low", "List around a list comprehension", "The list is copied for nothing."),
    "PERF101": Rule("low", "Copy of what is only iterated over", "Iterate over the value itself."),
    "PERF102": Rule("low", "Dict items where only half is used", "Use `.keys()` or `.values()`."),
    "PERF401": Rule(
        "low", "List is filled in a loop", "A comprehension does it faster and says it in one line."
    ),
    "PERF402": Rule("low", "List is copied in a loop", "Use `list(…)` or `extend`."),
    "PERF403": Rule(
        "low", "Dict is filled in a loop", "A comprehension does it faster and says it in one line."
    ),
    "C416": Rule("info", "Comprehension that only copies", "Use `list(…)`, `set(…)` or `dict(…)`."),
    "FURB129": Rule("low", "Reads all lines before the first is used", "Iterate over the file itself."),
}

PERFORMANCE: Rules = {**_EVENT_LOOP, **_ALGORITHMS}
