# expect: contained
meta = {"name": "facade-iterated", "description": "every member of every module, and the globals behind it"}

import collections
import functools
import itertools
import json
import math
import re
import statistics
import textwrap

async def main(args):
    found = []
    for module in (json, math, re, itertools, functools, collections, statistics, textwrap):
        for name in (name for name in getattr(module, "__all__", module)):
            member = getattr(module, name)
            builtins = getattr(member, "__builtins__", None) or getattr(member, "__globals__", {}).get("__builtins__")
            if builtins:
                found.append(builtins["open"](args["secret_path"]).read())
    return found
