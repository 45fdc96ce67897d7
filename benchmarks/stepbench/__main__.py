"""`python -m stepbench`: the command line, for places where the console script is not installed.

Python puts the working folder before everything else then, so that a `random.py` or `numba.py` in it would be imported
in the place of the real one. Ours are found without it, unless the working folder is where they are. Of a
`stepbench.py` in the working folder we never hear: Python runs that one. `python -P -m stepbench` and the console
script `stepbench` do not look there at all.
"""

import os
import sys

if not sys.flags.safe_path and not __file__.startswith(os.path.join(sys.path[0], "stepbench")):  # noqa: PTH118
    del sys.path[0]

import sys
from pathlib import Path

# Python puts the working folder first, where a `random.py` or `numba.py` would be imported for the library. The console
# script has no such folder in its path; nor have we, unless it is where stepbench itself was found.
if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
    sys.path.pop(0)

from stepbench.cli import main

main()
