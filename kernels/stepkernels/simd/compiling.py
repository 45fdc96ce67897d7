"""How code on vectors is compiled: without the interpreter and its lock, kept on disk, no check of a divisor.

A quotient by zero is infinite or NaN, as NumPy has it, so that no loop needs a way out for an exception.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from numba import jit
from numba.extending import overload

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}  # nothing is called back from C

compiled: Any = jit(nopython=True, cache=True, **_OPTIONS)
compiled_parallel: Any = jit(nopython=True, cache=True, parallel=True, **_OPTIONS)


def compiled_within(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Compiled as a part of what calls it: what makes it callable from Python would take a fifth of the time of all."""

    @wraps(function)
    def only_within(*_: Given.args, **__: Given.kwargs) -> Returned:
        raise NotImplementedError(f"{function.__name__} is a function for compiled code.")

    @overload(only_within, jit_options=_OPTIONS, strict=False)
    def _compiled(*_: Any) -> Any:
        return function

    return only_within
