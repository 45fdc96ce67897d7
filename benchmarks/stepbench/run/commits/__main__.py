"""`python -m stepbench.run.commits`: tell the catalogue that this process imports, as JSON, or fail to import it.

It imports what a worker does, so that a version too old for this harness is found out before anything is timed.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

WHAT_A_WORKER_IMPORTS = ("stepbench.worker.__main__", "stepbench.worker.suite.plugin", "stepbench.worker.suite.alone")


def main() -> int:
    for name in WHAT_A_WORKER_IMPORTS:
        import_module(name)
    import stepkernels
    from stepkernels.catalog import CATALOG

    told = {"file": stepkernels.__file__, "rows": [row.to_json() for row in CATALOG.values()]}
    sys.stdout.write(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
