"""What a child process finds in its environment: our import path, compile caches of its own, the device it may use."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import stepkernels
from stepbench.machine.environment import inherited

CACHES = (
    "NUMBA_CACHE_DIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
    "CUPY_CACHE_DIR",
    "JAX_COMPILATION_CACHE_DIR",
    "STEPBENCH_BUILD_DIR",
)
OURS = {"PYTHONSAFEPATH": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_benchmark.plugin"}


def environment_of_child(*variables: Mapping[str, str]) -> dict[str, str]:
    """What is kept of this process's environment, its import path, and these variables; the last of a name wins.

    `environment.RULES` is the table of what is kept.
    """
    found = {**inherited(os.environ), **OURS, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for more in variables:
        found |= more
    return found


@dataclass(frozen=True, slots=True)
class Home:
    """Where the processes of a version find its code.

    kernels  the folder that they import from before anything of ours
    python   the Python of an environment of its own; None for the one that this process runs in
    harness  a folder with our packages and nothing beside them, for such an environment
    """

    kernels: Path
    python: Path | None = None
    harness: Path | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What leads them there."""
        ours = [str(self.harness)] if self.harness else [*filter(None, sys.path)]
        return {"PYTHONPATH": os.pathsep.join([str(self.kernels), *ours])}


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


@contextlib.contextmanager
def somewhere_to_cache(*kernels: Path) -> Iterator[dict[str, str]]:
    """Variables for a child whose caches need not be new: none where it can write beside the code and at home.

    Otherwise they lead into a temporary folder, which is removed at the end. `kernels` are files of other rows.
    """
    if all(map(_can_be_written, _usual_places(kernels))):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="stepbench-caches-", ignore_cleanup_errors=True) as folder:
        yield compile_caches(Path(folder))


def _usual_places(kernels: Iterable[Path]) -> Iterator[Path]:
    """Where Numba keeps what it compiled, and where the others do."""
    yield Path(stepkernels.__file__).parent / "rows"
    yield Path(__file__).parent
    yield from (path.resolve().parent for path in kernels)
    yield Path.home()


def _can_be_written(folder: Path) -> bool:
    """Tried, and not asked: a file system may be read-only to those who may write."""
    cache = folder / "__pycache__"
    try:
        with tempfile.TemporaryFile(dir=cache if cache.is_dir() else folder):
            return True
    except OSError:
        return False
