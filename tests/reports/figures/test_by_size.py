"""The figures: the same look for a row everywhere, labels that can be read, the same bytes for the same records."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthetic_runs
from stepreports.figures.axes import png, spread_apart, svg
from stepreports.figures.by_size import figures, time_figure
from stepreports.figures.roofline import roofline_figure
from stepreports.figures.style import COLOURS, styles
from stepreports.records.stored import Row
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from stepreports.telling.machine_facts import roof_lines
from synthetic_runs import ROWS, SIZES, entries, entry, write_run


def row(name, library, technique, device="cpu"):
    return Row(name, library, technique, device, "")


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30).map(sorted), st.floats(0.001, 0.2))
def test_labels_keep_their_order_and_their_distance_and_move_no_more_than_they_must(wanted, gap):
    placed = spread_apart(wanted, gap)
    assert all(after - before >= gap * (1 - 1e-9) for before, after in pairwise(placed))
    assert sum(placed) == pytest.approx(sum(wanted), abs=1e-9)  # as much up as down
    if all(after - before >= gap for before, after in pairwise(wanted)):
        assert placed == pytest.approx(wanted)


@given(st.lists(st.floats(-1, 2), min_size=1, max_size=8).map(sorted))
def test_labels_stay_beside_the_panel_while_there_is_room(wanted):
    placed = spread_apart(wanted, 0.1, 0.0, 1.0)
    assert all(-1e-9 <= position <= 1 + 1e-9 for position in placed)
    assert all(after - before >= 0.1 * (1 - 1e-9) for before, after in pairwise(placed))


def test_the_same_records_give_the_same_bytes(tmp_path):
    def drawn():
        found = figures(load_run(tmp_path))
        return [(name, svg(figure, letters_as_paths=True), png(figure)) for name, figure in found.items()]

    write_run(tmp_path, entries(sizes=SIZES[:3], dtypes=["float64"]))
    assert drawn() == drawn()


def test_a_standard_run_gives_every_figure(tmp_path):
    names = list(figures(load_run(write_run(tmp_path))))
    kinds = ("time", "limit", "roofline", "speedup-over-python-loop", "speedup-over-numpy-blas")
    expected = [f"{kind}-step-{dtype}-gd-2-warm" for dtype in ("float64", "float32") for kind in kinds]
    assert names == [*expected, "phases", "start"]


def test_a_speed_up_over_the_loop_ends_where_the_loop_ended(tmp_path):
    run = load_run(write_run(tmp_path))
    (view, *_), loop = views(run), run.row_of_technique("interpreted loop")
    largest = [record.case.m * record.case.n for row in view.rows for record, _ in view.speedups(row, loop)]
    assert max(largest) == 1_000_000  # 100,000 × 100 and 1,000,000 × 20 were beyond the loop


def test_a_row_keeps_its_look_whatever_the_order_and_its_colour_whatever_runs_beside_it():
    rows = [row(model.name, model.library, model.technique, model.device) for model in ROWS]
    everywhere = styles(rows)
    assert styles(reversed(rows)) == everywhere
    for each in rows:
        assert styles([each])[each.name].colour == everywhere[each.name].colour


def test_rows_of_a_run_look_different():
    rows = [row(f"{library}-{k}", library, f"technique {k}") for library in "abcdefgh" for k in range(len(COLOURS))]
    assert len({(look.colour, look.marker, look.dashes) for look in styles(rows).values()}) == len(rows)


def test_a_technique_on_both_devices_differs_by_its_line_only():
    looks = styles([row("x-cpu", "x", "same"), row("x-cuda", "x", "same", "cuda")])
    cpu, cuda = looks["x-cpu"], looks["x-cuda"]
    assert (cpu.colour, cpu.marker) == (cuda.colour, cuda.marker)
    assert cpu.dashes != cuda.dashes


@pytest.mark.parametrize("ground", [0, 1], ids=["light", "dark"])
def test_every_colour_stands_out_from_its_ground(ground):
    paper = ("#ffffff", "#14181d")[ground]
    for pair in COLOURS:
        assert contrast(pair[ground], paper) >= 3


def contrast(one, other):
    """The contrast ratio of WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_label_is_text_whatever_it_says(tmp_path):
    wild = [entry(synthetic_runs.ROWS[1], 1000, 20, row="$x_1$ <script>")]
    drawing = svg(time_figure(views(load_run(write_run(tmp_path, wild)))[0]), letters_as_paths=False)
    assert "&lt;script&gt;" in drawing
    assert "<script>" not in drawing
    assert "$x_1$" in drawing


def test_drawing_leaves_no_global_state_behind(tmp_path):
    write_run(tmp_path, entries(sizes=SIZES[:2], dtypes=["float64"]))
    program = (
        "import sys, pathlib, matplotlib\n"
        "matplotlib.rcParams['backend'] = 'agg'\n"  # reading an automatic backend would load pyplot
        "before = dict(matplotlib.rcParams)\n"
        "from stepreports import write_report\n"
        f"write_report(pathlib.Path({str(tmp_path)!r}))\n"
        "assert dict(matplotlib.rcParams) == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})


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
    assert roof_lines(run) == []


def test_every_roof_of_the_machine_is_told(tmp_path):
    told = {line["limit"]: line["measured"] for line in roof_lines(load_run(write_run(tmp_path)))}
    assert told == {
        "reading 33 kB, the best of all sizes": "180 GB/s",
        "reading 540 MB, the largest": "28.5 GB/s",
        "multiply-adds in float32": "190 GFLOP/s",
        "multiply-adds in float64": "95 GFLOP/s",
    }
