"""How many calls the loops of a look beside the rounds make."""

import pytest

from stepbench.run.visit import Visitor


@pytest.mark.parametrize(
    ("per_call", "mean_calls", "snapshot_seconds", "calls"),
    [
        pytest.param(60e-3, 20, 0.0, 1, id="a slow operation, whose rounds are long for the sake of its resets"),
        pytest.param(60e-3, 20, 1e-3, 1, id="the same once a snapshot is timed"),
        pytest.param(1e-3, 3, 0.0, 3, id="as many as a round"),
        pytest.param(1e-6, 3000, 0.0, 500, id="a short operation before a snapshot was timed"),
        pytest.param(1e-6, 3000, 9e-6, 300, id="both fill a round"),
        pytest.param(1e-6, 3000, 5e-3, 20, id="snapshots that take longer than a round"),
        pytest.param(1e-6, 12, 5e-3, 12, id="no more than a round has"),
    ],
)
def test_the_calls_of_a_look_and_their_snapshots_fill_a_round(per_call, mean_calls, snapshot_seconds, calls):
    visitor = Visitor(
        participant=None, worker=None, case=None, ready=None, timeout=1.0, pipe=None,
        per_call=per_call, mean_calls=mean_calls, snapshot_seconds=snapshot_seconds,
    )  # fmt: skip
    assert visitor.calls_of_a_look == calls
