"""The journal of a run: one JSON line per event, flushed to disk, so that a killed run can go on.

`stepreports.records.journal` reads it, and names the events. A (generation, case) without `closed`, or with a fault in
it, is done again on resume; the last attempt at it is the one that counts.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from stepbench.run.run_folder import taken
from stepkernels.problem import ProblemError
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME

CHUNK = 2**16


class Journal:
    """Appends events, each with the seconds since the journal was opened; on disk before `write` returns.

    While it is open the run is this process's alone. Raises `RecordError` when another process has it, or it is no
    file of its own, and `ProblemError` when it is to be `new` and is not.
    """

    def __init__(self, folder: Path, *, new: bool = False) -> None:
        self.path = folder / NAME
        self._file = _opened(self.path)
        try:
            _lock(self._file, folder)
            _drop_torn_line(self._file)
            if new:
                _require_empty(self._file, folder)
        except BaseException:
            os.close(self._file)
            raise
        self._opened = time.monotonic()

    def write(self, event: str, **fields: Any) -> None:
        """Raises `OSError` where the disk does not take it; the journal is then as it was."""
        elapsed_seconds = round(time.monotonic() - self._opened, 6)
        line = json.dumps({"event": event, "elapsed_seconds": elapsed_seconds, **fields}) + "\n"
        size = os.fstat(self._file).st_size
        try:
            _write_all(self._file, line.encode())
            os.fsync(self._file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, size)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """A journal in which nothing was written is none."""
        if not os.fstat(self._file).st_size:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


def _opened(path: Path) -> int:
    """The file, and not one that a link leads to."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    except OSError as error:
        raise RecordError(f"{path} cannot be written ({error.strerror}).") from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise RecordError(f"{path} is no file; it was not written by stepbench.")
    return file


def _lock(file: int, folder: Path) -> None:
    """Take the run. The lock ends with this process, however that ends; a file system without locks has none."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RecordError(
            f"{folder} is being timed by another process. Wait until it is done, or choose another --out."
        ) from None
    except OSError:
        return


def _require_empty(file: int, folder: Path) -> None:
    if os.fstat(file).st_size:
        raise ProblemError(taken(folder))


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _drop_torn_line(file: int) -> None:
    """Cut what a killed process left behind the last newline, so that the next event starts a line."""
    end = os.fstat(file).st_size
    whole = end
    while whole > 0:
        start = max(0, whole - CHUNK)
        newline = os.pread(file, whole - start, start).rfind(b"\n")
        if newline >= 0:
            whole = start + newline + 1
            break
        whole = start
    if whole != end:
        os.ftruncate(file, whole)
