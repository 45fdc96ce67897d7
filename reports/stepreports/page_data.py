"""The data that the page's script works on: the raw table by columns, the medians of the turns, the looks of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepreports.intervals import TAIL, Ranks, shape_of, tail_ranks
from stepreports.records import Run
from stepreports.style import styles
from stepreports.tables import Cell, Table

# The columns of table.csv that the page shows; the others are in the file.
COLUMNS = (
    "row", "role", "replica", "device", "op", "steps", "dtype", "optimizer", "m", "n", "dataset", "threads", "cache",
    "seconds_per_step", "seconds_per_step_low", "seconds_per_step_high", "spread",
    "share_of_limit", "share_of_limit_low", "share_of_limit_high",
    "times_interpreted_loop", "times_interpreted_loop_low", "times_interpreted_loop_high",
    "times_matrix_form", "times_matrix_form_low", "times_matrix_form_high", "verdict_against_matrix_form",
    "bind_seconds", "first_call_cold_seconds", "x_bytes", "implausible",
)  # fmt: skip
_PLOTLY_SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down", "P": "cross", "X": "x",
    "*": "star",
}  # fmt: skip
_PRECISION = 1e-5  # of a turn's median, relative to the record's
_MOST_SHAPES = 40  # of turns; a run that was cut off in more ways shows ratios of the rest without an interval


def page_data(run: Run, table: Table) -> dict[str, Any]:
    """Everything, ready for JSON."""
    layouts: dict[tuple[tuple[int, int], ...], int] = {}
    places = [layouts.setdefault(tuple(record.turns), len(layouts)) for record in run.records]
    shapes = list(dict.fromkeys(shape_of(dict.fromkeys(layout, 1.0)) for layout in layouts))[:_MOST_SHAPES]
    units = [float(f"{record.seconds.value:.6g}") * _PRECISION for record in run.records]
    return {
        "columns": {name: _coded(table[name]) for name in COLUMNS if name in table},
        "layouts": [list(layout) for layout in layouts],
        "layout": places,
        "units": units,  # whole numbers of a unit a record: half a million are written and read much faster than floats
        "turns": [
            [round(seconds / unit) for seconds in record.turns.values()]
            for record, unit in zip(run.records, units, strict=True)
        ],
        "tail": TAIL,
        "tails": {",".join(map(str, shape)): [_flat(ranks) for ranks in tail_ranks(shape)] for shape in shapes},
        "rows": {name: _look(name, run) for name in styles(run.rows)},
        "caches": run.cache_bytes,
    }


def _coded(cells: Sequence[Cell]) -> dict[str, Any]:
    """A column of few values as places in a list of them, any other as it is; floats as table.csv has them."""
    values = dict.fromkeys(cells)
    if len(values) > max(16, len(cells) // 4):
        return {"cells": [float(f"{cell:.6g}") if type(cell) is float else cell for cell in cells]}
    place = {value: index for index, value in enumerate(values)}
    return {"values": list(values), "codes": [place[cell] for cell in cells]}


def _flat(ranks: Ranks) -> list[list[int]]:
    return [[int(rank) for rank in resample] for resample in ranks.reshape(len(ranks), -1)]


def _look(name: str, run: Run) -> dict[str, str]:
    look = styles(run.rows)[name]
    dash = "solid" if look.dashes == "-" else "dash"
    return {"light": look.colour, "dark": look.colour_dark, "symbol": _PLOTLY_SYMBOLS[look.marker], "dash": dash}
