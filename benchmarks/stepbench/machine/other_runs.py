"""Other runs that time on this machine at the same moment: noticed, so that the reports of both can say it.

A run that times holds a lock on a file of its own in a folder that all users share. Whoever finds another such file
locked has company. A lock ends with its process, however that ends; a file left behind says nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

FOLDER = "stepbench-timing"


class Presence:
    """The sign of a run that it times. Where the folder cannot be used, nobody sees it, and it sees nobody: None."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.gettempdir()) / FOLDER
        self._file: int | None = None
        self._path: Path | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            _make(self.folder)
            self._file, name = tempfile.mkstemp(prefix=f"{os.getpid()}-", dir=self.folder)
            self._path = Path(name)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._path.chmod(0o644)  # so that runs of other users can try its lock
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if self._file is not None:
            os.close(self._file)
        self._path = self._file = None

    def others(self) -> int | None:
        """How many others time now; None where that cannot be known."""
        if self._path is None:
            return None
        return sum(_is_locked(path) for path in _files(self.folder) if path != self._path)


def _make(folder: Path) -> None:
    """A folder like the one for temporary files: all may add to it, and each removes only what is his."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o1777)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise NotADirectoryError(folder)


def _files(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from folder.iterdir()


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False
