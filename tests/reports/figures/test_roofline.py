"""The roofline: where a row stands under the roofs of the machine."""

from __future__ import annotations

import pytest

from stepreports.figures.roofline import roofline_figure
from stepreports.figures.style import styles
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from synthetic_runs import ROWS, entry, write_run


def test_a_row_stands_in_the_roofline_at_its_operations_a_byte_and_a_second(tmp_path):
    view = views(load_run(write_run(tmp_path)))[0]
    (axes,) = roofline_figure(view).axes
    marked = {line.get_color(): line.get_xydata()[0] for line in axes.lines if line.get_linestyle() == "None"}
    looks = styles(view.run.rows)
    records = view.run.cases[view.cases[-1]]
    for name, passes in (("numpy-blas", 2), ("numba-fused-parallel", 1)):
        intensity, rate = marked[looks[name].colour]
        assert intensity == pytest.approx(4 / 8 / passes)
        assert rate == pytest.approx(4 * 1_000_000 * 20 / records[name].seconds.value / 1e9)
    assert {text.get_text() for text in axes.texts} >= {"numpy-blas", "numba-fused"}
    assert "cupy-fused" not in {text.get_text() for text in axes.texts}  # the roofs are the CPU's


@pytest.mark.parametrize("limits", [None, {}, {"read_gb_per_s": [[1, 2.0]], "fma_gflops": {}}])
def test_without_measured_roofs_there_is_no_roofline(tmp_path, limits):
    run = load_run(write_run(tmp_path, [entry(ROWS[1], 1000, 20)], machine={"limits": limits}))
    assert roofline_figure(views(run)[0]) is None
