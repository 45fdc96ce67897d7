"""np.seterr(all="raise") around whatever there is changes nothing, however large the margins are."""

import numpy as np
import pytest

from stepkernels import GD, Adam, Config, Op, Problem, reference, synthetic_problem
from stepkernels.agreement import Traits, compare, expect_step, expect_update, smallest_visible_change
from stepkernels.problem import safe_learning_rate
from stepkernels.reference import Gradient, Point

OPTIMIZERS = (GD(learning_rate=1e-200), Adam(learning_rate=0.01))


@pytest.fixture(autouse=True)
def raising():
    with np.errstate(all="raise"):
        yield


def extreme(dtype):
    """Margins to ±10⁴, whose exponentials underflow; a column whose squares do; weights of either kind."""
    plain = synthetic_problem(40, 3, dtype)
    X = plain.X * np.linspace(0.1, 3000, 40, dtype=dtype)[:, None]
    X[:, 2] = np.finfo(dtype).tiny * 4
    return Problem(X, plain.y, np.array([0.7, 1.1, 1e-37]), -0.3)


def test_nothing_is_raised_by_no_row(row):
    for dtype in ("float64",) if row.compiles_per_shape else row.dtypes:
        for optimizer in OPTIMIZERS:
            problem, config = extreme(dtype), Config(dtype=dtype, optimizer=optimizer, l2=1e-30)
            workspace = row.bind(problem, config)
            for op in row.ops:
                arguments = (2,) if op is Op.TRAIN else ()
                getattr(workspace, op)(*arguments)
            w = np.array([1e-40, 0.5, 1e-300])  # some of which is too small for float32
            workspace.reset(w, 1e-40, (np.full(4, 1e-45), np.full(4, 1e-300)), 3)
            point = Point.of(workspace.snapshot())
            workspace.step()
            expected = expect_step(problem, config, point, Traits.of(row))
            assert compare(workspace.snapshot(), expected, dtype).agrees


def test_nothing_is_raised_by_the_truth_and_its_bounds():
    for dtype in ("float32", "float64"):
        problem = extreme(dtype)
        for given in (problem, Problem(problem.X, problem.y, problem.w0, -0.3, np.geomspace(1e-200, 1e200, 40))):
            point = Point.start(given)
            reference.forward(given, point.w, point.b, 1e-300)
            gradient, after = reference.step(given, Config(optimizer=OPTIMIZERS[1], l2=1e-300), point)
            after.astype("float32")
            expected = expect_step(given, Config(dtype=dtype), point, Traits("sequential", "difference"))
            smallest_visible_change(expected)
            expect_update(Config(dtype=dtype, optimizer=OPTIMIZERS[1]), after, gradient)
            tiny = Gradient(J=0.0, gw=np.full(3, 1e-300), gb=1e-320)
            expect_update(Config(dtype=dtype, optimizer=OPTIMIZERS[1]), after, tiny)
            safe_learning_rate(given)
    assert reference.sigmoid(np.array([-1e4])) == reference.softplus(np.array([-1e4])) == 0.0


def test_data_are_rounded_silently_where_nothing_is_lost_but_digits():
    narrow = Problem([[1e-300, 1.0]], [1], [1e-320, 0.0], 1e-310).astype("float32")
    assert narrow.X[0].tolist() == [0.0, 1.0]
    assert narrow.b0 == 0.0
