# expect: refused
meta = {
    "name": "library-unbound-method",
    "description": "a method written in Python takes anything for itself, and asks it for its class",
}

from collections import Counter


async def main(args):
    kind = Counter.copy(str)
    made = kind("Made", (), {"__enter__": lambda me: me, "__exit__": lambda *found: found[3]})
    return [str(made), str(kind(kind))]
