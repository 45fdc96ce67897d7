"""Properties that hold for every problem: found by hypothesis, asked of each row that does not compile a shape anew."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepkernels import GD, Config, Problem, reference
from stepkernels.agreement import Traits, expect_step
from stepkernels.problem import safe_learning_rate
from stepkernels.reference import Point

L2 = 0.125


@st.composite
def problems(draw):
    """Any shape up to 12 × 6; entries of any size a person would meet, zeros and repetitions among them."""
    m, n = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    entries = st.one_of(st.integers(-3, 3).map(float), st.floats(-50.0, 50.0, allow_subnormal=False))
    X = draw(st.lists(st.lists(entries, min_size=n, max_size=n), min_size=m, max_size=m))
    y = draw(st.lists(st.integers(0, 1), min_size=m, max_size=m))
    w = draw(st.lists(st.floats(-3.0, 3.0), min_size=n, max_size=n))
    return Problem(X, y, w, draw(st.floats(-3.0, 3.0)))


@pytest.fixture
def kernel(row):
    if row.compiles_per_shape:
        pytest.skip(f"{row.name} compiles each of hundreds of shapes")
    return row


def gradient_of(kernel, problem, l2=L2, optimizer=None):
    """J, gw, gb and their bounds, from one step."""
    config = Config(optimizer=optimizer or GD(), l2=l2)
    workspace = kernel.bind(problem, config)
    workspace.step()
    snapshot = workspace.snapshot()
    bounds = expect_step(problem, config, Point.start(problem), Traits.of(kernel))
    return snapshot, bounds


def assert_equal_within(first, second, *, J=1.0, gw=1.0, gb=1.0):
    """Equal up to both bounds; the second's gradients times the factors given."""
    (a, δa), (b, δb) = first, second
    for name, factor in (("J", J), ("gw", gw), ("gb", gb)):
        allowed = δa[name].bound + np.abs(factor) * δb[name].bound
        difference = np.abs(getattr(a, name) - factor * getattr(b, name))
        assert (difference <= allowed).all(), f"{name}: {difference} > {allowed}"


every = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@every
@given(problem=problems(), seed=st.integers(0, 2**16))
def test_the_order_of_rows_does_not_matter(kernel, problem, seed):
    order = np.random.default_rng(seed).permutation(problem.m)
    shuffled = Problem(problem.X[order], problem.y[order], problem.w0, problem.b0)
    assert_equal_within(gradient_of(kernel, problem), gradient_of(kernel, shuffled))


@every
@given(problem=problems())
def test_the_order_of_features_does_not_matter(kernel, problem):
    reversed_features = Problem(problem.X[:, ::-1].copy(), problem.y, problem.w0[::-1].copy(), problem.b0)
    (a, δa), (b, δb) = gradient_of(kernel, problem), gradient_of(kernel, reversed_features)
    assert (np.abs(a.gw - b.gw[::-1]) <= δa["gw"].bound + δb["gw"].bound[::-1]).all()


@every
@given(problem=problems())
def test_data_twice_is_the_same_data(kernel, problem):
    doubled = Problem(np.vstack([problem.X] * 2), np.tile(problem.y, 2), problem.w0, problem.b0)
    assert_equal_within(gradient_of(kernel, problem), gradient_of(kernel, doubled))


@every
@given(problem=problems())
def test_the_other_class_is_a_mirror(kernel, problem):
    """y → 1 − y with w → −w, b → −b: the same cost, the opposite gradient."""
    mirrored = Problem(problem.X, 1.0 - problem.y, -problem.w0, -problem.b0)
    assert_equal_within(gradient_of(kernel, problem), gradient_of(kernel, mirrored), gw=-1.0, gb=-1.0)


@every
@given(problem=problems(), power=st.integers(-10, 10))
def test_a_scaled_feature_scales_its_gradient(kernel, problem, power):
    """A power of two, against its weight: the same margins to the last bit, the gradient as much larger."""
    scale = 2.0**power
    scaled = Problem(problem.X * scale, problem.y, problem.w0 / scale, problem.b0)
    first, second = gradient_of(kernel, problem, l2=0.0), gradient_of(kernel, scaled, l2=0.0)
    assert_equal_within(first, second, gw=1.0 / scale)


@every
@given(problem=problems())
def test_the_cost_never_rises_below_the_inverse_of_the_curvature(kernel, problem):
    rate = safe_learning_rate(problem, L2)
    config = Config(optimizer=GD(learning_rate=rate), l2=L2)
    workspace = kernel.bind(problem, config)
    previous = np.inf
    for _ in range(10):
        bound = expect_step(problem, config, Point.of(workspace.snapshot()), Traits.of(kernel))["J"].bound
        workspace.step()
        J = float(workspace.snapshot().J)
        assert previous + 2 * bound >= J
        previous = J


@every
@given(problem=problems(), direction=st.integers(0, 6))
def test_the_gradient_is_the_difference_of_the_cost(kernel, problem, direction):
    """Along an axis, fourth order, where the entries are of ordinary size."""
    calm = Problem(np.clip(problem.X, -3.0, 3.0), problem.y, problem.w0, problem.b0)
    snapshot, _ = gradient_of(kernel, calm)
    axis, h = np.eye(calm.n + 1)[direction % (calm.n + 1)], 1e-3
    start = Point.start(calm).parameters

    def cost(steps):
        moved = start + steps * h * axis
        return reference.gradient(calm, moved[:-1], float(moved[-1]), L2).J

    difference = (8 * (cost(1) - cost(-1)) - (cost(2) - cost(-2))) / (12 * h)
    assert np.append(snapshot.gw, snapshot.gb) @ axis == pytest.approx(difference, abs=1e-9)


def test_the_gradient_vanishes_at_the_optimum(kernel):
    """Newton's method on the reference finds the optimum; every row must call it one."""
    random = np.random.default_rng(8)
    X = random.standard_normal((60, 3))
    problem = Problem(X, random.integers(0, 2, 60))
    design, parameters = np.column_stack([X, np.ones(60)]), np.zeros(4)
    for _ in range(30):
        p = reference.sigmoid(design @ parameters)
        hessian = (design.T * (p * (1 - p))) @ design / 60 + np.diag([L2, L2, L2, 0.0])
        g = reference.gradient(problem, parameters[:-1], float(parameters[-1]), L2).packed
        parameters = parameters - np.linalg.solve(hessian, g)
    snapshot, bounds = gradient_of(kernel, Problem(X, problem.y, parameters[:-1], float(parameters[-1])))
    assert (np.abs(snapshot.gw) <= 3 * bounds["gw"].bound).all()
    assert abs(snapshot.gb) <= 3 * bounds["gb"].bound


def test_the_reference_passes_gradcheck():
    """torch differentiates the reference's cost numerically and compares it with the reference's gradient."""
    torch = pytest.importorskip("torch")
    problem = Problem(np.random.default_rng(4).standard_normal((11, 3)), [0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0])

    class Cost(torch.autograd.Function):
        @staticmethod
        def forward(context, parameters):
            values = parameters.detach().numpy()
            at = reference.gradient(problem, values[:-1], float(values[-1]), L2)
            context.save_for_backward(torch.from_numpy(at.packed))
            return torch.tensor(at.J, dtype=torch.float64)

        @staticmethod
        def backward(context, upstream):
            return upstream * context.saved_tensors[0]

    start = torch.tensor([0.3, -0.7, 1.1, 0.2], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(Cost.apply, (start,))
