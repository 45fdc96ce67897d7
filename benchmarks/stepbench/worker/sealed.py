"""A problem whose X and y cannot be written to: the system ends a process that tries.

NumPy's own mark of a read-only array is lifted by whoever wants to, and C does not know of it.
"""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from stepkernels.problem import Array, Problem

PROT_READ = 1


def sealed(problem: Problem) -> Problem:
    """A copy of the problem, X and y in pages of their own that are mapped read-only."""
    return Problem(_sealed(problem.X), _sealed(problem.y), problem.w0.copy(), problem.b0)


def _sealed(values: Array) -> Array:
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
