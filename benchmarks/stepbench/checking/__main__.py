"""The child processes of a check: `child` examines a row, `kernel` says what a kernel file declares."""

from __future__ import annotations

import sys
from pathlib import Path

from stepbench.checking import child, kernel_file

match sys.argv[1:]:
    case ["child", descriptor]:
        child.main(int(descriptor))
    case ["kernel", descriptor, path]:
        kernel_file.main(int(descriptor), Path(path))
    case _:
        sys.exit("These are the child processes of `stepbench check`; run that.")
