"""Where things lie in a process's memory: drawn anew for each, the same when done again, and in the record."""

import math

import pytest

from runs import benchmarks, brief
from stepbench.evidence.layout_effects import ALIKE, KINDS, PADDED, SHIFTED, copies_of, differences
from stepbench.run.memory_layout import LINE_BYTES, PADDING, PAGE_BYTES, drawn_layout
from stepbench.run.participants import Participant
from stepbench.run.processes import environment_of_worker
from stepkernels.catalog import CATALOG

NUMPY = CATALOG["numpy-blas"]


def test_each_generation_and_each_process_has_a_layout_of_its_own_and_the_same_again():
    drawn = {(g, name): drawn_layout(7, g, name) for g in range(20) for name in ("numpy-blas", "numpy-blas#1")}
    assert len(set(drawn.values())) == len(drawn)
    assert all(drawn_layout(7, *key) == layout for key, layout in drawn.items())
    assert drawn_layout(8, 0, "numpy-blas") != drawn[0, "numpy-blas"]


def test_x_begins_at_a_line_of_its_page_and_every_line_can_be_drawn():
    offsets = {drawn_layout(0, g, "row").x_offset_bytes for g in range(2000)}
    assert offsets == set(range(0, PAGE_BYTES, LINE_BYTES))


def test_the_environment_is_as_much_larger_as_was_drawn(tmp_path):
    layout = drawn_layout(0, 0, "row")
    assert len(environment_of_worker(Participant(NUMPY), 1, tmp_path, layout)[PADDING]) == layout.padding_bytes
    assert environment_of_worker(Participant(NUMPY), 1, tmp_path)[PADDING] == ""


def test_the_layouts_are_in_the_record(tmp_path):
    """Of each generation; those of the seed."""
    arguments = ("--rows", "numpy-blas", "--sizes", "37x5", "--seed", 3, "--threads", 1)
    assert brief("run", *arguments, "--out", tmp_path / "run").returncode == 0
    for entry in benchmarks(tmp_path / "run"):
        drawn = drawn_layout(3, 0, entry["params"]["row"])
        info = entry["extra_info"]
        assert (info["padding_bytes"], info["x_offset_bytes"]) == ([drawn.padding_bytes], [drawn.x_offset_bytes])


def test_what_layouts_do_is_measured_against_processes_that_are_alike():
    """Copies that differ by 10 % up and down, of one kind alone; a generation or a case that is slower is no layout."""
    copies = copies_of(lambda _: NUMPY, 2)
    assert [copy.layout is None for copy in copies] == [False] * len(copies)
    timed = {
        (f"{kind} {k}", case): {
            (g, t): math.exp(0.1 * (-1) ** k * (kind == SHIFTED)) * (1 + g) * len(case)
            for g in range(3)
            for t in range(4)
        }
        for kind in KINDS
        for k in range(2)
        for case in ("small", "larger")
    }
    found = differences(timed)
    assert found == {ALIKE: pytest.approx(0), PADDED: pytest.approx(0), SHIFTED: pytest.approx(0.1 * math.sqrt(2))}
