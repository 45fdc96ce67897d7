"""What two runs can be compared by: each row over the control, the row that a run times twice, turn by turn.

The control takes away what one machine, or one hour, is faster by than another; what it takes away is told. Where two
runs share no control, their times are compared as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from stepreports.comparison.sides import Side
from stepreports.records.stored import Case
from stepreports.records.turns import Turns, over
from stepreports.statistics.intervals import Estimate, Verdict, ratio_between_runs, verdict
from stepreports.statistics.runs import Record, Run


def control_of_both(one: Run, other: Run) -> str | None:
    """The row that both runs timed twice; None without one."""
    found = [{first.row.name for first, _ in run.control_pairs} for run in (one, other)]
    return next(iter(sorted(found[0] & found[1])), None)


def turns_over_control(records: Mapping[str, Record], row: str, control: str) -> Turns | None:
    """The row's turns, each over the control's of the same turn; None where either is missing."""
    return over(records[row].turns, records[control].turns) if row in records and control in records else None


@dataclass(frozen=True, slots=True)
class Change:
    """A row at a case: how many times as fast it is as in the first run, and what that says of it."""

    case: Case
    row: str
    gain: Estimate
    told: Verdict


@dataclass(frozen=True, eq=False)
class AgainstFirst:
    """A run beside the first of a comparison, at the cases that all have.

    control  what every time is over; None where the two share none, and times are compared as they are
    moved    how many times as fast the control itself is, case by case
    """

    first: Side
    side: Side
    control: str | None
    changes: Sequence[Change]
    moved: Mapping[Case, Estimate]

    @cached_property
    def counts(self) -> Counter[Verdict]:
        """How many rows at how many cases came out how."""
        return Counter(change.told for change in self.changes)

    @cached_property
    def at(self) -> Mapping[tuple[Case, str], Change]:
        """The changes by case and row."""
        return {(change.case, change.row): change for change in self.changes}


def against_first(first: Side, side: Side, common: Sequence[Case]) -> AgainstFirst:
    """Every row at every common case that both runs timed: by the turns over the control, where there is one."""
    control = control_of_both(first.run, side.run)
    found, moved = [], {}
    for case in common:
        before, after = first.at(case), side.at(case)
        if control and control in before and control in after:
            moved[case] = ratio_between_runs(before[control].turns, after[control].turns)
        for row in (row for row in before if row in after and row != control):
            if (gain := _gain(before, after, row, control)) is not None:
                margin = max(first.run.margin_of(before[row].case), side.run.margin_of(after[row].case))
                found.append(Change(case, row, gain, verdict(gain.inverse(), margin)))
    return AgainstFirst(first, side, control, found, moved)


def _gain(before: Mapping[str, Record], after: Mapping[str, Record], row: str, control: str | None) -> Estimate | None:
    if control is None:
        return ratio_between_runs(before[row].turns, after[row].turns)
    turns = turns_over_control(before, row, control), turns_over_control(after, row, control)
    return ratio_between_runs(turns[0], turns[1]) if turns[0] and turns[1] else None
