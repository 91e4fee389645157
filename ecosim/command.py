"""The `ecosim` command's first lines: Ctrl-C is answered in a line from the very start, while the rest is imported."""

import sys


def main() -> None:
    """Entry point of the installed command."""
    try:
        from ecosim.cli import main as command

        command()
    except KeyboardInterrupt:
        print("ecosim: interrupted before it began; nothing was written", file=sys.stderr)
        sys.exit(130)
