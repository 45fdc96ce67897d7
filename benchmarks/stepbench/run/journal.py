"""The journal of a run: one JSON line per event, flushed to disk, so that a killed run can go on.

`stepreports.records.journal` reads it, and names the events. A (generation, case) without `closed`, or with a fault in
it, is done again on resume; the last attempt at it is the one that counts.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Self

from stepreports.records.journal import NAME


class Journal:
    """Appends events, each with the seconds since the journal was opened; on disk before `write` returns."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        _drop_torn_line(self.path)
        self._file = self.path.open("a", encoding="utf-8")
        self._opened = time.monotonic()

    def write(self, event: str, **fields: Any) -> None:
        elapsed_seconds = round(time.monotonic() - self._opened, 6)
        self._file.write(json.dumps({"event": event, "elapsed_seconds": elapsed_seconds, **fields}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _drop_torn_line(path: Path) -> None:
    """Cut what a killed process left behind the last newline, so that the next event starts a line."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) != len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
