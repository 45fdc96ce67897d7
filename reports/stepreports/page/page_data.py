"""The data that the page's script works on: the raw table by columns, the turns, the looks of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stepreports.figures.style import Style, styles
from stepreports.records.stored import Row
from stepreports.records.turns import Layout, Shape
from stepreports.statistics.bootstrap import LEAST_GENERATIONS, TAIL, Ranks, t_quantile, tail_ranks
from stepreports.statistics.runs import Run
from stepreports.telling.tables import Cell, Table

# The columns of table.csv that the page shows; the others are in the file.
COLUMNS = (
    "row", "role", "replica", "device", "op", "steps", "dtype", "optimizer", "m", "n", "dataset", "threads", "cache",
    "seconds_per_step", "seconds_per_step_low", "seconds_per_step_high", "turns_are",
    "fast_kind_seconds_per_step", "slow_kind_seconds_per_step", "slow_kind_share", "spread",
    "share_of_limit", "share_of_limit_low", "share_of_limit_high",
    "times_interpreted_loop", "times_interpreted_loop_low", "times_interpreted_loop_high",
    "times_matrix_form", "times_matrix_form_low", "times_matrix_form_high", "verdict_against_matrix_form",
    "import_cold_seconds", "bind_seconds", "bind_cold_seconds", "first_call_cold_seconds", "copy_to_device_seconds",
    "x_bytes", "implausible", "out_of_line", "margin",
)  # fmt: skip
_PLOTLY_SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down", "P": "cross", "X": "x",
    "*": "star",
}  # fmt: skip
_PRECISION = 1e-5  # of a turn's median, relative to the record's
_DIGITS = 6  # of a float in table.csv
_MOST_SHAPES = 40  # of turns; a run that was cut off in more ways shows ratios of the rest without an interval


def page_data(run: Run, table: Table) -> dict[str, Any]:
    """Everything, ready for JSON."""
    layouts: dict[Layout, int] = {}
    places = [layouts.setdefault(record.turns.layout, len(layouts)) for record in run.records]
    shapes = list(dict.fromkeys(layout.shape for layout in layouts))[:_MOST_SHAPES]
    units = [value * _PRECISION for value in _rounded([record.seconds.value for record in run.records])]
    return {
        "columns": {name: _coded(table[name]) for name in COLUMNS if name in table},
        "layouts": [layout.turns for layout in layouts],
        "layout": places,
        "units": units,  # whole numbers of a unit a record: half a million are written and read much faster than floats
        "turns": [
            np.rint(record.turns.seconds / unit).astype(int).tolist()
            for record, unit in zip(run.records, units, strict=True)
        ],
        "tail": TAIL,
        "quantiles": {count: t_quantile(count - 1) for count in range(LEAST_GENERATIONS, _most(shapes) + 1)},
        "tails": {",".join(map(str, shape)): [_flat(ranks) for ranks in tail_ranks(shape)] for shape in shapes},
        "rows": looks(run),
        "caches": run.cache_bytes,
    }


def _most(shapes: Sequence[Shape]) -> int:
    return max(map(len, shapes), default=0)


def _coded(cells: Sequence[Cell]) -> dict[str, Any]:
    """A column of few values as places in a list of them, any other as it is; floats as table.csv has them."""
    if float in map(type, cells):
        return {"cells": _rounded(cells)}
    values = dict.fromkeys(cells)
    if len(values) > max(16, len(cells) // 4):
        return {"cells": cells}
    place = {value: index for index, value in enumerate(values)}
    return {"values": list(values), "codes": [place[cell] for cell in cells]}


def _rounded(values: Sequence[Any]) -> list[float]:
    """Numbers with six significant digits: rounded as whole numbers of a power of ten, for those powers are exact.

    None becomes NaN, which is null in the page.
    """
    found = np.array(values, dtype=float)
    places = _DIGITS - 1 - np.floor(np.log10(np.abs(found, where=found != 0, out=np.ones_like(found))))
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    return list((np.rint(found * up / down) * down / up).tolist())


def _flat(ranks: Ranks) -> list[list[int]]:
    return list(ranks.reshape(len(ranks), -1).tolist())


def looks(run: Run) -> dict[str, dict[str, Any]]:
    """How the script draws each row, by its name, in the order of the records; and whose it is."""
    drawn = styles(run.rows)
    return {row.name: _look(row, drawn[row.name]) for row in run.rows}


def _look(row: Row, look: Style) -> dict[str, Any]:
    return {
        "light": look.colour,
        "dark": look.colour_dark,
        "symbol": _PLOTLY_SYMBOLS[look.marker],
        "dash": "solid" if look.dashes == "-" else "dash",
        "library": row.library,
        "own": row.own,
    }
