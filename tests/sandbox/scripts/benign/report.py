# returns: ["Report                2 of 3\n----------------------------\nfirst       1.50 50%\nsecond      2.25 75%\n", "first and second", 1e+16, ["b", "a"], "echo:2"]
"""Text laid out by format, by f-strings and by percent, as reports are."""
import functools
import math
import textwrap

meta = {"name": "report", "description": "a table of text"}
COLUMNS = {"name": 10, "value": 6}


def row(name, value, share):
    return "{name:<{0}}".replace("{0}", str(COLUMNS["name"])).format(name=name) + f"{value:{COLUMNS['value']}.2f} {share:.0%}"


async def main(args):
    rows = [("first", 1.5, 0.5), ("second", 2.25, 0.75), None]
    good = [each for each in rows if each is not None]
    title = "%-20s %7s" % ("Report", "%d of %d" % (len(good), len(rows)))
    lines = [title, "-" * 28, *(row(*each) for each in good)]
    text = "\n".join(lines) + "\n"
    names = functools.reduce(lambda left, right: f"{left} and {right}", [name for name, *_ in good])
    order = sorted({"a": 2, "b": 1}.items(), key=lambda pair: pair[1])
    wrapped = textwrap.fill("a b c", width=3)
    assert wrapped == "a b\nc", wrapped
    answer = await agent(str(len(good)))
    return [text, names, math.pow(10, 16), [key for key, _ in order], answer]
