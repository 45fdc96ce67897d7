"""Can a library, or a GPU, be used here? A reason when it is not there; an exception when it is there and broken."""

from __future__ import annotations

import ctypes
import functools
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stepkernels.probe.compiled_code import switched_off, with_a_cache
from stepkernels.probe.forks import left_behind, note_use

__all__ = [
    "BrokenInstallationError",
    "compiler_of",
    "left_behind",
    "library_version",
    "missing_compiler",
    "missing_gpu",
    "missing_library",
    "note_use",
    "requirement_of",
    "switched_off",
    "with_a_cache",
]

GPU_TRIAL_TIMEOUT_SECONDS = 120.0  # a cold import of torch or JAX from a network disk takes tens of seconds


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a library is called: by import, on the package index, and in our extras."""

    import_name: str
    distribution: str
    install: str


REQUIREMENTS = {
    requirement.import_name: requirement
    for requirement in (
        Requirement("numpy", "numpy", "python -m pip install numpy"),
        Requirement("numba", "numba", "python -m pip install numba"),
        Requirement("sklearn", "scikit-learn", "python -m pip install scikit-learn"),
        Requirement("torch", "torch", "python -m pip install torch"),
        Requirement("jax", "jax", "python -m pip install 'stepbench[jax]'"),
        Requirement("triton", "triton", "python -m pip install 'stepbench[triton]'"),
        Requirement("cupy", "cupy", "python -m pip install 'stepbench[cuda13]' (or cuda12, as your driver supports)"),
        Requirement("numba_cuda", "numba-cuda", "python -m pip install 'stepbench[cuda13]' (or cuda12)"),
    )
}

# The environment variable that names a compiler, and the names tried without it: by torch's Inductor, and by Triton.
COMPILERS = {
    "c++": ("CXX", ("clang++",) if sys.platform == "darwin" else ("g++",)),
    "c": ("CC", ("gcc", "clang")),
}

DRIVER = "libcuda.so.1"
PYTHON = "python"  # the library of a row that needs none
CPP = "c++"  # that of a row whose code this system's compiler makes


class BrokenInstallationError(RuntimeError):
    """A library or driver that is installed and fails. Never reported as missing."""


def missing_library(library: str) -> str | None:
    """Why `library` (an import name, or "c++") cannot be used, with the install command; None when it can.

    Finding is not importing: what is found and then fails to import raises where it is imported. A folder that
    happens to be called like a library that we know, and has no code of its own, is not that library.
    """
    if library == CPP:
        return _no_compiler(CPP)
    found = None if library == PYTHON else importlib.util.find_spec(library)
    if library == PYTHON or (found is not None and (found.origin is not None or library not in REQUIREMENTS)):
        return None
    requirement = requirement_of(library)
    return f"{requirement.distribution} is not installed; {requirement.install}"


def requirement_of(library: str) -> Requirement:
    """The entry of `library`; one made up from its name when a stranger's kernel needs something else."""
    return REQUIREMENTS.get(library) or Requirement(library, library, f"python -m pip install {library}")


def library_version(library: str) -> str:
    """The installed version of `library`, of Python itself or the C++ compiler; "unknown" where it does not say."""
    if library == PYTHON:
        return ".".join(map(str, sys.version_info[:3]))
    if library == CPP:
        return _compiler_version()
    for name in _distributions_of(library):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def _distributions_of(library: str) -> Iterator[str]:
    """The usual one first: to find others, what is installed is searched whole, which takes half a second."""
    yield requirement_of(library).distribution
    yield from importlib.metadata.packages_distributions().get(library, [])


def missing_compiler(language: str) -> str | None:
    """Why code in `language` ("c" or "c++") that calls into Python cannot be compiled here, or None.

    Looks where the libraries look: the variable alone when it is set, else the platform's usual names.
    """
    if reason := _no_compiler(language):
        return reason
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "Python.h, which compiled code needs, was not found; install Python's headers (python3-dev)"
    return None


def compiler_of(language: str) -> str | None:
    """The compiler for code in `language`, as the variable names it or by the first usual name that is found."""
    return next(filter(shutil.which, _names_of_compilers(language)), None)


def _names_of_compilers(language: str) -> tuple[str, ...]:
    variable, names = COMPILERS[language]
    return (os.environ[variable],) if os.environ.get(variable) else names


def _no_compiler(language: str) -> str | None:
    if compiler_of(language):
        return None
    sought, (variable, _) = ", ".join(_names_of_compilers(language)), COMPILERS[language]
    return f"no {language.upper()} compiler was found (looked for {sought}); install one, or set {variable}"


def _compiler_version() -> str:
    """Its name and number: "g++ 12.2.0"."""
    if not (compiler := compiler_of(CPP)):
        return "unknown"
    for asked in ("-dumpfullversion", "-dumpversion"):  # Clang knows the second alone, of which GCC tells less
        told = subprocess.run([compiler, asked], capture_output=True, text=True, check=False)
        if told.returncode == 0 and told.stdout.strip():
            return f"{Path(compiler).name} {told.stdout.strip()}"
    return "unknown"


@functools.cache
def missing_gpu(library: str) -> str | None:
    """Why `library` cannot compute on an NVIDIA GPU here, or None. Tried once a process, in a child.

    Raises `BrokenInstallationError` when the library is built for CUDA, a GPU answers, and computing on it fails.
    """
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return f"no NVIDIA driver ({DRIVER}) was found"
    try:
        child = subprocess.run(
            [sys.executable, "-m", "stepkernels.probe.gpu_trial", library, str(os.getpid())],
            capture_output=True,
            text=True,
            timeout=GPU_TRIAL_TIMEOUT_SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONSAFEPATH": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the GPU did not answer within {GPU_TRIAL_TIMEOUT_SECONDS:.0f} seconds"
    if child.returncode != 0:
        last_lines = "\n".join(child.stderr.strip().splitlines()[-4:])
        raise BrokenInstallationError(
            f"A GPU is present but {library} could not compute on it (exit status {child.returncode}):\n{last_lines}"
        )
    reason: str | None = json.loads(child.stdout.strip().splitlines()[-1])["reason"]
    return reason
