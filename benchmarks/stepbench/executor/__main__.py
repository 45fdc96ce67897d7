"""The process in which a row computes: `python -m stepbench.executor DESCRIPTOR`, a socket that its judge holds."""

from __future__ import annotations

import sys

from stepbench.executor.serving import serve

match sys.argv[1:]:
    case [descriptor] if descriptor.isdigit():
        serve(int(descriptor))
    case _:
        sys.exit("This is the process of a row that is checked; run `stepbench check`.")
