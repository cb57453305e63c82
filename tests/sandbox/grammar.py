"""Random workflow scripts out of dangerous pieces: the same random numbers make the same script."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from random import Random
from typing import Any

from tests.sandbox.pieces import (
    ATOMS,
    CALLED,
    COMPARISONS,
    DUNDERS,
    INSIDES,
    MEMBERS,
    MODULES,
    NAMES,
    OPERATORS,
    PLAIN,
    POISON,
)


class Grammar:
    """Writes one script. `poisoned`: how often, of a hundred names that are bound, one belongs to the sandbox."""

    def __init__(self, random: Random, poisoned: int) -> None:
        self._random = random
        self._poisoned = poisoned
        self._depth = 0
        self._awaits = True
        """Whether `await` may stand here; otherwise, in a function, `yield` may."""
        self._free = True
        """Outside lambdas and comprehensions, which take neither `yield` nor every `:=`."""

    def script(self) -> str:
        """A whole script; mostly one that wall 1 accepts."""
        imports = "import " + ", ".join(MODULES)
        above = [self._function() for _ in range(self._random.randint(0, 1))]
        body = self._block(3, 7)
        ending = f"return repr({self._name()})"
        main = "async def main(args):\n    a = b = c = f = g = x = None\n" + textwrap.indent(
            f"{body}\n{ending}", "    "
        )
        meta = 'meta = {"name": "fuzz", "description": "random"}'
        start = "a = b = c = f = g = x = None"
        return "\n".join([meta, imports, start, *above, main, ""])

    # Names

    def _pick(self, options: tuple[str, ...]) -> str:
        return self._random.choice(options)

    def _name(self) -> str:
        return self._poison(self._pick(NAMES))

    def _poison(self, name: str) -> str:
        return self._pick(POISON) if self._random.randint(1, 100) <= self._poisoned else name

    def _attribute(self) -> str:
        if self._random.randint(1, 100) <= self._poisoned:
            return self._pick(DUNDERS)
        return self._pick(INSIDES if self._random.randint(0, 2) == 0 else PLAIN)

    # Expressions

    def _expression(self) -> str:
        if self._depth > 4:
            return self._pick(ATOMS) if self._random.randint(0, 1) else self._name()
        self._depth += 1
        try:
            return self._random.choice(self._EXPRESSIONS)(self)
        finally:
            self._depth -= 1

    def _atom(self) -> str:
        return self._pick((*ATOMS, *MEMBERS, *CALLED, *MODULES))

    def _reading(self) -> str:
        return f"({self._expression()}).{self._attribute()}"

    def _reading_at_run_time(self) -> str:
        what = self._pick((*DUNDERS, *INSIDES, *PLAIN))
        default = self._pick(("", ", None", ", getattr"))
        whose = self._expression() if self._random.randint(0, 2) else self._pick(MODULES)
        return f"getattr({whose}, {what!r}{default})"

    def _item(self) -> str:
        key = self._pick((self._expression(), "'open'", "0", ":", "1:2", "::-1", "*a,"))
        return f"({self._expression()})[{key}]"

    def _call(self) -> str:
        function = self._pick((*CALLED, *MEMBERS, f"({self._expression()})"))
        return f"{function}({', '.join(self._arguments())})"

    def _arguments(self) -> list[str]:
        given = [self._expression() for _ in range(self._random.randint(0, 3))]
        match self._random.randint(0, 8):
            case 0:
                given.append(f"*[{self._expression()}]")
            case 1:
                given.append(f"**{{{self._pick((*DUNDERS, 'a', 'key'))!r}: {self._expression()}}}")
            case 2:
                given.append(f"{self._pick(('key', 'default', 'a', 'sep'))}={self._expression()}")
            case _:
                pass
        return given

    def _lambda(self) -> str:
        parameters = self._parameters()
        return f"(lambda {parameters}: {self._closed(awaits=False)})"

    def _closed(self, *, awaits: bool) -> str:
        """An expression inside a lambda or a comprehension."""
        before = self._awaits, self._free
        self._awaits, self._free = awaits and self._awaits, False
        inside = self._expression()
        self._awaits, self._free = before
        return inside

    def _parameters(self) -> str:
        first = f"p={self._expression()}"
        return self._pick(
            (
                "*p",
                "p=1",
                first,
                f"p=None, /, {self._name()}=1",
                f"*, {self._name()}=0",
                f"*p, **{self._name()}",
            )
        )

    def _comprehension(self) -> str:
        target = self._pick(("i", "i, j", "(i, [*j])", self._poison("i")))
        loop = f"for {target} in {self._pick((self._closed(awaits=True), '[1, 2]', '[(1, [2])]'))}"
        if self._awaits and self._random.randint(0, 4) == 0:
            return f"[{self._closed(awaits=True)} async {loop}]"
        left, right = self._pick(("[]", "{}", "()"))
        only = f" if {self._closed(awaits=True)}" if self._random.randint(0, 2) == 0 else ""
        return f"{left}{self._closed(awaits=left != '(')} {loop}{only}{right}"

    def _walrus(self) -> str:
        return f"({self._name()} := {self._expression()})" if self._free else self._name()

    def _text(self) -> str:
        inner = self._expression()
        if any(sign in inner for sign in "'\"\\{}:!"):
            inner = self._name()
        spec = self._pick(("", "!r", "=", ":>5", ":{x}", "!s:{(x)!r}", ":{a!r}>{b}"))
        return f'f"{{{inner}{spec}}}"'

    def _template(self) -> str:
        field = self._pick(("", "0", "a", "0.__class__", "0[0]", "0!r:>5", "a.b", "0:{1}"))
        return f"'{{{field}}}'.format({', '.join(self._arguments())})"

    def _operation(self) -> str:
        if self._random.randint(0, 2) == 0:
            return f"({self._expression()} {self._pick(COMPARISONS)} {self._expression()})"
        return f"({self._expression()} {self._pick(OPERATORS)} {self._expression()})"

    def _choice(self) -> str:
        return f"({self._expression()} if {self._expression()} else {self._expression()})"

    def _collection(self) -> str:
        one, two = self._expression(), self._expression()
        return self._pick(
            (f"[{one}, {two}]", f"({one}, *[{two}])", f"{{'a': {one}, **{{'b': {two}}}}}", f"{{{one}}}")
        )

    def _waiting(self) -> str:
        if self._awaits:
            return f"(await {self._expression()})"
        return f"(yield {self._expression()})" if self._free else self._name()

    _EXPRESSIONS: tuple[Callable[[Any], str], ...] = (
        *(2 * (_atom, _reading, _reading_at_run_time, _call)),
        *(
            _item,
            _lambda,
            _comprehension,
            _walrus,
            _text,
            _template,
            _operation,
            _choice,
            _collection,
            _waiting,
        ),
    )

    # Statements

    def _block(self, least: int, most: int) -> str:
        self._depth += 1
        statements = [self._statement() for _ in range(self._random.randint(least, most))]
        self._depth -= 1
        return "\n".join(statements)

    def _statement(self) -> str:
        made = self._random.choice(self._STATEMENTS if self._depth < 3 else self._SIMPLE)(self)
        if self._random.randint(0, 15) == 0:
            return made
        error = self._poison("e")  # the handler deletes the name when it ends
        caught = f"except Exception as {error}:\n    log(repr({error}))\n    {self._name()} = e.args"
        return f"try:\n{textwrap.indent(made, '    ')}\n{caught}"

    def _target(self) -> str:
        return self._pick(
            (self._name(), f"{self._name()}, {self._name()}", f"(a, [*{self._name()}])", self._name())
        )

    def _assignment(self) -> str:
        kind = self._pick((" = ", " = ", " = b = ", ": ", " += ", " %= ", " *= ", " |= "))
        if kind.startswith(":"):
            return f"{self._name()}: {self._expression()} = {self._expression()}"
        target = self._name() if kind.strip() != "=" else self._target()
        return f"{target}{kind}{self._expression()}"

    def _item_assignment(self) -> str:
        place = f"({self._expression()})[{self._expression()}]"
        return self._pick(
            (f"{place} = {self._expression()}", f"{place} += {self._expression()}", f"del {place}")
        )

    def _saying(self) -> str:
        return f"log({self._expression()})"

    def _alone(self) -> str:
        return self._expression()

    def _loop(self) -> str:
        word = "async for" if self._awaits and self._random.randint(0, 3) == 0 else "for"
        over = self._pick((self._expression(), "[1, (2, 3)]", "{'a': 1}.items()"))
        return f"{word} {self._target()} in {over}:\n{self._inside(1, 3)}"

    def _condition(self) -> str:
        inside = self._inside(1, 2)
        return f"if {self._expression()}:\n{inside}\nelif {self._expression()}:\n{inside}\nelse:\n    pass"

    def _attempt(self) -> str:
        kind = self._pick(("Exception", "(TypeError, AttributeError)", self._expression()))
        handler = f"except {kind} as {self._poison('e')}:\n{self._inside(1, 2)}"
        ending = self._pick(("", f"\nfinally:\n{self._inside(1, 1)}"))
        return f"try:\n{self._inside(1, 2)}\n{handler}{ending}"

    def _with(self) -> str:
        return (
            f"with {self._pick(('budget(5)', self._expression()))} as {self._name()}:\n{self._inside(1, 2)}"
        )

    def _match(self) -> str:
        cases = [f"case {self._pattern()}:\n{self._inside(1, 2)}" for _ in range(2)]
        return f"match {self._expression()}:\n" + textwrap.indent("\n".join(cases), "    ")

    def _pattern(self) -> str:
        name = self._poison("x")
        return self._pick(
            (
                f"[1, *{name}]",
                f"{{'a': 1, **{name}}}",
                f"str({name})",
                f"(str() | int()) as {name}",
                f"[{name}, (1 | 2)]",
                "{'a': list(), 'b': [_, _]}",
                "None | True | -1 | 'a'",
                self._poison("dict()"),
            )
        )

    def _function(self) -> str:
        before, self._awaits = (self._awaits, self._free), self._random.randint(0, 1) == 0
        self._free = True
        word = "async def" if self._awaits else "def"
        decorator = f"@{self._lambda()}\n" if self._random.randint(0, 4) == 0 else ""
        declared = self._pick(("pass", "pass", f"global {self._poison('h')}"))
        parameters, name, annotation = self._parameters(), self._pick(("f", "g")), self._pick(("", " -> str"))
        body = f"{declared}\n{self._block(1, 3)}"
        if self._random.randint(0, 1):
            body += f"\nyield {self._expression()}"
        else:
            body += f"\nreturn {self._expression()}"
        self._awaits, self._free = before
        return f"{decorator}{word} {name}({parameters}){annotation}:\n" + textwrap.indent(body, "    ")

    def _inside(self, least: int, most: int) -> str:
        return textwrap.indent(self._block(least, most), "    ")

    _SIMPLE: tuple[Callable[[Any], str], ...] = (*(2 * (_assignment,)), _saying, _alone, _item_assignment)
    _STATEMENTS: tuple[Callable[[Any], str], ...] = (
        *(*_SIMPLE, _loop, _condition, _attempt, _with, _match, _function),
    )
