"""The tidy table, one line a record, units in the column names; and tables in Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from stepreports.intervals import Estimate, ratios, spread, verdict
from stepreports.records import Record, Row, Run
from stepreports.views import LOOP, MATRIX_FORM, shares_of_limit

Cell = str | int | float | bool | None
Line = dict[str, Cell]

AGREEMENT = ("J", "gw", "gb", "w", "b")
_SIGNIFICANT = 6  # digits in the file: more than any interval bears, few enough to read


def table(run: Run) -> list[Line]:
    """One line a record, in the order of the records, read kernels and second copies included."""
    shares = shares_of_limit(run, run.records)
    over_loop, over_matrix = (_speedups(run, run.row_of_technique(name)) for name in (LOOP, MATRIX_FORM))
    return [
        _identity(run, record)
        | _times(record)
        | _with_interval("share_of_limit", share)
        | _with_interval("times_interpreted_loop", loop)
        | _with_interval("times_matrix_form", matrix)
        | {"verdict_against_matrix_form": str(verdict(matrix.inverse(), run.margin)) if matrix else None}
        | _costs(record)
        | {f"agreement_{name}_in_bounds": record.agreement.get(name) for name in AGREEMENT}
        for record, share, loop, matrix in zip(run.records, shares, over_loop, over_matrix, strict=True)
    ]


def csv_text(lines: Sequence[Line]) -> str:
    """The lines as CSV with a header; booleans as true and false, nothing for what was not measured."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if lines:
        writer.writerow(lines[0])
        writer.writerows([_written(cell) for cell in line.values()] for line in lines)
    return stream.getvalue()


def markdown(lines: Sequence[Mapping[str, str]]) -> str:
    """Lines with equal keys as a Markdown table, the first column flush left and the others right."""
    if not lines:
        return ""
    heads = list(lines[0])
    rule = [":--", *["--:"] * (len(heads) - 1)]
    rows = [heads, rule, *([line[head] for head in heads] for line in lines)]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows)


def _speedups(run: Run, baseline: Row | None) -> list[Estimate | None]:
    """How many times as fast as the baseline each record is; None for the baseline itself and where it did not run."""
    pairs = []
    for record in run.records:
        other = run.cases.get(record.case, {}).get(baseline.name) if baseline else None
        same = other is None or other.row == record.row or record.is_limit
        pairs.append(({} if same or other is None else other.turns, record.turns))
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


def _times(record: Record) -> Line:
    generations = {generation for generation, _ in record.turns}
    return {
        **_with_interval("seconds_per_step", record.seconds),
        "spread": _rounded(spread(record.turns)),
        "generations": len(generations),
        "turns": len(record.turns),
        "rounds": record.rounds,
        "x_gb_per_s": _rounded(record.case.x_bytes / record.seconds.value / 1e9),
        "limit_seconds_per_step": _rounded(record.limit_seconds),
        "implausible": record.implausible,
    }


def _costs(record: Record) -> Line:
    first = record.first_call_seconds[0] if record.first_call_seconds else None
    return {
        "import_seconds": _median(record.import_seconds),
        "bind_seconds": _median(record.bind_seconds),
        "first_call_cold_seconds": _rounded(first),
        "first_call_warm_seconds": _median(record.first_call_seconds[1:]),
        "copy_to_device_seconds": _median(record.copy_to_device_seconds),
        "device_seconds_per_step": _median(record.device_turns.values()),
    }


def _with_interval(name: str, estimate: Estimate | None) -> Line:
    values = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
    return {f"{name}{end}": _rounded(value) for end, value in zip(("", "_low", "_high"), values, strict=True)}


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _rounded(median(known)) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_SIGNIFICANT}g}")


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
