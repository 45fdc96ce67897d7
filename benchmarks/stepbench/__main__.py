"""The command line as a module: `python -m stepbench`, for places where the console script is not installed."""

import sys
from pathlib import Path

# Python puts the working folder first, where a `random.py` or `numba.py` would be imported for the library. The console
# script has no such folder in its path; nor have we, unless it is where stepbench itself was found. Of a `stepbench.py`
# in the working folder we never hear: Python runs that one, unless it is called with -P.
if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
    sys.path.pop(0)

from stepbench.cli import main

main()
