"""`python -m ecosim.cli`."""

from ecosim.cli import main

main()
