"""The first thing that a child process of ours runs: `python -m stepbench.machine.dies_with_parent PARENT KIND WHAT …`.

KIND is "module", whose WHAT is run as `python -m` would, or "program", which takes this process over. Before anything
else is imported, the process asks to be killed when its parent dies: whatever hangs later, even in the import of a
library, is over with the run. It also offers itself first where memory runs out, so that the runner lives to tell.

On Linux the parent is the *thread* that started the process, which therefore has to last as long as the process.
Elsewhere it is the guardian alone that ends what is left (see `guardian`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import runpy
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
OOM_SCORE = Path("/proc/self/oom_score_adj")
FIRST_TO_DIE = "1000"  # the most there is: a worker is started again, what the runner knows is not


def die_with(parent: int) -> None:
    """On Linux, be killed when the parent dies; end at once when it has died already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def die_before_others() -> None:
    """Be the first that the system ends when memory runs out. Everybody may ask for that; not every system knows it."""
    with contextlib.suppress(OSError):
        OOM_SCORE.write_text(FIRST_TO_DIE)


def main(parent: int, kind: str, what: str, *arguments: str) -> None:
    """Become the process that was asked for."""
    die_with(parent)
    die_before_others()
    if kind == "program":
        os.execvp(what, [what, *arguments])  # noqa: S606 - no shell is wanted; the request outlives it
    sys.argv = [what, *arguments]
    runpy.run_module(what, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
