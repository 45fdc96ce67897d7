"""The child processes of a check.

`judge` judges a row, `kernel` says what a kernel file declares, and `sanitized` runs a row for compute-sanitizer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stepbench.checking import judge, kernel_child
from stepbench.checking.cuda import sanitizer

match sys.argv[1:]:
    case ["judge", descriptor]:
        judge.main(int(descriptor))
    case ["kernel", descriptor, path]:
        kernel_child.main(int(descriptor), Path(path))
    case ["kernel", descriptor, path, foreign]:
        kernel_child.main(int(descriptor), Path(path), Path(foreign))
    case ["sanitized", row]:
        sanitizer.main(row)
    case _:
        sys.exit("These are the child processes of `stepbench check`; run that.")
