"""The environment of git in a repository that nobody vouches for: nothing that its own settings name is started.

Settings go by variables, where they stand before those of every file and a name may hold a `=`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

DISTRUST: Mapping[str, str] = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    # A repository that came as a whole, index included, may claim that its files hold what they do not. Inode and
    # change time are what it cannot bring along, so its settings must not take them out of the comparison.
    "core.checkStat": "default",
    "core.trustctime": "true",
}
"""Settings for whatever git is asked to do."""
_FIXED: Mapping[str, str] = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # what a partial clone lacks would be fetched by a program that it names
}


def git_environment(settings: Collection[tuple[str, str]], kept: Collection[str] = ()) -> dict[str, str]:
    """Ours with these settings, and without git's variables, which would point it elsewhere, save those in `kept`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in kept}
    numbered = {
        f"GIT_CONFIG_{part}_{number}": word
        for number, pair in enumerate(settings)
        for part, word in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return {**ours, **numbered, **_FIXED, "GIT_CONFIG_COUNT": str(len(settings))}
