"""Which lines of a journal can be believed: each by itself, and after the lines before it.

What a generation did on a case, up to the line that closes it, is an attempt. A line that cannot be believed costs the
attempt in which it stands and no more. After a line that closes, that is the next one; before, it is the one at hand,
whose closing line it may have been.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec import NODEFAULT
from msgspec.structs import fields

from stepreports.records.files import RecordError
from stepreports.records.schema import EVENTS, Event, OfCase
from stepreports.records.validation import decoded, held_to, one_line, shown

Line = dict[str, Any]  # an event, fields that the schema does not name included; one that may be missing is None
Pair = tuple[int, str]  # generation, case name

_ENDS_AN_ATTEMPT = frozenset({"resumed", "finished"})
_KINDS: tuple[type[Event], ...] = (Event, OfCase, *EVENTS.values())
_MAY_BE_MISSING: dict[type[Event], Line] = {
    kind: {each.name: None for each in fields(kind) if each.default is not NODEFAULT} for kind in _KINDS
}


@dataclass(slots=True)
class _Attempt:
    """The lines of an attempt so far, and what was wrong in them."""

    lines: list[Line] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    pair: Pair | None = None
    bound: set[str] = field(default_factory=set)
    turns: set[tuple[str, int]] = field(default_factory=set)

    def fault_of(self, line: Line) -> str | None:
        """Why a line cannot follow those before it, or None."""
        if line["event"] == "bound":
            self.bound.add(line["participant"])
        return self._fault_of_turn(line["participant"], line["turn"]) if line["event"] == "round" else None

    def _fault_of_turn(self, participant: str, turn: int) -> str | None:
        if participant not in self.bound:
            return f"a turn of {shown(participant)}, which had not bound the case"
        if (participant, turn) in self.turns:
            return f"turn {turn} of {shown(participant)} a second time"
        self.turns.add((participant, turn))
        return None


@dataclass(slots=True)
class Lines:
    """Reads one line after the other. `journal` is what their sentences begin with."""

    journal: str
    believed: list[Line] = field(default_factory=list)
    _attempt: _Attempt = field(default_factory=_Attempt)
    _closed: set[Pair] = field(default_factory=set)
    _losses: list[tuple[Pair | None, str]] = field(default_factory=list)

    def read(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Read all lines, which are numbered."""
        for number, line in lines:
            where = f"{self.journal}, line {number}"
            try:
                self._take(line_of(line, where), where)
            except RecordError as error:
                self._attempt.faults.append(str(error))
        self._end()

    @property
    def losses(self) -> list[str]:
        """A sentence for each attempt that was lost and not made again since."""
        return [loss for pair, loss in self._losses if pair not in self._closed]

    def _take(self, line: Line, where: str) -> None:
        """Raises `RecordError` for a line that cannot stand where it does."""
        if line["event"] == "run":
            raise RecordError(f"{where}, begins the run a second time.")
        if line["event"] in _ENDS_AN_ATTEMPT:
            self._end()
        if "case" in line:
            self._take_of_case(line, where)
        else:
            self._attempt.lines.append(line)

    def _take_of_case(self, line: Line, where: str) -> None:
        pair = line["generation"], line["case"]
        if self._attempt.pair not in (None, pair):
            self._attempt.faults.append(f"{where}, is of another case before the last one was closed.")
            self._end()
        closes = line["event"] == "closed"
        if closes and self._attempt.pair is None and pair in self._closed:
            self._losses.append((None, f"{where}, closes {shown(pair[1])} a second time; nothing else is left out."))
            return
        self._attempt.pair = pair
        self._attempt.lines.append(line)
        if fault := self._attempt.fault_of(line):
            self._attempt.faults.append(f"{where}, tells of {fault}.")
        if closes:
            self._close(pair)

    def _close(self, pair: Pair) -> None:
        self._closed.discard(pair)
        if not self._attempt.faults:
            self._closed.add(pair)
        self._end()

    def _end(self) -> None:
        """Hand on the attempt at hand, closed or cut off; of a faulty one, what is of no case."""
        attempt, self._attempt = self._attempt, _Attempt()
        if attempt.faults:
            self._losses.append((attempt.pair, _loss(attempt)))
        self.believed += [line for line in attempt.lines if not (attempt.faults and "case" in line)]


def line_of(content: bytes, where: str) -> Line:
    """A line by itself. Raises `RecordError`."""
    line: Line = decoded(content, f"{where},")
    kind = held_to(Event, line, where).event
    known = EVENTS.get(kind, OfCase if "case" in line else Event)
    held_to(known, line, where)
    return _MAY_BE_MISSING[known] | line


def _loss(attempt: _Attempt) -> str:
    first, *others = attempt.faults
    more = f" ({len(others)} more of its lines are damaged.)" if others else ""
    if attempt.pair is None:
        return f"{one_line(first)}{more} Which case it was of cannot be told; nothing else is left out."
    generation, case = attempt.pair
    return (
        f"{one_line(first)}{more} What generation {generation} timed of {one_line(case, 300)} is left out of what is"
        " read from the journal; `stepbench run --resume` times it again."
    )
