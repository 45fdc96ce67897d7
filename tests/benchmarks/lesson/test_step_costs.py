"""The numbers of a run that the page tells: what a step costs, and the roofline over the measured limits."""

from __future__ import annotations

import pytest

from stepbench.lesson import bandwidth as memory
from stepbench.lesson import (
    shown,
    step_costs,
)


def test_the_costs_are_the_runs(run):
    found = {cost.row: cost for cost in step_costs.costs(run)}
    assert tuple(found) == shown.ROWS
    assert step_costs.timed_case(run).m == shown.SIZE[0]
    for row, cost in found.items():
        record = run.cases[step_costs.timed_case(run)][row]
        assert cost.seconds == record.seconds.value
        assert cost.passes == record.passes_over_x


def test_the_roofline_is_flops_over_bytes_under_the_measured_limits(run):
    roof = memory.roofline(run)
    assert roof.one == roof.flops / roof.x_bytes == 0.5
    assert roof.two == 0.25
    assert roof.ridge * roof.memory_gb_per_s == pytest.approx(roof.peak_gflops)
    assert roof.read_gb_per_s * roof.read_seconds * 1e9 == pytest.approx(roof.x_bytes)
    for mark in roof.marks:
        record = run.cases[step_costs.timed_case(run)][mark.row]
        assert mark.gflops == pytest.approx(roof.flops / record.seconds.value / 1e9)
        assert mark.intensity == pytest.approx(roof.flops / (record.passes_over_x * roof.x_bytes))
