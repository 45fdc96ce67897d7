"""Compiled calls that do not ask for the types of their arguments again, which is half of a call.

And where compiled code lies, for other code to call it there.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np

_COMPILED: dict[Any, Any] = {}


def bound(function: Any, given: tuple[Any, ...], later: tuple[Any, ...]) -> Any:
    """`function` compiled for arguments like these, the first ones given now: a call takes the later ones alone."""
    given = _plain(given)
    return partial(_compiled(function, (*given, *later)).entry_point, *given)


def address_of(function: Any, arguments: tuple[Any, ...]) -> int:
    """Where `function` lies, compiled for arguments like these: for `addresses.call_at`, while this process lives."""
    result = _compiled(function, _plain(arguments))
    address: int = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
    return address


def _compiled(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Numba's result, kept by what the types follow from: asking takes some 100 µs, as long as twenty small steps."""
    key = (function, *map(_kind, arguments))
    if key not in _COMPILED:
        kinds = tuple(map(numba.typeof, arguments))
        function.compile(kinds)
        _COMPILED[key] = function.overloads[kinds]
    return _COMPILED[key]


def _plain(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Named tuples as plain ones: Numba's cache on disk would name their classes, and not know them by a new name."""
    return tuple(tuple(a) if isinstance(a, tuple) else a for a in arguments)


def _kind(argument: Any) -> Any:
    """What the type of an argument follows from; of a tuple also the kinds of its elements."""
    if isinstance(argument, np.ndarray):
        return argument.dtype.char + str(argument.ndim) + str(argument.flags.num)
    return (type(argument), *map(_kind, argument)) if isinstance(argument, tuple) else type(argument)
