"""What a child process finds in its environment: our import path, compile caches of its own, the device it may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

CACHES = (
    "NUMBA_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
    "CUPY_CACHE_DIR",
    "JAX_COMPILATION_CACHE_DIR",
)


def environment_of_child(*variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process, its own import path, and these variables; the last of a name wins."""
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for more in variables:
        found |= more
    return found


def compile_caches(folder: Path) -> dict[str, str]:
    """Variables that put every compile cache into `folder`, which no other process uses at the same time.

    Numba numbers its data files by their place in an index that it reads, changes and replaces without a lock: of two
    processes that compile a function for different types at once, one can be left with the other's code.
    """
    return {name: str(folder / name.lower()) for name in CACHES}


def device_variables(device: str) -> dict[str, str]:
    """Variables for a row on "cpu" or "cuda" that shares the machine with others.

    JAX opens every device it finds, and takes three quarters of a GPU's memory as it does.
    """
    return {"JAX_PLATFORMS": device, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
