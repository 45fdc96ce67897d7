"""The worker's clock is believed as far as the runner's shows."""

from hypothesis import given
from hypothesis import strategies as st

from stepbench.proof.clocks import RECENT, PipeCost, believed_seconds

SECONDS = st.floats(0.0, 10.0)


@given(SECONDS, SECONDS, SECONDS)
def test_no_round_counts_less_than_the_runner_saw_but_for_two_empty_visits_nor_more_than_it_saw(told, seen, empty):
    believed = believed_seconds(told, seen, empty)
    assert seen - 2.0 * empty <= believed <= max(seen, 0.0)


@given(SECONDS, SECONDS)
def test_an_honest_clock_is_believed(told, empty):
    """The runner sees the round and one empty visit."""
    assert believed_seconds(told, told + empty, empty) == told


def test_a_few_dear_visits_do_not_make_a_visit_dear():
    pipe = PipeCost()
    assert pipe.usual == 0.0
    for seconds in (5e-5, 6e-5, 7e-5, 1.0):
        pipe.add(seconds)
    assert pipe.usual == 6.5e-5


def test_a_visit_costs_what_it_does_now():
    pipe = PipeCost([1.0] * RECENT)
    for _ in range(RECENT):
        pipe.add(2.0)
    assert pipe.usual == 2.0
