"""What of a journal counts: of each case in each generation the last attempt that was closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from stepreports.records.journal import Event

Pair = tuple[int, str]  # generation, case name


@dataclass(slots=True)
class Attempt:
    """The events of one (generation, case); `closed` when the runner was done with it."""

    events: list[Event] = field(default_factory=list)
    closed: bool = False

    @property
    def failures(self) -> list[Event]:
        """Who left the case, or was never in it."""
        return [event for event in self.events if event["event"] == "failure"]


def last_attempts(events: Iterable[Event]) -> dict[Pair, Attempt]:
    """The last closed attempt at each (generation, case name), in the order of the journal.

    An attempt that was cut off (no `closed` before the next one or the end) counts for nothing.
    """
    attempts: dict[Pair, Attempt] = {}
    current = Attempt()
    for event in events:
        if event["event"] in ("run", "resumed"):
            current = Attempt()
        elif event["event"] == "closed":
            current.closed = True
            attempts[event["generation"], event["case"]] = current
            current = Attempt()
        elif "case" in event:
            current.events.append(event)
    return attempts
