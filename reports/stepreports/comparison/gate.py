"""A gate for CI: is the new run slower than the base, beyond what is allowed and beyond doubt?

A runner differs from itself by a few per cent from hour to hour; a gate that failed for that would soon be ignored.
Here only an interval that lies wholly beyond the allowance fails; one that reaches across it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stepreports.records.files import RecordError
from stepreports.records.machines import machines_apart
from stepreports.records.stored import Case
from stepreports.records.turns import Turns, over
from stepreports.statistics.intervals import Estimate, ratio_between_runs
from stepreports.statistics.runs import Record, Run, load_run
from stepreports.telling import text
from stepreports.telling.bases import base_in_words


class Outcome(StrEnum):
    """What the interval of the new time over the base says about the allowance."""

    SLOWER = "slower"
    WITHIN = "within the allowance"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row at one case in both runs; `ratio` is the new time over the time of `base`."""

    case: Case
    row: str
    ratio: Estimate
    outcome: Outcome
    base: Record


@dataclass(frozen=True, slots=True)
class GateResult:
    """What was compared, and what to print and exit with."""

    comparisons: Sequence[Comparison]
    lines: Sequence[str]

    @property
    def failed(self) -> bool:
        """Whether anything is slower beyond the allowance and beyond doubt."""
        return any(each.outcome == Outcome.SLOWER for each in self.comparisons)

    @property
    def exit_code(self) -> int:
        """1 when something is slower."""
        return int(self.failed)


def gate(base_folder: Path, new_folder: Path, percent: float) -> GateResult:
    """Compare every row at every case of both runs, allowing the new one `percent` more time.

    Runs of machines that differ are compared through the control row, if both ran it: each row's time is divided by
    the control's of the same turn first. Raises `RecordError` where nothing can be compared.
    """
    base, new = load_run(base_folder), load_run(new_folder)
    differences = machines_apart(base.machine, new.machine)
    control = shared_control(base, new, differences) if differences else None
    found = list(_compared(base, new, percent / 100, control))
    if not found:
        raise RecordError(f"{base_folder} and {new_folder} have no row at a case in common; nothing can be compared.")
    return GateResult(found, [*_lines(found, percent, differences, control), *_lost(base, new)])


def shared_control(base: Run, new: Run, differences: Sequence[str]) -> str:
    """The row that both runs timed twice. Raises `RecordError` without one."""
    controls = [{first.row.name for first, _ in run.control_pairs} for run in (base, new)]
    if shared := sorted(controls[0] & controls[1]):
        return shared[0]
    told = "; ".join(differences)
    raise RecordError(f"The runs are of machines that are not comparable ({told}), and no control row ran in both.")


def _compared(base: Run, new: Run, allowance: float, control: str | None) -> list[Comparison]:
    """Every row at every case that both runs timed; of machines that differ, where both timed the control too."""
    found = []
    for case, row in ((case, row) for case, records in new.cases.items() for row in records if row != control):
        before, after = (_relative(run.cases.get(case, {}), row, control) for run in (base, new))
        if before and after:
            ratio = ratio_between_runs(after, before)
            found.append(Comparison(case, row, ratio, _outcome(ratio, allowance), base.cases[case][row]))
    return found


def _relative(records: Mapping[str, Record], row: str, control: str | None) -> Turns | None:
    """The row's turns, each over the control's of the same turn where there is one; None where either is missing."""
    if row not in records:
        return None
    if control is None:
        return records[row].turns
    return over(records[row].turns, records[control].turns) if control in records else None


def _outcome(ratio: Estimate, allowance: float) -> Outcome:
    if ratio.low > 1 + allowance:
        return Outcome.SLOWER
    return Outcome.WITHIN if ratio.high <= 1 + allowance else Outcome.UNKNOWN


def _lines(found: Sequence[Comparison], percent: float, differences: Sequence[str], control: str | None) -> list[str]:
    by_outcome = {outcome: [each for each in found if each.outcome == outcome] for outcome in Outcome}
    slower, unknown = by_outcome[Outcome.SLOWER], by_outcome[Outcome.UNKNOWN]
    counts = ", ".join(f"{outcome}: {len(each)}" for outcome, each in by_outcome.items())
    how = f", as ratios to {control}, for the machines differ ({'; '.join(differences)})" if control else ""
    return [
        f"{text.counted(len(found), 'comparison')} with {percent:g} % allowed{how}: {counts}.",
        *(_line(each) for each in sorted(slower, key=lambda each: -each.ratio.value)),
        *(_line(each) for each in sorted(unknown, key=lambda each: -each.ratio.value)),
    ]


def _lost(base: Run, new: Run) -> list[str]:
    """What the base timed and the new run did not: it cannot be slower, so it must be said."""
    lost = [
        (case, name) for case, records in base.cases.items() for name in records if name not in new.cases.get(case, {})
    ]
    names = text.listed(dict.fromkeys(name for _, name in lost)) if lost else ""
    return [f"{text.counted(len(lost), 'case')} of the base not timed in the new run: {names}."] if lost else []


def _line(each: Comparison) -> str:
    told = f"{each.outcome}: {each.row}, {each.case.in_words}"
    return f"{told} takes {text.times(each.ratio)} the time of the base, {base_in_words(each.base)}."
