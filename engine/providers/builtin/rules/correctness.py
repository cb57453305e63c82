"""Rules whose findings are, or hide, wrong behaviour. Style is left to formatters."""

from __future__ import annotations

from engine.providers.builtin.rules.rule import Rule, Rules

SYNTAX_ERROR = "invalid-syntax"
"""Ruff reports it whatever is selected; it cannot be selected itself."""

_NAMES: Rules = {
    "F821": Rule(
        "high",
        "{name} is used but never defined",
        "This line raises NameError when it runs. Define the name, import it, or correct its spelling.",
    ),
    "F822": Rule("medium", "`__all__` names {name}, which does not exist", "Remove the name or define it."),
    "F823": Rule(
        "high",
        "{name} is read before it is assigned",
        "The assignment further down makes the name local, so this line raises UnboundLocalError.",
    ),
    "F811": Rule(
        "medium",
        "{name} is redefined before it was ever used",
        "The first definition is dead. Rename one of the two, or delete the one that is not meant.",
    ),
    "F402": Rule("medium", "Loop variable hides an import", "Rename the loop variable."),
    "F841": Rule(
        "low",
        "{name} is assigned and never read",
        "Either its use was forgotten, or the assignment can go.",
    ),
    "F401": Rule(
        "info",
        "{name} is imported and never used",
        "Remove it, or list it in `__all__` where it is a re-export.",
    ),
    "PLE0118": Rule("high", "Name is used before its `global` declaration", "Move the declaration up."),
    "PLE0117": Rule(
        "high", "`nonlocal` name has no outer binding", "Bind it in an enclosing function first."
    ),
    "PLE0115": Rule("high"),
    "PLW0128": Rule("medium", "Same name is bound twice in one assignment", "Only the last value survives."),
    "PLW0127": Rule("low", "Variable is assigned to itself", "Remove the line or assign what was meant."),
    "PLW0642": Rule("medium", "`self` or `cls` is reassigned", "Use another name for the new value."),
    "PLW0406": Rule("medium", "Module imports itself", "Import what was meant, or remove the line."),
}

_CONDITIONS: Rules = {
    "F631": Rule(
        "high", "Assertion can never fail", "A non-empty tuple is always true; remove the parentheses."
    ),
    "F634": Rule(
        "high", "Condition is always true", "A non-empty tuple is always true; compare its parts instead."
    ),
    "F632": Rule(
        "high", "`is` compares identity with a literal", "Use `==`: identity of literals is an accident."
    ),
    "PLW0129": Rule(
        "high", "Assertion on a string is always true", "Assert the condition; the string is its message."
    ),
    "PLW0177": Rule("high", "Comparison with NaN", "NaN equals nothing, itself included. Use `math.isnan`."),
    "PLW0711": Rule("high", "`except A or B` catches only A", "Write `except (A, B)`."),
    "RUF018": Rule(
        "medium", "Assignment inside an assertion", "With `python -O` it never happens; assign first."
    ),
    "RUF034": Rule(
        "medium", "Both branches give the same value", "One branch is probably not what was meant."
    ),
    "SIM222": Rule("medium", "Condition is always true", "A part of this `or` is always true."),
    "SIM223": Rule("medium", "Condition is always false", "A part of this `and` is always false."),
    "E711": Rule("low", "Comparison with None by `==`", "Use `is None`: `==` may be overridden."),
    "E721": Rule("low", "Types are compared by `==`", "Use `isinstance`, or `is` for exactly this type."),
    "B015": Rule(
        "medium", "Comparison whose result is thrown away", "Assign, assert or return it, or remove it."
    ),
    "B018": Rule(
        "low", "Expression without effect", "Its value is thrown away. Was a call or an assignment meant?"
    ),
    "PLW0133": Rule("high", "Exception is created but not raised", "Put `raise` before it."),
    "B011": Rule("low", "`assert False` vanishes under `python -O`", "Raise AssertionError instead."),
}

