"""The runs of a comparison, machines or commits side by side: the name each goes by, and the cases they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_uppercase

from stepreports.records.files import RecordError
from stepreports.records.stored import Case
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import View, views
from stepreports.telling import text

SEPARATOR = " · "


@dataclass(frozen=True)
class Side:
    """One run of a comparison and the name it goes by there."""

    label: str
    run: Run

    def named(self, row: str) -> str:
        """A row of this run."""
        return f"{row}{SEPARATOR}{self.label}"

    def at(self, case: Case) -> Mapping[str, Record]:
        """The records of a case of any thread budget; of several budgets, the largest."""
        return self._at.get(case, {})

    @cached_property
    def _at(self) -> dict[Case, dict[str, Record]]:
        by_budget = sorted(self.run.cases.items(), key=lambda pair: pair[0].threads)
        return {across(case): records for case, records in by_budget}


def labelled(runs: Sequence[Run]) -> list[Side]:
    """The runs as A, B, C …: names of machines would fill every cell of the tables."""
    if len({run.run_id for run in runs}) < len(runs):
        raise RecordError("The same run was given twice; a comparison needs different runs.")
    if not 2 <= len(runs) <= len(ascii_uppercase):
        raise RecordError(f"A comparison takes 2 to {len(ascii_uppercase)} runs; {len(runs)} were given.")
    return [Side(label, run) for label, run in zip(ascii_uppercase, runs, strict=False)]


def across(case: Case) -> Case:
    """What two machines must share to be compared: everything but the thread budget, which is each one's own."""
    return case._replace(threads=0)


def common_cases(sides: Sequence[Side]) -> list[Case]:
    """The cases that every run timed, in the order of the first. Raises `RecordError` when there is none."""
    found = [{across(case) for case in side.run.cases} for side in sides]
    common = [case for case in dict.fromkeys(map(across, sides[0].run.cases)) if all(case in cases for cases in found)]
    if not common:
        raise RecordError(f"These runs timed no case in common, so they are not comparable. {_apart(sides)}")
    return common


def shared_view(sides: Sequence[Side], common: Sequence[Case]) -> View:
    """The first view of the first run that has a case in common with the others."""
    return next(view for view in views(sides[0].run) if cases_of(view, common))


def cases_of(view: View, common: Sequence[Case]) -> list[Case]:
    """The common cases of a view, smallest X first."""
    shared = set(common)
    return [case for case in map(across, view.cases) if case in shared]


def _apart(sides: Sequence[Side]) -> str:
    """What each run timed, for a reader who wonders why nothing is shared."""
    return " ".join(f"{side.label}: {_timed(side.run)}." for side in sides)


def _timed(run: Run) -> str:
    cases = dict.fromkeys(case.in_words for case in run.cases)
    return text.listed(list(cases)[:4]) if cases else "nothing"
