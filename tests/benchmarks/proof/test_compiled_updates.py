"""Compiled updates are the reference's, to the last bit, however many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepbench.proof import compiled_updates
from stepbench.proof.compiled_updates import updated
from stepkernels import reference
from stepkernels.problem import GD, Adam, synthetic_problem
from stepkernels.reference import Gradient, Point

OPTIMIZERS = [GD(learning_rate=0.3), Adam(learning_rate=0.07, beta1=0.83, beta2=0.991, epsilon=1e-7)]


def one_by_one(start, gradient, optimizer, updates):
    point, length = start, 0.0
    for _ in range(updates):
        before, point = point, reference.update(point, gradient, optimizer)
        length += np.linalg.norm(point.parameters - before.parameters)
    return point, length


@settings(deadline=None)  # the first compiles
@given(st.integers(1, 9), st.integers(0, 40), st.sampled_from(OPTIMIZERS), st.integers(0, 2**20), st.integers(0, 2**32))
def test_they_are_those_of_the_reference(n, updates, optimizer, step, seed):
    draw = np.random.default_rng(seed)
    start = Point(
        w=draw.normal(size=n), b=draw.normal(), moment1=draw.normal(size=n + 1), moment2=draw.random(n + 1), step=step
    )
    gradient = Gradient(J=1.0, gw=draw.normal(size=n), gb=draw.normal())
    (point, length), (expected, expected_length) = (
        each(start, gradient, optimizer, updates) for each in (updated, one_by_one)
    )
    for name in ("w", "b", "moment1", "moment2", "step"):
        np.testing.assert_array_equal(getattr(point, name), getattr(expected, name), err_msg=name)
    assert length == pytest.approx(expected_length, rel=1e-12)


def test_adam_goes_on_from_one_table_of_corrections_to_the_next(monkeypatch):
    start, gradient = Point.start(synthetic_problem(3, 4)), Gradient(J=1.0, gw=np.arange(4.0), gb=0.5)
    whole, _ = updated(start, gradient, OPTIMIZERS[1], 8)
    monkeypatch.setattr(compiled_updates, "STEPS_AT_ONCE", 3)
    parts, _ = updated(start, gradient, OPTIMIZERS[1], 8)
    np.testing.assert_array_equal(parts.parameters, whole.parameters)
