"""Is what a library compiles compiled here, and is there somewhere to keep it?"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import TypeVar

Loaded = TypeVar("Loaded")

VARIABLE = "NUMBA_DISABLE_JIT"


def switched_off(library: str) -> str | None:
    """Why Numba, whose rows are nothing without its compiler, compiles nothing here; None for any other library."""
    if library != "numba":
        return None
    if _is_set(os.environ.get(VARIABLE, "")):
        return f"{VARIABLE} is set, so that Numba compiles nothing; unset it"
    if getattr(sys.modules.get("numba.core.config"), "DISABLE_JIT", 0):  # by a file of settings, or by code
        return "Numba's setting DISABLE_JIT is on, so that it compiles nothing; set it to 0"
    return None


def _is_set(value: str) -> bool:
    """As Numba reads it: a number that is not 0."""
    try:
        return int(value) != 0
    except ValueError:
        return False


def with_a_cache(load: Callable[[], Loaded]) -> Loaded:
    """What `load` imports.

    Where Numba finds nowhere to keep its code, neither beside it nor in the home, it is given a temporary folder. That
    lasts as long as this process, and those that it starts find it by the same variable.
    """
    try:
        return load()
    except RuntimeError as error:
        if "cannot cache function" not in str(error):  # Numba has no type of error for it
            raise
    _make_temporary_cache()
    return load()


def _make_temporary_cache() -> None:
    try:
        folder = tempfile.mkdtemp(prefix="stepkernels-")
    except OSError as error:
        raise OSError(
            "Numba finds nowhere to keep what it compiles, neither beside the code, nor in the home, nor in a "
            "temporary folder. Set NUMBA_CACHE_DIR to a folder that can be written."
        ) from error
    os.environ["NUMBA_CACHE_DIR"] = folder
    if config := sys.modules.get("numba.core.config"):
        config.CACHE_DIR = folder  # type: ignore[attr-defined]
    atexit.register(_remove, folder, os.getpid())


def _remove(folder: str, maker: int) -> None:
    """By its maker alone: a child that was forked ends sooner."""
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)
