"""Modules of kernel files, which lie outside the package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_file(path: Path) -> ModuleType:
    """Import a kernel file from outside the package, once a process, with what lies beside it. Raises as that does."""
    name = f"stepkernels_file_{path.stem}_{abs(hash(str(path.resolve())))}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(path.resolve().parent))  # the last place: a name that is installed wins
    sys.modules[name] = module  # before it runs, as an import would: dataclasses and numba look themselves up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
