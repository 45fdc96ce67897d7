"""Places to write to, tried before the work that is to be written there."""

from __future__ import annotations

import tempfile
from pathlib import Path

from stepkernels.problem import ProblemError


def require_writable(path: Path) -> None:
    """Raise `ProblemError` where a file cannot be written. Folders that are missing are made when it is written."""
    if path.is_dir():
        raise ProblemError(f"{path} is a folder; name a file.")
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ProblemError(f"{path} cannot be written ({error.strerror}: {folder}). Choose another place.") from None


def require_absent(path: Path, *, force: bool) -> None:
    """Raise `ProblemError` for a file that would be overwritten."""
    if path.exists() and not force:
        raise ProblemError(f"{path} exists already; --force overwrites it.")
