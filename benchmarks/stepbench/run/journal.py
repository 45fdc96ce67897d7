"""The journal of a run: one JSON line per event, flushed to disk, so that a killed run can go on.

Events: `run` (the header: plan, seed, environment), `started` (a worker's start-up), `bound` (a row bound a case),
`round` (one of its rounds in a turn), `judged` (its final agreement), `failure`, `closed` (a generation is done with a
case), `finished`. A (generation, case) without `closed`, or with a fault in it, is done again on resume; the last
attempt at it is the one that counts.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

SCHEMA = 1
NAME = "journal.jsonl"

Event = dict[str, Any]


class JournalError(ValueError):
    """A journal that cannot be read or continued. The message says why and what to do."""


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


def read_events(folder: Path) -> list[Event]:
    """The events of a run. A torn last line (the process was killed while writing) is left out.

    Raises `JournalError` when there is no journal, it is not ours, or of another schema.
    """
    path = folder / NAME
    if not path.is_file():
        raise JournalError(f"{folder} has no {NAME}; it is not a run folder.")
    events = list(_complete_lines(path))
    if not events or events[0].get("event") != "run":
        raise JournalError(f"{path} does not start with a run; it was not written by stepbench, or is damaged.")
    if events[0].get("schema") != SCHEMA:
        raise JournalError(f"{path} has schema {events[0].get('schema')}; this version reads {SCHEMA}.")
    return events


def _complete_lines(path: Path) -> Iterator[Event]:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                return
            raise JournalError(f"{path}, line {number}, is not JSON ({error}); the journal is damaged.") from None


def _drop_torn_line(path: Path) -> None:
    """Cut what a killed process left behind the last newline, so that the next event starts a line."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) != len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
