"""Where the command begins: Ctrl-C while the rest is still being imported ends it as quietly as at any other time."""

from __future__ import annotations

import gc
import os


def main() -> None:
    """Run the command line of this process, and exit with its code."""
    gc.set_threshold(100_000, 20, 20)  # what loads its modules makes much and leaves nothing to collect
    try:
        from workflows.cli.main import main as whole
    except KeyboardInterrupt:
        os._exit(130)
    whole()


if __name__ == "__main__":
    main()
