"""The tidy table, one line a record, units in the column names; and tables in Markdown.

Every number of the page is in it, ratios and break-evens included.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from stepreports.intervals import Estimate, Turns, break_even_steps, ratios, spread, verdict
from stepreports.records import Record, Row, Run
from stepreports.views import LOOP, MATRIX_FORM, shares_of_limit

Cell = str | int | float | bool | None
Line = dict[str, Cell]
Table = dict[str, list[Cell]]  # by columns, all of one length

AGREEMENT = ("J", "gw", "gb", "w", "b")


def table(run: Run) -> Table:
    """One line a record, in the order of the records, read kernels and second copies included.

    `times_x` says how many times as fast as x the record is: the interpreted loop, the matrix form, the fastest
    row before it on the ladder (the order of the records), and, for a second copy, the first.
    """
    over_matrix = _speedups(run, _baselines(run, run.row_of_technique(MATRIX_FORM)))
    lines = [
        _identity(run, record) | _times(run, record) | _costs(record) | _agreement(record) for record in run.records
    ]
    transposed = map(list, zip(*(line.values() for line in lines), strict=True))
    return {
        **dict(zip(lines[0] if lines else (), transposed, strict=True)),
        **_columns("share_of_limit", shares_of_limit(run, run.records)),
        **_columns("times_interpreted_loop", _speedups(run, _baselines(run, run.row_of_technique(LOOP)))),
        **_columns("times_matrix_form", over_matrix),
        "verdict_against_matrix_form": [str(verdict(g.inverse(), run.margin)) if g else None for g in over_matrix],
        **_columns("break_even_steps_matrix_form", [_break_even(run, record) for record in run.records]),
        **_columns("times_best_before", _speedups(run, _best_before(run))),
        **_columns("times_first_copy", _speedups(run, _first_copies(run))),
    }


def csv_text(columns: Table) -> str:
    """The table as CSV with a header: six significant digits, true and false, nothing for what was not measured."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_written, columns.values()), strict=True))
    return stream.getvalue()


def markdown(lines: Sequence[Mapping[str, str]]) -> str:
    """Lines with equal keys as a Markdown table, the first column flush left and the others right."""
    if not lines:
        return ""
    heads = list(lines[0])
    rule = [":--", *["--:"] * (len(heads) - 1)]
    rows = [heads, rule, *([line[head] for head in heads] for line in lines)]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows)


def start_seconds(record: Record) -> float:
    """What comes before the first step, in a first process: import, bind, first call, and the copy to a device."""
    costs = (record.import_seconds, record.bind_seconds, record.first_call_seconds, record.copy_to_device_seconds)
    return sum(values[0] for values in costs if values)


def _baselines(run: Run, baseline: Row | None) -> list[Record | None]:
    """The baseline's record at each record's case."""
    return [run.cases.get(r.case, {}).get(baseline.name) if baseline else None for r in run.records]


def _best_before(run: Run) -> list[Record | None]:
    """At each record, the fastest record of its case that comes before it in the order of the records."""
    best: dict[object, Record] = {}
    found = []
    for record in run.records:
        counts = not (record.is_limit or record.replica or record.implausible)
        before = best.get(record.case)
        found.append(before if counts else None)
        if counts and (before is None or record.seconds.value < before.seconds.value):
            best[record.case] = record
    return found


def _first_copies(run: Run) -> list[Record | None]:
    second = {id(copy): first for first, copy in run.control_pairs}
    return [second.get(id(record)) for record in run.records]


def _speedups(run: Run, others: Sequence[Record | None]) -> list[Estimate | None]:
    """How many times as fast as the other each record is; None without another, or against itself."""
    pairs: list[tuple[Turns, Turns]] = [
        (other.turns if other and other is not record and not record.is_limit else {}, record.turns)
        for record, other in zip(run.records, others, strict=True)
    ]
    return ratios(pairs)


def _identity(run: Run, record: Record) -> Line:
    case, row = record.case, record.row
    return {
        "run_id": run.run_id, "row": row.name, "replica": record.replica, "role": "limit" if record.is_limit else "row",
        "library": row.library, "library_version": record.library_version, "technique": row.technique,
        "device": row.device, "op": case.op, "steps": case.steps, "train_as_steps": record.train_as_steps,
        "dtype": case.dtype, "optimizer": case.optimizer, "m": case.m, "n": case.n, "dataset": case.dataset,
        "threads": case.threads, "cache": case.cache, "x_bytes": case.x_bytes, "passes_over_x": record.passes_over_x,
        "bytes_needed": record.bytes_needed, "flops_needed": record.flops_needed,
    }  # fmt: skip


def _times(run: Run, record: Record) -> Line:
    limit = run.limits.get((record.case, record.row.device))
    return {
        "seconds_per_step": record.seconds.value,
        "seconds_per_step_low": record.seconds.low,
        "seconds_per_step_high": record.seconds.high,
        "spread": spread(record.turns),
        "generations": len({generation for generation, _ in record.turns}),
        "turns": len(record.turns),
        "rounds": record.rounds,
        "x_gb_per_s": record.case.x_bytes / record.seconds.value / 1e9,
        "limit_seconds_per_step": limit.seconds.value if limit else None,
        "implausible": record.implausible,
    }


def _costs(record: Record) -> Line:
    return {
        "import_seconds": _median(record.import_seconds),
        "bind_seconds": _median(record.bind_seconds),
        "first_call_cold_seconds": record.first_call_seconds[0] if record.first_call_seconds else None,
        "first_call_warm_seconds": _median(record.first_call_seconds[1:]),
        "copy_to_device_seconds": _median(record.copy_to_device_seconds),
        "device_seconds_per_step": _median(record.device_turns.values()),
    }


def _break_even(run: Run, record: Record) -> Estimate | None:
    """The steps after which the record has caught up with the matrix form, both started from nothing."""
    matrix = run.row_of_technique(MATRIX_FORM)
    other = run.cases.get(record.case, {}).get(matrix.name) if matrix else None
    if other is None or other.row == record.row or record.is_limit:
        return None
    return break_even_steps(start_seconds(record) - start_seconds(other), record.seconds, other.seconds)


def _agreement(record: Record) -> Line:
    return {f"agreement_{name}_in_bounds": record.agreement.get(name) for name in AGREEMENT}


def _columns(name: str, estimates: Sequence[Estimate | None]) -> Table:
    """An estimate's three columns."""
    return {
        name: [e.value if e else None for e in estimates],
        f"{name}_low": [e.low if e else None for e in estimates],
        f"{name}_high": [e.high if e else None for e in estimates],
    }


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return median(known) if known else None


def _written(cells: Sequence[Cell]) -> list[str | int]:
    """Cells as the file has them; in one go, for there are three million in a large run."""
    words = {None: "", True: "true", False: "false"}
    return [
        f"{cell:.6g}" if type(cell) is float else words[cell] if cell is None or type(cell) is bool else cell  # type: ignore[misc]
        for cell in cells
    ]
