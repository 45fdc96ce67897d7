"""The ranking on a terminal fits it: what has no room is left out, and no line is folded or cut off."""

import math

import pytest

from stepbench.commands.ranking_table import ranking_lines
from stepreports.statistics.runs import load_run
from stepreports.telling.ranking import rankings
from synthetic_runs import ROWS, SIZES, entries, entry, write_run


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    return rankings(load_run(write_run(tmp_path_factory.mktemp("ranked"), entries(sizes=SIZES[:3]))))


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_screen(ranked, width):
    told = [line.plain for line in ranking_lines(ranked, width)]
    assert max(map(len, told)) <= width
    for row in {place.record.row.name for ranking in ranked for place in ranking.places}:
        assert sum(f" {row} " in line for line in told) == sum(
            place.record.row.name == row for ranking in ranked for place in ranking.places
        )


def test_intervals_are_told_where_there_is_room(ranked):
    wide, narrow = ("".join(line.plain for line in ranking_lines(ranked, width)) for width in (math.inf, 60))
    assert wide.count("[") > 2 * len(ranked)
    assert "[" not in narrow


def test_a_kernel_of_ones_own_is_marked(tmp_path):
    own = [entry(row, 1000, 20, own_kernel=row is ROWS[2]) for row in ROWS[1:4]]
    told = [line.plain for line in ranking_lines(rankings(load_run(write_run(tmp_path, own))), 80)]
    assert [line.split()[1] for line in told if line.startswith("* ")] == ["numba-loop"]
    assert " ".join(told).endswith("*: a kernel of yours.")


@pytest.mark.parametrize("width", [60, 80, math.inf])
def test_a_row_of_two_kinds_is_marked_and_both_are_told(tmp_path, width):
    stored = [entry(row, 1000, 20, generations=3, turns=40) for row in ROWS[1:4]]
    data = stored[0]["stats"]["data"]
    stored[0]["stats"]["data"] = [2 * each if turn % 3 == 0 else each for turn, each in enumerate(data)]
    told = [line.plain for line in ranking_lines(rankings(load_run(write_run(tmp_path, stored))), width)]
    assert [line.split()[0] for line in told if " ~ " in line and "×" not in line.split()[0]][:1] == ["numpy-blas"]
    whole = " ".join(told)
    assert "~: turns of two kinds" in whole
    assert "~ numpy-blas, step float64 at 1,000 × 20: turns of two kinds, 67 % at" in whole
    assert max(map(len, told)) <= width
