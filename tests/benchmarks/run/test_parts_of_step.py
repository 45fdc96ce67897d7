"""What a step on ranks is made of: with which threads it is measured, and which rank stands in the middle."""

from dataclasses import dataclass, field, replace

import msgspec
import pytest

from stepbench.cases.case import Case
from stepbench.machine.child_processes import Finished
from stepbench.machine.threads import POOL_VARIABLES
from stepbench.run.scaling import parts_of_step as measuring
from stepbench.run.scaling.scale_question import GROUP
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepreports.comparison.scaling_report.scale_records import Parts
from stepreports.comparison.scaling_report.scaled import composition_of

CASE = Case(op=Op.STEP, dtype="float64", m=12, n=3, threads=8)


class Computing:
    """A step whose ranks compute for so many seconds each."""

    def __init__(self, seconds):
        self.seconds, self.steps = seconds, 0

    def reset(self):
        self.steps = 0

    def step(self):
        self.steps += 1

    def computing_seconds(self):
        return [[each] * self.steps for each in self.seconds]


@dataclass
class Row:
    """Where `Computing` is bound."""

    seconds: tuple[float, ...]
    options: dict = field(default_factory=dict)

    def bind(self, problem, config):
        return Computing(self.seconds)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_every_rank_reads_with_the_one_thread_that_it_computes_with(monkeypatch, ranks):
    """Whatever the budget is: rank 0 has these pools, and starts the others with a share of its threads."""
    given = []

    def taken_down(command, environment, limit_seconds):
        given.append(environment)
        parts = Parts(ranks=ranks, m=CASE.m, n=CASE.n, dtype=CASE.dtype)
        return Finished(0, msgspec.json.encode(parts).decode(), "")

    monkeypatch.setattr(measuring, "run_to_its_end", taken_down)
    row = CATALOG[GROUP]
    measuring.parts_of_step(replace(row, options={**row.options, "ranks": ranks}), CASE)
    assert [given[0][name] for name in POOL_VARIABLES] == ["1"] * len(POOL_VARIABLES)


@pytest.mark.parametrize(
    ("seconds", "times"), [((2.0,), 1.0), ((1.0, 3.0), 3.0), ((1.0, 2.0, 4.0), 2.0), ((9.0, 1.0, 2.0, 3.0), 4.5)]
)
def test_the_slowest_rank_is_held_to_the_median_and_of_two_to_the_faster(seconds, times):
    """Held to their mean, one of two would never take more than twice as long."""
    row = Row(seconds, {"ranks": len(seconds), "share": "stepkernels.rows.numba_fused"})
    found = composition_of(measuring.measured_parts(row, CASE))
    assert found.straggler.value == pytest.approx(times)
