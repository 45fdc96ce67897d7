"""What a fork leaves behind: a child has its parent's memory, but of its threads none, and no device.

A library that had a pool of threads waits in the child for threads that are not there, for ever, or ends the process.
The child can be told from its parent, so it need not come to that. A lock that another thread holds would be held in
the child for ever: so nobody compiles while a process forks.
"""

from __future__ import annotations

import os
import sys
from typing import Any

# They share OpenMP, one of them through another's copy of it: what one of them leaves behind, all of them wait for.
OPENMP = frozenset({"c++", "numba", "sklearn", "torch"})

_in_use: set[str] = set()
_left_behind: set[str] = set()
_held: list[Any] = []  # locks, while the process forks


def note_use(library: str) -> None:
    """`library` has threads, or a device, in this process from now on."""
    _in_use.add(library)


def left_behind(library: str) -> str | None:
    """Why the threads of `library`, or its device, are not there in this process, which was forked; or None."""
    waits_for = OPENMP if library in OPENMP else {library}
    if not (missed := sorted(waits_for & _left_behind)):
        return None
    return (
        f"this process was forked from one in which {missed[0]} had threads or a device, which do not come along; "
        "start processes by 'spawn' or 'forkserver' (multiprocessing.get_context), or take a row that computes on one "
        "thread, such as numba-fused"
    )


def _numba_has_a_pool() -> bool:
    """Whether anybody's parallel code has started Numba's pool: it may have been the caller's own."""
    return bool(getattr(sys.modules.get("numba.np.ufunc.parallel"), "_is_initialized", False))


def _forked() -> None:
    _left_behind.update(_in_use)
    if _numba_has_a_pool():
        _left_behind.add("numba")


def _hold_compiler() -> None:
    """Wait for whichever thread is compiling, and let no other begin."""
    lock = getattr(sys.modules.get("numba.core.compiler_lock"), "global_compiler_lock", None)
    if lock is not None:
        lock.acquire()
        _held.append(lock)


def _release_compiler() -> None:
    while _held:
        _held.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_compiler, after_in_parent=_release_compiler, after_in_child=_release_compiler)
    os.register_at_fork(after_in_child=_forked)
