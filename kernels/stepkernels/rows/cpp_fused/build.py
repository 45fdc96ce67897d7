"""Compile the C++ beside a row when it is first bound, and keep what comes of it for the next process.

What is kept is named by what made it: the source, the options, and the compiler's predefined macros, in which its
version and each instruction that it will use on this processor are told. So a file that is there is the right one, and
nothing that has changed is ever loaded. It is written under a name of its own and then renamed, so that processes that
compile at once do so twice, and none of them loads half a file.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from stepkernels.probe import compiler_of
from stepkernels.problem import ProblemError

VARIABLE = "STEPBENCH_BUILD_DIR"
# Nothing that changes what a number is: sums are in the order in which they are written, NaN and infinity stay.
OPTIONS = (
    "-std=c++17",
    "-O3",
    "-march=native",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fopenmp",
    "-shared",
    "-fPIC",
)
FIRST_LINES = 12  # of what a compiler complains of


@functools.cache
def built(source: Path) -> ctypes.CDLL:
    """The library that `source` compiles to, loaded once a process. Raises `ProblemError` where the compiler fails."""
    compiler = compiler_of("c++")
    if compiler is None:
        raise ProblemError("There is no C++ compiler here; install one, or set CXX.")
    macros = output_of([compiler, *OPTIONS, "-dM", "-E", "-x", "c++", os.devnull])
    made_of = "\0".join((source.read_text(encoding="utf-8"), *OPTIONS, compiler, macros))
    name = f"{source.stem}-{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.so"
    library = folder() / name
    if not library.is_file():
        compile_to(library, [compiler, *OPTIONS, str(source)])
    return ctypes.CDLL(str(library))


def compile_to(library: Path, command: list[str]) -> None:
    """Run the compiler, and put what it writes in place in one move."""
    handle, unfinished = tempfile.mkstemp(prefix=f"{library.stem}-", suffix=".tmp", dir=library.parent)
    os.close(handle)
    try:
        output_of([*command, "-o", unfinished])
        Path(unfinished).replace(library)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def output_of(command: list[str]) -> str:
    """What a compiler prints. Raises `ProblemError` with its first lines where it fails."""
    try:
        finished = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise ProblemError(f"The C++ compiler {command[0]} could not be started: {error.strerror}.") from error
    if finished.returncode != 0:
        complaint = "\n".join(finished.stderr.strip().splitlines()[:FIRST_LINES])
        raise ProblemError(f"The C++ compiler {command[0]} failed (exit status {finished.returncode}):\n{complaint}")
    return finished.stdout


def folder() -> Path:
    """Where libraries are kept: what `STEPBENCH_BUILD_DIR` names, else in the user's cache, else for this process."""
    if wanted := os.environ.get(VARIABLE):
        if not _can_be_written(Path(wanted)):
            raise ProblemError(f"{VARIABLE} is {wanted}, where nothing can be written; name another folder.")
        return Path(wanted)
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (raises without a home)
    usual = Path(cache, "stepbench")
    return usual if usual.is_absolute() and _can_be_written(usual) else _temporary_folder()


def _can_be_written(place: Path) -> bool:
    """Tried, and not asked: a file system may be read-only to those who may write."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


@functools.cache
def _temporary_folder() -> Path:
    """Removed as this process ends, by this process alone: a child that was forked ends sooner."""
    place = tempfile.mkdtemp(prefix="stepkernels-")
    atexit.register(_remove, place, os.getpid())
    return Path(place)


def _remove(place: str, maker: int) -> None:
    if os.getpid() == maker:
        shutil.rmtree(place, ignore_errors=True)
