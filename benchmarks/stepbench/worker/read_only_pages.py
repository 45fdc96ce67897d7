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


def in_read_only_pages(problem: Problem, x_offset_bytes: int = 0) -> Problem:
    """A copy of the problem, X and y in pages of their own that are mapped read-only; X begins so far in its first."""
    return Problem(_copied(problem.X, x_offset_bytes), _copied(problem.y), problem.w0.copy(), problem.b0)


def _copied(values: Array, offset_bytes: int = 0) -> Array:
    """A copy, in its order of elements. The pages live as long as the array does; huge ones where there are any."""
    pages = mmap.mmap(-1, offset_bytes + values.nbytes)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        pages.madvise(mmap.MADV_HUGEPAGE)
    copy: Array = np.frombuffer(pages, values.dtype, values.size, offset_bytes).reshape(values.shape)
    copy[...] = values
    status = ctypes.CDLL(None, use_errno=True).mprotect(
        ctypes.c_void_p(copy.ctypes.data - offset_bytes), ctypes.c_size_t(len(pages)), PROT_READ
    )
    if status:
        raise OSError(ctypes.get_errno(), "the pages of the data could not be made read-only")
    return copy
