"""Compiled calls that do not ask for the types of their arguments again, which is half of a call."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np

_COMPILED: dict[Any, Any] = {}


def bound(function: Any, given: tuple[Any, ...], later: tuple[Any, ...]) -> Any:
    """`function` compiled for arguments like these, the first ones given now: a call takes the later ones alone.

    What is compiled is kept by what the types follow from, because asking takes some 100 µs, as long as twenty small
    steps. Named tuples are given as plain ones: Numba's cache on disk would name their classes, and could not be read
    once one of these has another name.
    """
    given = tuple(tuple(a) if isinstance(a, tuple) else a for a in given)
    arguments = (*given, *later)
    key = (function, *map(_kind, arguments))
    if key not in _COMPILED:
        _COMPILED[key] = function.compile(tuple(map(numba.typeof, arguments)))
    return partial(_COMPILED[key], *given)


def _kind(argument: Any) -> Any:
    """What the type of an argument follows from; of a tuple also the kinds of its elements."""
    if isinstance(argument, np.ndarray):
        return argument.dtype.char + str(argument.ndim) + str(argument.flags.num)
    return (type(argument), *map(_kind, argument)) if isinstance(argument, tuple) else type(argument)
