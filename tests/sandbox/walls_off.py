"""Workers that lack a wall, for tests alone: what they run first is replaced, in the process of the test.

Nothing in mco reads any of this; no command line, setting or environment variable leads here.
"""

from __future__ import annotations

_BEGIN = """\
import sys
sys.path[:0] = [sys.argv.pop(1), sys.argv.pop(1)]
from engine.sandbox import worker
worker._forget_the_way_in = lambda: None
"""
_NO_SYSTEM_WALL = """
import resource
def only_limits(memory_bytes, cpu_seconds, *_):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    return []
worker.raise_walls = only_limits
"""
_NO_POLICY = """
import builtins
from engine.sandbox.script import FILE, Script
def plain(text, *_, **__):
    return Script({"name": "plain", "description": "as it is"}, compile(text, FILE, "exec", dont_inherit=True))
worker.compile_script = plain
worker.script_builtins = lambda: vars(builtins)
worker.GUARDS = {}
"""
_END = "worker.main(sys.argv[1:])\n"

POLICY_ALONE = _BEGIN + _NO_SYSTEM_WALL + _END
"""Wall 1 without wall 2: of the operating system's part only the limits of time and memory are left."""
SYSTEM_ALONE = _BEGIN + _NO_POLICY + _END
"""Wall 2 without wall 1: plain Python with all its builtins, which may import what it finds."""
NEITHER = _BEGIN + _NO_SYSTEM_WALL + _NO_POLICY + _END
"""Plain Python in a process of bounded time and memory: only for scripts that we wrote ourselves."""
