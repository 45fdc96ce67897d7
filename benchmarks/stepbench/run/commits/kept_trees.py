"""Folders with the files of a version, in the user's cache: made once, whole or not at all, and used again.

A folder is named for what is in it, so whoever finds it can use it. It is made under another name and then moved; what
a process that was killed left half made is removed by the next, which knows by a lock that nobody is making it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from stepkernels.problem import ProblemError

HALF_MADE = ".half-made-"
KEPT_SECONDS = 30 * 86_400.0  # without being used


def kept(name: str, make: Callable[[Path], None], place: Path | None = None) -> Path:
    """The folder of that name, filled by `make` where it is not there yet. Raises `ProblemError` for no place."""
    place = place or user_cache_path("stepbench") / "versions"
    folder = place / name
    try:
        with _locked(place):
            _tidy(place, but=folder)
            if not folder.is_dir():
                _made(folder, make)
            os.utime(folder)
    except OSError as error:
        raise ProblemError(
            f"Versions are kept in {place}, which cannot be written ({error.strerror or error}). "
            "Make room there, or name another cache in XDG_CACHE_HOME."
        ) from error
    return folder


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """One process at a time; the lock ends with it, however that ends."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(folder: Path, make: Callable[[Path], None]) -> None:
    half = Path(tempfile.mkdtemp(prefix=HALF_MADE, dir=folder.parent))
    try:
        make(half)
        half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _tidy(place: Path, but: Path) -> None:
    """Remove what was left half made, and what nobody has used for a month."""
    old = time.time() - KEPT_SECONDS
    for each in place.iterdir():
        if each.name.startswith(HALF_MADE) or (each.is_dir() and each != but and each.stat().st_mtime < old):
            shutil.rmtree(each, ignore_errors=True)
