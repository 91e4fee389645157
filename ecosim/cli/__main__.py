"""`python -m ecosim.cli`."""

from ecosim.command import main

main()
