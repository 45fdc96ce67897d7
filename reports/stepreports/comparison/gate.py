"""A gate for CI: is the new run slower than the base, beyond what is allowed and beyond doubt?

A runner differs from itself by a few per cent from hour to hour; a gate that failed for that would soon be ignored.
So every row is divided, turn by turn, by the control: the row that a run times twice, and both runs have. How far the
control itself moved is told, for it is what the division takes away. Only an interval that lies wholly beyond the
allowance is slower; one that reaches across it cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stepreports.comparison.over_control import control_of_both, turns_over_control
from stepreports.records.files import RecordError
from stepreports.records.machines import machines_apart
from stepreports.records.stored import Case, Failure
from stepreports.statistics.intervals import LEAST_CONFIDENCE, Estimate, ratio_between_runs
from stepreports.statistics.runs import Record, Run, load_run

IMPLAUSIBLE = "it was faster than the measured limit, which cannot be"

UNKNOWABLE = (
    "The runs were timed at different moments: what the machine did meanwhile is in these ratios and cannot be told "
    "from a change. `stepbench compare` times both versions in the same turns, where it can."
)


class Outcome(StrEnum):
    """What the interval of the new time over the base says about the allowance."""

    SLOWER = "slower"
    WITHIN = "within the allowance"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row at one case in both runs; `ratio` is the new time over that of `base`, both over the control's."""

    case: Case
    row: str
    ratio: Estimate
    outcome: Outcome
    base: Record


@dataclass(frozen=True, slots=True)
class Missing:
    """What the base timed and the new run did not. `fault`: the row was wrong there, or failed."""

    case: Case
    row: str
    reason: str
    fault: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What was compared, and what to exit with.

    moved  the control's own time over that of the base, at each case
    apart  in what the machines of the runs differ
    """

    percent: float
    control: str
    moved: Mapping[Case, Estimate]
    apart: Sequence[str]
    comparisons: Sequence[Comparison]
    missing: Sequence[Missing]
    fail_unknown: bool = False
    fail_missing: bool = False

    def of(self, outcome: Outcome) -> list[Comparison]:
        """The comparisons of that outcome, the slowest first."""
        return sorted((each for each in self.comparisons if each.outcome == outcome), key=lambda c: -c.ratio.value)

    @property
    def faults(self) -> list[Missing]:
        return [each for each in self.missing if each.fault]

    @property
    def failed(self) -> bool:
        """Whether anything is slower beyond the allowance and beyond doubt, wrong, or what else was asked to fail."""
        unknown = self.fail_unknown and self.of(Outcome.UNKNOWN)
        return bool(self.of(Outcome.SLOWER) or self.faults or unknown or (self.fail_missing and self.missing))

    @property
    def exit_code(self) -> int:
        """1 when it failed."""
        return int(self.failed)


def gate(
    base_folder: Path, new_folder: Path, percent: float, *, fail_unknown: bool = False, fail_missing: bool = False
) -> GateResult:
    """Compare every row at every case of both runs with the control, allowing the new one `percent` more time.

    Raises `RecordError` where nothing can be compared.
    """
    base, new = load_run(base_folder), load_run(new_folder)
    control = shared_control(base, new)
    found = _compared(base, new, percent / 100, control)
    missing = _missing(base, new, control)
    if not found and not any(each.fault for each in missing):
        raise RecordError(
            f"{base_folder} and {new_folder} have no row at a case in common beside the control, {control}; "
            "nothing can be compared."
        )
    return GateResult(
        percent=percent,
        control=control,
        moved=_moved(base, new, control),
        apart=machines_apart(base.machine, new.machine),
        comparisons=found,
        missing=missing,
        fail_unknown=fail_unknown,
        fail_missing=fail_missing,
    )


def shared_control(base: Run, new: Run) -> str:
    """The row that both runs timed twice. Raises `RecordError` without one."""
    if shared := control_of_both(base, new):
        return shared
    apart = machines_apart(base.machine, new.machine)
    differ = f" The machines differ, too ({'; '.join(apart)})." if apart else ""
    raise RecordError(
        "No control row ran twice in both runs, so what the machine did meanwhile cannot be told from what the rows "
        f"did; the gate refuses.{differ} Time both with the same rows."
    )


def _moved(base: Run, new: Run, control: str) -> dict[Case, Estimate]:
    both = [case for case in new.cases if control in new.cases[case] and control in base.cases.get(case, {})]
    return {case: ratio_between_runs(new.cases[case][control].turns, base.cases[case][control].turns) for case in both}


def _compared(base: Run, new: Run, allowance: float, control: str) -> list[Comparison]:
    """Every row at every case that both runs timed together with the control."""
    found = []
    for case, row in ((case, row) for case, records in new.cases.items() for row in records if row != control):
        before, after = (turns_over_control(run.cases.get(case, {}), row, control) for run in (base, new))
        if before and after:
            ratio = ratio_between_runs(after, before)
            found.append(Comparison(case, row, ratio, _outcome(ratio, allowance), base.cases[case][row]))
    return found


def _outcome(ratio: Estimate, allowance: float) -> Outcome:
    if ratio.confidence < LEAST_CONFIDENCE:
        return Outcome.UNKNOWN
    if ratio.low > 1 + allowance:
        return Outcome.SLOWER
    return Outcome.WITHIN if ratio.high <= 1 + allowance else Outcome.UNKNOWN


def _missing(base: Run, new: Run, control: str) -> list[Missing]:
    """What the base timed and the new run did not: it cannot be slower, so it must be said."""
    lost = (
        (case, row) for case, records in base.cases.items() for row in records if row not in new.cases.get(case, {})
    )
    found = [_why(new, case, row) for case, row in lost]
    alone = [case for case, records in new.cases.items() if case in base.cases and control not in records]
    shared = ((case, row) for case in alone for row in new.cases[case] if row in base.cases[case])
    return [*found, *(Missing(case, row, f"{control} was not timed beside it", fault=False) for case, row in shared)]


def _why(new: Run, case: Case, row: str) -> Missing:
    """The reason on record: of several a fault."""
    if any(record.implausible and (record.case, record.row.name) == (case, row) for record in new.records):
        return Missing(case, row, IMPLAUSIBLE, fault=True)
    about = [failure for failure in new.failures if _concerns(failure, case, row)]
    for failure in sorted(about, key=lambda failure: failure.skipped):
        return Missing(case, row, failure.reason, fault=not failure.skipped)
    return Missing(case, row, "the new run was not asked for it", fault=False)


def _concerns(failure: Failure, case: Case, row: str) -> bool:
    if failure.row.partition("#")[0] != row:
        return False
    at = (failure.op, failure.dtype, failure.m, failure.n, failure.dataset)
    return failure.case is None or at == (case.op, case.dtype, case.m, case.n, case.dataset)