_ERRORS: Rules = {
    "E722": Rule(
        "medium",
        "Bare `except` catches everything",
        "It also swallows KeyboardInterrupt and SystemExit. Name the exceptions that are expected here.",
    ),
    "BLE001": Rule(
        "low",
        "Blind `except Exception`",
        "Bugs end up here as well as the failure that was expected. Name that failure, or log and raise again.",
    ),
    "S110": Rule(
        "low",
        "Error is swallowed without a trace",
        "Name the expected exception, and say why it is harmless.",
    ),
    "S112": Rule(
        "low", "Error is skipped without a trace", "Name the expected exception, and log what was skipped."
    ),
    "B012": Rule(
        "medium", "`finally` leaves by return, break or continue", "Exceptions in flight disappear there."
    ),
    "SIM107": Rule("medium", "`return` in both `try` and `finally`", "The one in `finally` always wins."),
    "B014": Rule("low", "Exception is listed twice in one handler", "Remove the one that the other covers."),
    "B025": Rule("medium", "Exception is handled twice in one `try`", "The second handler can never run."),
    "B029": Rule("high", "`except ()` catches nothing", "Name at least one exception."),
    "B030": Rule("high", "Handler names something that is no exception", "Matching it raises TypeError."),
    "B016": Rule("high", "A literal is raised", "Only exceptions can be raised: this line raises TypeError."),
    "B904": Rule("low", "Cause of the new exception is lost", "Write `raise … from error` (or `from None`)."),
    "F707": Rule("high", "Bare `except` is not the last handler", "Handlers after it can never run."),
    "F901": Rule("high", "`raise NotImplemented`", "It is a value, no exception; raise NotImplementedError."),
    "PLE0704": Rule(
        "high", "Bare `raise` outside a handler", "There is nothing to raise again: RuntimeError."
    ),
    "TRY203": Rule("low", "Handler only raises again", "Remove the `try`, or do something in the handler."),
}

_FUNCTIONS: Rules = {
    "B006": Rule(
        "high",
        "Mutable default argument is shared between calls",
        "What one call puts in, the next one finds. Default to None and make the value inside the function.",
    ),
    "B023": Rule(
        "high",
        "Function made in a loop sees only the last loop value",
        "Bind the value at definition time, for example as a default: `lambda item=item: …`.",
    ),
    "B039": Rule(
        "high", "Mutable default of a ContextVar is shared", "Default to None and set it per context."
    ),
    "RUF008": Rule("high", "Mutable dataclass default is shared", "Use `field(default_factory=…)`."),
    "RUF009": Rule(
        "medium", "Dataclass default is computed once, at import", "Use `field(default_factory=…)`."
    ),
    "RUF024": Rule("medium", "`dict.fromkeys` shares one mutable value", "Use a dict comprehension."),
    "RUF026": Rule(
        "medium", "`default_factory=` makes a key, not a factory", "Pass the factory as first argument."
    ),
    "RUF033": Rule("medium", "`__post_init__` argument has a default", "Give the field the default instead."),
    "B026": Rule(
        "low", "Unpacking after a keyword argument", "Values land in an unexpected order; unpack first."
    ),
    "PLE0101": Rule("high", "`__init__` returns a value", "Making an instance raises TypeError."),
    "PLE0100": Rule("high", "`__init__` is a generator", "It never runs its body; remove the `yield`."),
    "PLE0302": Rule(
        "high", "Special method has the wrong parameters", "Python will call it with others: TypeError."
    ),
    "PLE0303": Rule("high"),
    "PLE0305": Rule("high"),
    "PLE0307": Rule("high"),
    "PLE0308": Rule("high"),
    "PLE0309": Rule("high"),
    "PLE0237": Rule("high", "Attribute is missing in `__slots__`", "Assigning it raises AttributeError."),
    "PLE0241": Rule("high", "Base class is listed twice", "The class statement raises TypeError."),
    "PLE1132": Rule("high", "Keyword argument is given twice", "The call raises TypeError."),
    "PLE1519": Rule("medium"),
    "PLE1520": Rule("medium"),
    "PLW0245": Rule(
        "high",
        "`super` without parentheses",
        "Attributes of the class itself are looked up, not the parent's.",
    ),
}

