"""How code on vectors is compiled: without the interpreter and its lock, kept on disk, no check of a divisor.

A quotient by zero is infinite or NaN, as NumPy has it, so that no loop needs a way out for an exception.
"""

from __future__ import annotations

from typing import Any

from numba import jit

compiled: Any = jit(nopython=True, nogil=True, cache=True, error_model="numpy")
compiled_parallel: Any = jit(nopython=True, nogil=True, cache=True, error_model="numpy", parallel=True)
