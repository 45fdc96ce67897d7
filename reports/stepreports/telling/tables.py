"""The tidy table, one line a record, units in the column names; and tables in Markdown.

Every number that the page tells of a record is in it, ratios and break-evens included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from stepreports.statistics.costs import after_copying, after_starting, typical
from stepreports.statistics.intervals import Estimate, detectable_difference, ratios, spreads, tails, verdict
from stepreports.statistics.ladder import rung_below
from stepreports.statistics.out_of_line import out_of_line
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import LOOP, MATRIX_FORM, shares_of_limit
from stepreports.telling.narrowed import narrowed

Cell = str | int | float | bool | None
Table = dict[str, list[Cell]]  # by columns, all of one length

AGREEMENT = ("J", "gw", "gb", "w", "b")
_DISTANCE = ("J", "gw", "coefficients", "accuracy", "accuracy_stored")
_CASE = ("dtype", "optimizer", "m", "n", "dataset", "threads", "cache", "x_bytes")


def table(run: Run) -> Table:
    """One line a record, in the order of the records, read kernels and second copies included.

    `times_x` says how many times as fast as x the record is: the interpreted loop, the matrix form, the row that it
    stands on in the ladder (`rung_below`), for a second copy the first, and for a GPU the fastest CPU row, which it
    overtakes after `break_even_steps_copied_first` where the data must be copied first.
    Rows with X in a narrower storage come last: `times_own_float32` is over the same row without, and no other; beside
    it stands how far their X is from the unrounded one.
    """
    wide, narrow = _of_records(run), _of_narrow_records(run)
    absent, absent_narrow = [None] * len(run.records), [None] * len(narrow["row"])
    return {
        name: [*wide.get(name, absent), *narrow.get(name, absent_narrow)] for name in dict.fromkeys([*wide, *narrow])
    }


def _of_records(run: Run) -> Table:
    loop, matrix = (_baselines(run, technique) for technique in (LOOP, MATRIX_FORM))
    over_matrix, over_first = _speedups(run, matrix), _speedups(run, _first_copies(run))
    below = [rung_below(run, record) if record.stands_for_its_row else None for record in run.records]
    fastest_cpu, margins = _fastest_cpu(run), [run.margin_of(record.case) for record in run.records]
    odd = {id(record) for _, record, _ in out_of_line(run)}
    return {
        **_identity(run.run_id, run.records),
        **_times(run.records, [run.limits.get((r.case, r.row.device)) for r in run.records], run.spreads),
        "out_of_line": [id(record) in odd for record in run.records],
        **_costs(run.records),
        **_agreement(run.records),
        **_columns("share_of_limit", shares_of_limit(run, run.records)),
        **_columns("times_interpreted_loop", _speedups(run, loop)),
        **_columns("times_matrix_form", over_matrix),
        "verdict_against_matrix_form": _verdicts(over_matrix, margins),
        **_columns("break_even_steps_matrix_form", _break_evens(run, matrix)),
        "rung_below": [record.row.name if record else None for record in below],
        **_columns("times_rung_below", _speedups(run, below)),
        **_columns("times_first_copy", over_first),
        **_columns("times_fastest_cpu", _speedups(run, fastest_cpu)),
        **_columns("break_even_steps_copied_first", _copied_first(run, fastest_cpu)),
        "finds_x": [str(run.place_of(record.case)) for record in run.records],
        "margin": list(margins),
        "detectable_difference_matrix_form": _detectable(over_matrix, margins),
        "detectable_difference_first_copy": _detectable(over_first, margins),
    }


def csv_text(columns: Table) -> str:
    """The table as CSV with a header: six significant digits, true and false, nothing for what was not measured."""
    lines = zip(*map(_written, columns.values()), strict=True)
    return "\n".join(map(",".join, chain([columns], lines))) + "\n"


def markdown(lines: Sequence[Mapping[str, str]]) -> str:
    """Lines with equal keys as a Markdown table, the first column flush left and the others right."""
    if not lines:
        return ""
    heads = list(lines[0])
    rule = [":--", *["--:"] * (len(heads) - 1)]
    rows = [heads, rule, *([line[head] for head in heads] for line in lines)]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows)


def _baselines(run: Run, technique: str) -> list[Record | None]:
    """At each record's case, the record of the row of a technique."""
    baseline = run.row_of_technique(technique)
    return [run.cases.get(r.case, {}).get(baseline.name) if baseline else None for r in run.records]


