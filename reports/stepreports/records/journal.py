"""The journal of a run, read: a JSON object a line, each an event of the schema.

Events: `run` (the header: plan, seed, machine, code), `started` (a worker's start-up), `bound` (a row bound a case),
`round` (one of its rounds in a turn), `judged` (its final agreement), `failure`, `closed` (a generation is done with a
case; how many other runs timed meanwhile), `resumed` (and in what it differs from how it was begun), `finished`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stepreports.records.files import RecordError, content_of
from stepreports.records.journal_lines import Line, Lines
from stepreports.records.schema import SCHEMA, Header
from stepreports.records.validation import decoded, held_to

__all__ = ["NAME", "SCHEMA", "Event", "StoredJournal", "read_events", "read_journal"]

NAME = "journal.jsonl"
OF_A_RUN = ("run_id", "datetime", "machine", "commit", "plan")  # or none of them, in a journal that is no run's

Event = Line


@dataclass(frozen=True, slots=True)
class StoredJournal:
    """What of a journal can be believed, and a sentence for whatever cannot."""

    events: list[Event]
    losses: list[str]


def read_events(folder: Path) -> list[Event]:
    """The events of a run that can be believed. Raises `RecordError`, as `read_journal` does."""
    return read_journal(folder).events


def read_journal(folder: Path) -> StoredJournal:
    """The journal of a run. A torn last line (the process was killed while writing) is left out without a word.

    Raises `RecordError` when there is no journal, it is not ours, of another schema, or its first line is damaged.
    """
    path = folder / NAME
    if not path.is_file():
        raise RecordError(f"{folder} has no {NAME}; it is not a run folder.")
    return journal_in(content_of(path), path)


def journal_in(content: bytes, path: Path) -> StoredJournal:
    """The same of the content of a journal; `path` is what sentences name. Raises `RecordError`."""
    first, *others = content.split(b"\n")
    if others and not _is_whole(others[-1]):
        others.pop()
    lines = Lines(NAME)
    header = _header(first, path)
    lines.read(enumerate(others, start=2))
    return StoredJournal([header, *lines.believed], lines.losses)


def journal_for_report(folder: Path) -> StoredJournal:
    """The journal beside the records, which stand without it: empty where there is none, a loss where it is damaged."""
    if not (folder / NAME).is_file():
        return StoredJournal([], [])
    try:
        return read_journal(folder)
    except RecordError as error:
        return StoredJournal([], [f"{error} The report is made without it."])


def _is_whole(last: bytes) -> bool:
    """Whether what follows the last line end is a line: after it was written in full, there is nothing."""
    try:
        return decoded(last, NAME) is not None
    except RecordError:
        return False


def _header(line: bytes, path: Path) -> Event:
    """The first line. Raises `RecordError`: without it nothing else means anything."""
    try:
        header = decoded(line, NAME)
    except RecordError:
        header = None
    if not isinstance(header, dict) or header.get("event") != "run":
        raise RecordError(f"{path} does not start with a run; it was not written by stepbench, or is damaged.")
    if header.get("schema") != SCHEMA:
        raise RecordError(f"{path} has schema {header.get('schema')!r}; this version reads {SCHEMA}.")
    held_to(Header, header, f"{path}, line 1")
    missing = [name for name in OF_A_RUN if name not in header]
    if missing and len(missing) < len(OF_A_RUN):
        raise RecordError(f"{path}, line 1, has no {missing[0]!r}; without it the run can be neither told nor resumed.")
    return header
