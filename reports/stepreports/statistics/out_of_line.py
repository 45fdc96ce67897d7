"""Records whose time for an element of X is out of line with the sizes next to them.

From a size to the next, an element costs less while the cost of the call is spread over more of them, and more once X
has left a cache. So it may well cost less than at both neighbours; that it costs far more than at both has a cause of
that size alone, which is to be found before the number is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from stepreports.statistics.intervals import Estimate
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import View, views

FACTOR = 2.0  # of the dearer neighbour: a cache left on the way costs an element less than that
_WITHOUT_X = "update"  # an operation that has no use for X has no cost of an element


@lru_cache(maxsize=8)
def out_of_line(run: Run) -> list[tuple[Record, Record, Record]]:
    """Each such record between its neighbours: the record of the next smaller size, it, that of the next larger."""
    return [found for view in views(run) if view.op != _WITHOUT_X for found in _in_view(view)]


def _in_view(view: View) -> Iterator[tuple[Record, Record, Record]]:
    for row in view.rows:
        line = [view.run.cases[case][row.name] for case in view.cases if row.name in view.run.cases[case]]
        costs = [per_element(record) for record in line]
        for place in range(1, len(line) - 1):
            if costs[place].low > FACTOR * max(costs[place - 1].high, costs[place + 1].high):
                yield line[place - 1], line[place], line[place + 1]


def per_element(record: Record) -> Estimate:
    """The seconds that an element of X takes."""
    return record.seconds.scaled(1 / (record.case.m * record.case.n))
