"""What a step costs beside its own time: its phases one by one, and what comes before the first."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from stepreports.records.stored import Case
from stepreports.statistics.intervals import Estimate, break_even_steps
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import View, views

PHASES = ("forward", "backward", "update")


def phases(run: Run) -> dict[Case, dict[str, dict[str, Record]]]:
    """For each case of which every phase was timed, by its forward case: the rows' records by phase.

    An update has no use for X: where it was not timed at this size, it is that of as many columns.
    """
    by_op = {(view.op, *view.key[1:]): view for view in views(run)}
    found = {}
    for view in views(run):
        parts = [by_op.get((phase, *view.key[1:])) for phase in PHASES]
        if view.op == "forward" and all(parts):
            for case in view.cases:
                if rows := _whole(run, [_at_size(part, case) or _at_columns(part, case) for part in parts if part]):
                    found[case] = rows
    return found


def cold_start(run: Run, row: str) -> Record | None:
    """The record that paid for a cold start: the row's slowest first call."""
    candidates = [record for record in run.records_of[row] if record.first_call_seconds and not record.replica]
    return max(candidates, key=lambda record: record.first_call_seconds[0], default=None)


def start_costs(record: Record) -> list[float]:
    """Import, bind and first call in the first generation, whose compile caches were empty."""
    costs = (record.import_seconds, record.bind_seconds, record.first_call_seconds)
    return [values[0] if values else 0.0 for values in costs]


def start_seconds(record: Record) -> float:
    """What comes before the first step, in a first process: import, bind, first call, and the copy to a device."""
    return sum([*start_costs(record), *record.copy_to_device_seconds[:1]])


def typical(seconds: Sequence[float]) -> float | None:
    """The median of what was measured once a generation; None where nothing was."""
    return median(seconds) if seconds else None


def after_starting(record: Record, other: Record) -> Estimate | None:
    """The steps after which a record has caught up with another, both started from nothing."""
    return break_even_steps(start_seconds(record) - start_seconds(other), record.seconds, other.seconds)


def after_copying(gpu: Record, cpu: Record) -> Estimate | None:
    """The steps after which a GPU that must have the data copied to it has caught up with a CPU."""
    copies = gpu.copy_to_device_seconds
    return break_even_steps(max(copies), gpu.seconds, cpu.seconds) if copies else None


def _at_size(view: View, case: Case) -> Case | None:
    return next((c for c in view.cases if (c.m, c.n, c.dataset) == (case.m, case.n, case.dataset)), None)


def _at_columns(view: View, case: Case) -> Case | None:
    return next((c for c in view.cases if view.op == "update" and c.n == case.n), None)


def _whole(run: Run, cases: Sequence[Case | None]) -> dict[str, dict[str, Record]]:
    """The rows that have every phase."""
    by_phase = [run.cases[case] for case in cases if case]
    if len(by_phase) < len(PHASES):
        return {}
    names = [name for name in by_phase[0] if all(name in records for records in by_phase)]
    return {name: {phase: at[name] for phase, at in zip(PHASES, by_phase, strict=True)} for name in names}