_CALLS: Rules = {
    "F501": Rule("high"),
    "F502": Rule("high"),
    "F503": Rule("high"),
    "F505": Rule("high"),
    "F506": Rule("high"),
    "F507": Rule("high"),
    "F509": Rule("high"),
    "F521": Rule("high"),
    "F524": Rule("high", "`.format` lacks an argument for a placeholder", "This line raises when it runs."),
    "F504": Rule("low"),
    "F522": Rule("low"),
    "F523": Rule("low"),
    "F601": Rule("medium", "Dict literal has the same key twice", "Only the last value survives."),
    "F541": Rule(
        "info", "f-string without a placeholder", "Remove the `f`, or put in the value that was meant."
    ),
    "PLE1300": Rule("high"),
    "PLE1307": Rule("high"),
    "PLE1507": Rule("high"),
    "PLE1205": Rule(
        "medium", "Logging call has too many arguments", "The message is lost in a logging error."
    ),
    "PLE1206": Rule(
        "medium", "Logging call has too few arguments", "The message is lost in a logging error."
    ),
    "PLE1310": Rule(
        "medium", "`strip` takes characters, not a prefix", "Use `removeprefix` or `removesuffix`."
    ),
    "B005": Rule("medium", "`strip` takes characters, not a prefix", "Use `removeprefix` or `removesuffix`."),
    "PLE0643": Rule("high", "Index is out of range", "This expression raises IndexError."),
    "RUF016": Rule("high", "Index has the wrong type", "This expression raises TypeError."),
    "B020": Rule(
        "medium", "Loop overwrites what it iterates over", "Use another name for the loop variable."
    ),
    "B031": Rule(
        "medium", "`groupby` group is used twice", "It is empty the second time; make a list of it."
    ),
    "B035": Rule("high", "Dict comprehension with a constant key", "Every round overwrites the one before."),
    "B034": Rule("medium", "`re` flags or count given by position", "They are easily swapped; name them."),
    "B002": Rule("high", "`++` does nothing in Python", "Write `+= 1`."),
    "B032": Rule("medium", "Annotation where an assignment was meant", "Write `=` instead of `:`."),
    "B033": Rule(
        "low", "Set literal has the same value twice", "Remove one, or write the value that was meant."
    ),
    "B003": Rule(
        "medium", "`os.environ` is replaced", "Child processes keep the old one; use `clear` and `update`."
    ),
    "B004": Rule("low", "Callability tested by `hasattr`", "Use `callable(x)`."),
    "PLW1501": Rule("high", "`open` mode does not exist", "This call raises ValueError."),
    "PLW1507": Rule("medium", "Shallow copy of `os.environ` is not a copy", "Use `os.environ.copy()`."),
    "PLW1508": Rule("low", "Default of an environment variable is no string", "Give the default as text."),
    "PLW1509": Rule(
        "medium", "`preexec_fn` can deadlock with threads", "Use `start_new_session` or the like."
    ),
    "PLW1510": Rule(
        "low", "Failure of a child process is ignored", "Say `check=True`, or `check=False` on purpose."
    ),
    "PLW2101": Rule(
        "high", "Lock is made and dropped in one line", "It protects nothing; keep the lock in a variable."
    ),
    "SIM115": Rule("low", "File may stay open", "Open it in a `with` block."),
    "DTZ003": Rule("low", "`utcnow` gives a time without a zone", "Use `datetime.now(timezone.utc)`."),
    "YTT103": Rule("medium"),
    "YTT203": Rule("medium"),
    "YTT302": Rule("medium"),
}

_ASYNC: Rules = {
    "RUF006": Rule(
        "medium",
        "Task is not kept and may vanish half-way",
        "The event loop holds tasks weakly. Keep a reference until it is done, or use a task group.",
    ),
    "ASYNC100": Rule(
        "medium", "Timeout around nothing that waits", "The scope has no await, so it never fires."
    ),
    "ASYNC105": Rule("high", "Coroutine is not awaited", "The call does nothing until it is awaited."),
    "PLE1142": Rule(
        "high", "`await` outside an async function", "The module does not compile; make the function async."
    ),
    "PLE1700": Rule("high", "`yield from` in an async function", "Use `async for`."),
}

_STATEMENTS: Rules = {
    "F602": Rule("low"),
    "F621": Rule("high"),
    "F622": Rule("high"),
    "F633": Rule("high"),
    "F701": Rule("critical"),
    "F702": Rule("critical"),
    "F704": Rule("critical"),
    "F706": Rule("critical"),
    "E902": Rule("medium", "File could not be read", "It was not reviewed."),
    SYNTAX_ERROR: Rule("critical", "", "The file does not compile; nothing else in it was reviewed."),
}

CORRECTNESS: Rules = {**_STATEMENTS, **_NAMES, **_CONDITIONS, **_ERRORS, **_FUNCTIONS, **_CALLS, **_ASYNC}
