"""How the control row's time moved through a run, in which nothing of it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stepreports.records.stored import Row
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import MATRIX_FORM


@dataclass(frozen=True, slots=True)
class Stretch:
    """The control's turns at one case in one generation, over the median of all its turns at that case.

    low, high  the 5th and 95th percentile
    """

    generation: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Drift:
    """A control row and its stretches, in the order in which they were timed."""

    row: Row
    stretches: Sequence[Stretch]

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest of the medians."""
        middles = [stretch.middle for stretch in self.stretches]
        return min(middles), max(middles)


@lru_cache(maxsize=8)
def drift_of(run: Run) -> Drift | None:
    """The drift of the row that ran twice, or else of the matrix form; None where neither ran at two cases.

    A generation times its cases in the order of the records.
    """
    row = next((first.row for first, _ in run.control_pairs), run.row_of_technique(MATRIX_FORM))
    records = [r for r in run.records_of[row.name] if r.stands_for_its_row] if row else []
    found = [(generation, stretch) for record in records for generation, stretch in _stretches(record)]
    ordered = [stretch for _, stretch in sorted(found, key=lambda pair: pair[0])]
    return Drift(row, ordered) if row and len(ordered) > 1 else None


def _stretches(record: Record) -> list[tuple[int, Stretch]]:
    generations = np.array([generation for generation, _ in record.turns.layout.turns])
    over = record.turns.seconds / np.median(record.turns.seconds)
    return [
        (int(each), Stretch(int(each), *np.quantile(over[generations == each], (0.05, 0.5, 0.95)).tolist()))
        for each in np.unique(generations)
    ]
