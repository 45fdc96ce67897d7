"""`python -m stepbench`: the command line, for places where the console script is not installed."""

from stepbench.cli import main

main()