def _fastest_cpu(run: Run) -> list[Record | None]:
    """At each record of a GPU, the fastest record of the CPU at its case."""
    cpu = {case: [r for r in records.values() if r.row.device == "cpu"] for case, records in run.cases.items()}
    fastest = {case: min(records, key=lambda r: r.seconds.value) for case, records in cpu.items() if records}
    return [fastest.get(r.case) if r.row.device != "cpu" else None for r in run.records]


def _first_copies(run: Run) -> list[Record | None]:
    second = {id(copy): first for first, copy in run.control_pairs}
    return [second.get(id(record)) for record in run.records]


def _speedups(run: Run, others: Sequence[Record | None]) -> list[Estimate | None]:
    """How many times as fast as the other each record is; None without another, or against itself."""
    return ratios(
        (other.turns, record.turns) if other and other is not record and not record.is_limit else None
        for record, other in zip(run.records, others, strict=True)
    )


def _of_narrow_records(run: Run) -> Table:
    found = narrowed(run)
    records = [each.record for each in found]
    return {
        **_identity(run.run_id, records),
        **_times(records, [each.limit for each in found], spreads(record.turns for record in records)),
        **_costs(records),
        **_agreement(records),
        **_columns("share_of_limit", [each.share for each in found]),
        **_columns("times_own_float32", [each.gain for each in found]),
        **{f"distance_{name}": [getattr(each.distance, name) for each in found] for name in _DISTANCE},
    }


def _identity(run_id: str, records: Sequence[Record]) -> Table:
    rows, cases = [r.row for r in records], [r.case for r in records]
    return {
        "run_id": [run_id] * len(records),
        "row": [row.name for row in rows],
        "replica": [r.replica for r in records],
        "role": ["limit" if r.is_limit else "row" for r in records],
        "library": [row.library for row in rows],
        "library_version": [r.library_version for r in records],
        "technique": [row.technique for row in rows],
        "device": [row.device for row in rows],
        "op": [case.op for case in cases],
        "steps": [case.steps for case in cases],
        "train_as_steps": [r.train_as_steps for r in records],
        **{name: [getattr(case, name) for case in cases] for name in _CASE},
        "storage": [r.storage for r in records],
        "passes_over_x": [r.passes_over_x for r in records],
        "bytes_needed": [r.bytes_needed for r in records],
        "flops_needed": [r.flops_needed for r in records],
    }


def _times(records: Sequence[Record], limits: Sequence[Record | None], spread: Sequence[float]) -> Table:
    ends = tails(r.turns for r in records)
    return {
        **_columns("seconds_per_step", [r.seconds for r in records]),
        "seconds_per_step_p5": [low for low, _ in ends],
        "seconds_per_step_p95": [high for _, high in ends],
        **_steadiness(records),
        "spread": list(spread),
        "generations": [len(r.turns.layout.shape) for r in records],
        "turns": [len(r.turns.layout.turns) for r in records],
        "rounds": [r.rounds for r in records],
        "x_gb_per_s": [r.x_bytes / r.seconds.value / 1e9 for r in records],
        "limit_seconds_per_step": [limit.seconds.value if limit else None for limit in limits],
        "processors_used": [r.processors_used for r in records],
        "implausible": [r.implausible for r in records],
    }


def _steadiness(records: Sequence[Record]) -> Table:
    """What the turns are; of two kinds the median of each, and the share of the slow one; how far a drift goes."""
    kinds, drifts = [r.steadiness.kinds for r in records], [r.steadiness.drift for r in records]
    return {
        "turns_are": [str(r.steadiness.turning) for r in records],
        "fast_kind_seconds_per_step": [each.fast if each else None for each in kinds],
        "slow_kind_seconds_per_step": [each.slow if each else None for each in kinds],
        "slow_kind_share": [each.slow_share if each else None for each in kinds],
        "dip": [each.dip if each else None for each in kinds],
        "drift_over_generation": [each.over_generation if each else None for each in drifts],
    }


