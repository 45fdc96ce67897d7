"""What a ratio is a ratio of: the base's own time, and on how many threads; and every row of a size beside it."""

from __future__ import annotations

from collections.abc import Sequence

from stepreports.records.stored import Case, Row
from stepreports.statistics.intervals import ratio
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import MATRIX_FORM, View, baselines
from stepreports.telling import text
from stepreports.telling.baseline import blas_in_words
from stepreports.telling.steadiness_told import seconds_of, time_of

_MOST_SIZES = 6  # columns of a table that is to be read; table.csv has them all
_BASE = "the base"


def threads_of(record: Record) -> str:
    """`1.9 of 2 threads at work`: what its process kept busy in its rounds, of its budget; or the budget alone."""
    budget, busy = text.counted(record.case.threads, "thread"), record.processors_used
    return f"{budget} allowed" if busy is None else f"{busy:.1f} of {budget} at work"


def base_in_words(record: Record) -> str:
    """`29.7 ms, 1.9 of 2 threads at work`."""
    return f"{seconds_of(record)}, {threads_of(record)}"


def times_of_base(record: Record, base: Record | None) -> str:
    """How many times as fast as the base a record is, and the base's own time; a dash without one."""
    gain = ratio(base.turns, record.turns) if base and base is not record else None
    return f"{text.times(gain)} of {seconds_of(base)}" if gain and base else "–"


def base_of(view: View) -> Row | None:
    """The row that the others are told against: the matrix form where it ran, or the loop."""
    found = {row.technique: row for row in baselines(view.run) if row in view.rows}
    return found.get(MATRIX_FORM) or next(iter(found.values()), None)


def base_line(view: View) -> str | None:
    """What × means in `rows_by_size`, and what the base is made of; None without a base."""
    base = base_of(view)
    if base is None:
        return None
    timed = [view.run.cases[case] for case in view.cases if base.name in view.run.cases[case]]
    largest = timed[-1][base.name]
    blas = blas_in_words(view.run.machine) if base.library == "numpy" else ""
    made_of = f"{base.library} {largest.library_version}{f' on {blas}' if blas else ''}"
    at = f"at {largest.case.size} it took {base_in_words(largest)}"
    return f"× is how many times as fast as `{base.name}` ({made_of}) a row is; {at}."


def rows_by_size(view: View) -> list[dict[str, str]]:
    """Every row of a view: its time at each size and the ratio to the base, which has a line of its own.

    The last line of a device's rows is the time to read X once, the base of every share of the limit. Cells hold
    `<br>`; of many sizes, the largest.
    """
    base, cases = base_of(view), view.cases[-_MOST_SIZES:]
    lines = [_line(view.run, row, base, cases) for row in view.rows]
    return [line for line in [*lines, *_limit_lines(view.run, cases)] if any(line[case.size] != "–" for case in cases)]


def _line(run: Run, row: Row, base: Row | None, cases: Sequence[Case]) -> dict[str, str]:
    records = [run.cases[case].get(row.name) for case in cases]
    bases = [run.cases[case].get(base.name) if base else None for case in cases]
    largest = [record for record in records if record][-1:]
    return {
        "row": f"`{row.name}`",
        "threads at work": _at_work(largest[0]) if largest else "–",
    } | {case.size: _cell(record, other) for case, record, other in zip(cases, records, bases, strict=True)}


def _at_work(record: Record) -> str:
    busy = record.processors_used
    return f"up to {record.case.threads}" if busy is None else f"{busy:.1f} of {record.case.threads}"


def _cell(record: Record | None, base: Record | None) -> str:
    if record is None:
        return "–"
    if base is None:
        return time_of(record)
    gain = ratio(base.turns, record.turns) if base is not record else None
    told = _BASE if base is record else text.times(gain) if gain else "–"
    return f"{time_of(record)}<br>{told}"


def _limit_lines(run: Run, cases: Sequence[Case]) -> list[dict[str, str]]:
    devices = dict.fromkeys(device for case, device in run.limits if case in cases)
    return [
        {"row": "X read once" if device == "cpu" else "X read once, GPU", "threads at work": "–"}
        | {case.size: _cell(run.limits.get((case, device)), None) for case in cases}
        for device in devices
    ]
