"""A problem whose X and y cannot be written to: the system ends a process that tries.

NumPy's own mark of a read-only array is lifted by whoever wants to, and C does not know of it. Unlike the sealed file
of a check, these pages are memory of the process's own, in huge pages where there are any: rows are timed on them.
"""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from stepkernels.problem import Array, Problem

PROT_READ = 1


def in_read_only_pages(problem: Problem) -> Problem:
    """A copy of the problem, X and y in pages of their own that are mapped read-only."""
    return Problem(_copied(problem.X), _copied(problem.y), problem.w0.copy(), problem.b0)


def _copied(values: Array) -> Array:
    """A copy, in its order of elements. The pages live as long as the array does; huge ones where there are any."""
    pages = mmap.mmap(-1, values.nbytes)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        pages.madvise(mmap.MADV_HUGEPAGE)
    copy: Array = np.frombuffer(pages, values.dtype).reshape(values.shape)
    copy[...] = values
    status = ctypes.CDLL(None, use_errno=True).mprotect(
        ctypes.c_void_p(copy.ctypes.data), ctypes.c_size_t(values.nbytes), PROT_READ
    )
    if status:
        raise OSError(ctypes.get_errno(), "the pages of the data could not be made read-only")
    return copy
