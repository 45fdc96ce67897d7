"""Where many steps lead: an honest row stays far within the bounds, and one wrong step of them all is far beyond."""

import numpy as np
import pytest

from gallery.honest import Honest
from stepbench.checking import scenes
from stepbench.checking.trajectory import follow, slow_descent
from stepbench.checking.trials import Setup
from stepkernels import GD, Adam, Config
from stepkernels.agreement import STEP_FIELDS, Traits, compare
from stepkernels.catalog import CATALOG
from stepkernels.problem import safe_learning_rate
from stepkernels.reference import Point, step

TRAITS = Traits("blocked", "stable")
LENGTHS = [("float64", "gd", 4300), ("float64", "adam", 1000), ("float32", "gd", 64), ("float32", "adam", 64)]


def walked(problem, config, steps, skipped=-1):
    """A row after so many steps, one of which may have left the parameters where they were."""
    row = Honest(problem, config)
    for k in range(steps):
        kept = row.parameters.copy()
        row.step()
        if k == skipped:
            row.parameters[:] = kept
    return row.snapshot()


@pytest.mark.parametrize(("dtype", "optimizer", "steps"), LENGTHS)
def test_an_honest_row_is_far_within_and_one_step_left_out_far_beyond(dtype, optimizer, steps):
    random = np.random.default_rng(7)
    scene, config = slow_descent(random, dtype, optimizer, steps)
    stretch = follow(scene.problem, config, Point.start(scene.problem), steps, TRAITS)
    assert compare(walked(scene.problem, config, steps), stretch.expectation, dtype).worst < 0.3
    for skipped in (0, int(random.integers(steps)), steps - 1):
        found = compare(walked(scene.problem, config, steps, skipped), stretch.expectation, dtype)
        assert max(found.errors["w"], found.errors["b"]) > 4.0


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_the_values_are_those_of_the_reference(optimizer):
    scene, config = slow_descent(np.random.default_rng(8), "float64", optimizer, 40)
    stretch = follow(scene.problem, config, Point.start(scene.problem), 40, TRAITS)
    point = Point.start(scene.problem)
    for k in range(40):
        gradient, point = step(scene.problem, config, point)
        assert float(stretch.costs[k].value) == gradient.J
    np.testing.assert_array_equal(stretch.expectation["w"].value, point.w)
    np.testing.assert_array_equal(stretch.expectation["gw"].value, gradient.gw)
    assert set(stretch.expectation) == set(STEP_FIELDS)


def test_a_descent_is_non_expansive_at_that_rate():
    """What the sum of the bounds rests on: two points come no further apart."""
    random = np.random.default_rng(9)
    for _ in range(50):
        scene, config = slow_descent(random, "float64", "gd", 100)
        fastest = safe_learning_rate(scene.problem, config.l2)
        config = Config(optimizer=type(config.optimizer)(learning_rate=fastest), l2=config.l2)
        start = Point.start(scene.problem)
        other = Point(
            w=start.w + random.standard_normal(scene.problem.n), b=0.0, moment1=start.moment1,
            moment2=start.moment2, step=0,
        )  # fmt: skip
        apart = np.linalg.norm(start.parameters - other.parameters)
        after = [step(scene.problem, config, each)[1].parameters for each in (start, other)]
        assert np.linalg.norm(after[0] - after[1]) <= apart


@pytest.mark.parametrize("optimizer", [GD(learning_rate=10.0), Adam(learning_rate=10.0, beta1=0.999, beta2=0.0)])
@pytest.mark.parametrize("kind", ["ordinary data", "planted rows"])
def test_thousands_of_steps_stay_finite_whatever_was_drawn(optimizer, kind):
    """A check that calls NaN a disagreement must not ask for it: drawn settings may overflow in a thousand steps."""
    row = CATALOG["numpy-blas"]
    for seed in range(5):
        random = np.random.default_rng(seed)
        config = Config(dtype="float32", optimizer=optimizer, l2=1.0)
        setup = Setup(row, scenes.scene(kind, 257, 33, "float32", random), config, config, random)
        bound = setup.bind_for(8192)
        bound.run("step", times=8192)
        assert all(np.isfinite(getattr(bound.snapshot(), name)).all() for name in STEP_FIELDS)


def test_every_row_of_a_trial_keeps_its_numbers_in_what_it_is_asked_to():
    config = Config(dtype="float32", storage="int8")
    random = np.random.default_rng(3)
    setup = Setup(
        CATALOG["numba-fused"], scenes.scene("ordinary data", 33, 7, "float32", random), config, config, random
    )
    assert [each.config.storage for each in (setup.bind(), setup.bind_slow(40), setup.bind_for(40))] == ["int8"] * 3
