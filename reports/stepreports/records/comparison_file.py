"""comparison.json, as far as a history reads it again: which commits took turns in a run, and as which rows."""

from __future__ import annotations

from pathlib import Path

import msgspec

from stepreports.records.bounded import Name
from stepreports.records.files import read_object
from stepreports.records.validation import held_to

COMPARISON = "comparison.json"


class StoredVersion(msgspec.Struct, frozen=True):
    """A version that took part; of one that is no commit, `commit` is None."""

    label: str
    told: str
    commit: str | None = None
    committed: str | None = None
    subject: str | None = None
    ancestors: int | None = None


class StoredPair(msgspec.Struct, frozen=True):
    """The row of the base, and the same row of another version."""

    base_row: Name
    other_row: Name


class StoredComparison(msgspec.Struct, frozen=True):
    """A comparison of versions. `faults` are sentences."""

    versions: list[StoredVersion]
    cases: list[StoredPair]
    faults: list[str] = []


def is_a_run(folder: Path) -> bool:
    """Whether a folder holds the records of a run that is over."""
    return (folder / "benchmark.json").is_file()


def stored_comparison(folder: Path) -> StoredComparison | None:
    """What a run's folder says of versions; None where it compared none. Raises `RecordError` for a damaged file."""
    path = folder / COMPARISON
    return held_to(StoredComparison, read_object(path), str(path)) if path.is_file() else None
