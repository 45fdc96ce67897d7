"""Places to write to, tried before the work that is to be written there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stepkernels.problem import ProblemError
from stepreports.records.files import is_a_stream


def require_writable(path: Path) -> None:
    """Raise `ProblemError` where a file cannot be written. Folders that are missing are made when it is written."""
    with _refusing(path):
        if path.is_dir():  # an empty name is the current folder
            raise ProblemError(f"{path} is a folder; name a file.")
        if path.exists() and not os.access(path, os.W_OK):
            raise ProblemError(f"{path} may not be changed. Choose another place.")
        if not is_a_stream(path):  # in whose folder nobody writes
            _try_folder(path.absolute().parent)


def require_writable_folder(path: Path) -> None:
    """Raise `ProblemError` where a folder cannot be made, or is there and cannot be written into."""
    with _refusing(path):
        _try_folder(path.absolute())


def require_absent(path: Path, *, force: bool) -> None:
    """Raise `ProblemError` for a file that would be overwritten, which no device is."""
    if path.exists() and not is_a_stream(path) and not force:
        raise ProblemError(f"{path} exists already; --force overwrites it.")


def folder_given(option: str, given: str | None) -> Path | None:
    """A folder that was given, which an empty word is not: Python would take it for the working folder."""
    if given is not None and not given.strip():
        raise ProblemError(f"{option} needs a folder; it was given an empty word.")
    return None if given is None else Path(given)


def _try_folder(folder: Path) -> None:
    """Write into the folder, or the nearest above it that is there: what is missing below can then be made."""
    while not folder.exists():
        folder = folder.parent
    with tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProblemError(f"{path} cannot be written ({error.strerror}). Choose another place.") from None
