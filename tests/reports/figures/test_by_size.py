"""The figures against size: the same bytes for the same records, names as they are, no global state."""

from __future__ import annotations

import subprocess
import sys

from stepreports.figures.axes import png, svg
from stepreports.figures.by_size import figures, time_figure
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from synthetic_runs import ROWS, SIZES, entries, entry, write_run


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
    assert names == [*expected, "phases", "start", "drift"]


def test_a_speed_up_over_the_loop_ends_where_the_loop_ended(tmp_path):
    run = load_run(write_run(tmp_path))
    (view, *_), loop = views(run), run.row_of_technique("interpreted loop")
    largest = [record.case.m * record.case.n for row in view.rows for record, _ in view.speedups(row, loop)]
    assert max(largest) == 1_000_000  # 100,000 × 100 and 1,000,000 × 20 were beyond the loop


def test_a_label_is_text_whatever_it_says(tmp_path):
    wild = [entry(ROWS[1], 1000, 20, row="$x_1$ <script>")]
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
