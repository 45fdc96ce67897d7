"""Labels at the ends of lines: in their order, apart, and no further away than they must be."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepreports.figures.axes import spread_apart


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
