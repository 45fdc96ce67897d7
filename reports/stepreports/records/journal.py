"""The journal of a run, read: a JSON object a line, each an event.

Events: `run` (the header: plan, seed, environment), `started` (a worker's start-up), `bound` (a row bound a case),
`round` (one of its rounds in a turn), `judged` (its final agreement), `failure`, `closed` (a generation is done with a
case), `resumed`, `finished`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stepreports.records.files import RecordError

SCHEMA = 1
NAME = "journal.jsonl"

Event = dict[str, Any]


def read_events(folder: Path) -> list[Event]:
    """The events of a run. A torn last line (the process was killed while writing) is left out.

    Raises `RecordError` when there is no journal, it is not ours, or of another schema.
    """
    path = folder / NAME
    if not path.is_file():
        raise RecordError(f"{folder} has no {NAME}; it is not a run folder.")
    events = list(_complete_lines(path))
    if not events or events[0].get("event") != "run":
        raise RecordError(f"{path} does not start with a run; it was not written by stepbench, or is damaged.")
    if events[0].get("schema") != SCHEMA:
        raise RecordError(f"{path} has schema {events[0].get('schema')}; this version reads {SCHEMA}.")
    return events


def _complete_lines(path: Path) -> Iterator[Event]:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                return
            raise RecordError(f"{path}, line {number}, is not JSON ({error}); the journal is damaged.") from None