def _costs(records: Sequence[Record]) -> Table:
    return {
        "import_seconds": [typical(r.import_seconds) for r in records],
        "import_cold_seconds": [r.import_seconds[0] if r.import_seconds else None for r in records],
        "bind_seconds": [typical(r.bind_seconds) for r in records],
        "bind_cold_seconds": [r.bind_seconds[0] if r.bind_seconds else None for r in records],
        "first_call_cold_seconds": [r.first_call_seconds[0] if r.first_call_seconds else None for r in records],
        "first_call_warm_seconds": [typical(r.first_call_seconds[1:]) for r in records],
        "copy_to_device_seconds": [typical(r.copy_to_device_seconds) for r in records],
        "device_seconds_per_step": [r.device_seconds for r in records],
        "peak_memory_bytes": [r.peak_memory_bytes for r in records],
        "memory_beyond_x_and_y_bytes": [r.memory.peak_bytes if r.memory else None for r in records],
        "memory_held_beyond_x_and_y_bytes": [r.memory.held_bytes if r.memory else None for r in records],
        "memory_fixed_bytes": [r.memory.fixed_bytes if r.memory else None for r in records],
        "copies_of_x": [r.memory.copies_of_x if r.memory else None for r in records],
        "joules_per_step": [r.energy.joules if r.energy else None for r in records],
        "joules_per_step_at_rest": [r.energy.idle_watts * r.seconds.value if r.energy else None for r in records],
        "watts": [r.energy.watts if r.energy else None for r in records],
        "idle_watts": [r.energy.idle_watts if r.energy else None for r in records],
    }


def _agreement(records: Sequence[Record]) -> Table:
    return {f"agreement_{name}_in_bounds": [r.agreement.get(name) for r in records] for name in AGREEMENT}


def _break_evens(run: Run, matrix: Sequence[Record | None]) -> list[Estimate | None]:
    """The steps after which each record has caught up with the matrix form, both started from nothing."""
    return [
        after_starting(record, other) if other and other.row != record.row and not record.is_limit else None
        for record, other in zip(run.records, matrix, strict=True)
    ]


def _copied_first(run: Run, fastest_cpu: Sequence[Record | None]) -> list[Estimate | None]:
    return [
        after_copying(record, cpu) if cpu and not record.is_limit else None
        for record, cpu in zip(run.records, fastest_cpu, strict=True)
    ]


def _verdicts(gains: Sequence[Estimate | None], margins: Sequence[float]) -> list[Cell]:
    pairs = zip(gains, margins, strict=True)
    return [str(verdict(gain.inverse(), margin)) if gain else None for gain, margin in pairs]


def _detectable(gains: Sequence[Estimate | None], margins: Sequence[float]) -> list[Cell]:
    return [detectable_difference(gain, margin) if gain else None for gain, margin in zip(gains, margins, strict=True)]


def _columns(name: str, estimates: Sequence[Estimate | None]) -> Table:
    """An estimate's three columns."""
    return {
        name: [e.value if e else None for e in estimates],
        f"{name}_low": [e.low if e else None for e in estimates],
        f"{name}_high": [e.high if e else None for e in estimates],
    }


def _written(cells: Sequence[Cell]) -> list[str]:
    """Cells as the file has them; a column at a time, for there are three million in a large run."""
    if float in map(type, cells):
        return ["" if cell is None else f"{cell:.6g}" if type(cell) is float else _word(cell) for cell in cells]
    words = {cell: _word(cell) for cell in set(cells)}
    return [words[cell] for cell in cells]


def _word(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str() if re.search('[,"\r\n]', cell):
            return '"' + cell.replace('"', '""') + '"'
        case _:
            return str(cell)
