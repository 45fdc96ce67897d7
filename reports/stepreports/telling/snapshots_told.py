"""Kernels of the user's own whose snapshot is slow: as much of each operation could be done in it unseen.

A first snapshot may not take longer than a second, but a kernel can make all of them take as long. What they take is
therefore told, as what the time of an operation is uncertain by.
"""

from __future__ import annotations

from stepreports.statistics.runs import Record, Run
from stepreports.telling import text

WORTH_TELLING = 0.05  # of an operation
LEAST_SECONDS = 1e-5  # a copy of some arrays takes half of it


def slow_snapshot_lines(run: Run) -> list[str]:
    """A sentence for each such kernel, at the case where it matters most."""
    worst: dict[str, Record] = {}
    for record in run.records:
        if _is_slow(record) and _share(record) > (_share(worst[record.row.name]) if record.row.name in worst else 0.0):
            worst[record.row.name] = record
    return [_sentence(record) for record in worst.values()]


def _is_slow(record: Record) -> bool:
    taken = record.snapshot_seconds
    return record.row.own and taken is not None and taken > LEAST_SECONDS and _share(record) > WORTH_TELLING


def _share(record: Record) -> float:
    """Of an operation, which of a train is all its steps."""
    return (record.snapshot_seconds or 0.0) / (record.seconds.value * record.case.steps)


def _sentence(record: Record) -> str:
    taken, share = text.plain_seconds(record.snapshot_seconds or 0.0), text.percent(_share(record))
    return (
        f"A snapshot of `{record.row.name}` takes {taken}, {share} of an operation, {record.case.in_words}: so much of "
        "each could be done in it unseen. Let it copy its arrays, and nothing else."
    )
