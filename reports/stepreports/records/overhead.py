"""What a run's time went to: its timed rounds, and the harness around them, by the clock of the run's journal.

A published run goes without its journal; its summary, written where the run was, says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stepreports.records.journal import Event, journal_for_report


@dataclass(frozen=True, slots=True)
class Overhead:
    """How long a run took, resumptions included, and how long its timed rounds did."""

    elapsed_seconds: float
    timed_seconds: float

    @property
    def share(self) -> float:
        """The share of the run that is no timed round."""
        return 1 - self.timed_seconds / self.elapsed_seconds


def overhead_of(folder: Path) -> Overhead | None:
    """The overhead of a run; None without a journal that times it."""
    return overhead_in(journal_for_report(folder).events)


def overhead_in(events: Sequence[Event]) -> Overhead | None:
    """The overhead that a journal tells; None where it times nothing, or less than its rounds took."""
    overhead = Overhead(elapsed_seconds(events), _timed_seconds(events))
    return overhead if overhead.elapsed_seconds > overhead.timed_seconds else None


def elapsed_seconds(events: Iterable[Event]) -> float:
    """How long a run has taken so far: the clock starts again with each resumption."""
    total = latest = 0.0
    for event in events:
        if event["event"] == "resumed":
            total += latest
        latest = event.get("elapsed_seconds") or 0.0
    return total + latest


def _timed_seconds(events: Iterable[Event]) -> float:
    """A round's seconds are those of one call of the many that it lasted."""
    total = 0.0
    bound: dict[tuple[str, str], int] = {}
    for event in events:
        match event["event"]:
            case "bound":
                bound[event["participant"], event["case"]] = event["iterations"] or 0
            case "round":
                total += (event["calls"] or bound[event["participant"], event["case"]]) * event["seconds"]
    return total
