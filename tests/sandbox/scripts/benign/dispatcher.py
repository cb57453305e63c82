# returns: [["none", "one", "many", "text", "nothing", "other"], 6, "C: 2, D: 1"]
"""A long chain of elif, a match, and counting: what a dispatcher does."""
from collections import Counter, defaultdict

meta = {"name": "dispatcher", "description": "many branches"}


def kind_of(value):
    if value is None:
        return "nothing"
    elif isinstance(value, str):
        return "text"
    elif value == []:
        return "none"
    elif isinstance(value, list) and len(value) == 1:
        return "one"
    elif isinstance(value, list):
        return "many"
    else:
        return "other"


def grade(points):
    match points:
        case int() | float() if points > 10:
            return "A"
        case int(n) if n > 5:
            return f"{'B':s}"
        case [first, *_]:
            return grade(first)
        case {"points": found, **rest} if not rest:
            return grade(found)
        case int():
            return "C"
        case _:
            return "D"


async def main(args):
    kinds = [kind_of(value) for value in ([], [1], [1, 2], "x", None, 3)]
    by_length = defaultdict(list)
    for kind in kinds:
        by_length[len(kind)].append(kind)
    grades = Counter(grade(points) for points in ([2], {"points": 1}, "x"))
    shown = ", ".join("%s: %d" % pair for pair in sorted(grades.items()))
    return [kinds, sum(len(each) for each in by_length.values()), shown]
