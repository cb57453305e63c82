"""Where the command begins: Ctrl-C while the rest is still being imported ends it as quietly as at any other time."""

from __future__ import annotations

import os


def main() -> None:
    """Run the command line of this process, and exit with its code."""
    try:
        from workflows.cli.main import main as whole
    except KeyboardInterrupt:
        os._exit(130)
    whole()


if __name__ == "__main__":
    main()
