"""The bound again, written out for single numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from expectations import ADAM, expected
from stepkernels import GD, Adam, Config, Problem
from stepkernels.agreement import Traits, expect_update
from stepkernels.problem import unit_roundoff
from stepkernels.reference import Gradient, Point

U32, U64, TINY32 = unit_roundoff("float32"), unit_roundoff("float64"), float(np.finfo(np.float32).tiny)


def sigma(t):
    return 1.0 / (1.0 + math.exp(-t))


@pytest.mark.parametrize("difference", [False, True])
def test_the_bound_of_two_rows_by_hand(difference):
    """Rows (2, −1) and (0, 3) with w = (0.5, 0.25), b = 0.75, of class 0 and 1: margins 1.5 and −1.5."""
    problem = Problem(np.array([[2.0, -1.0], [0.0, 3.0]], np.float32), [0, 1])
    traits = Traits("blocked", "difference" if difference else "stable")
    expectation = expected(problem, [0.5, 0.25], b=0.75, traits=traits, l2=0.5)

    def by_hand(u, tiny, *, differs):
        δJ, δgw, δgb, total_r, total_loss, columns = 0.0, [0.0, 0.0], 0.0, 0.0, 0.0, [0.0, 0.0]
        for x, y, scale, terms in (((2.0, -1.0), 0, 2.0, 3), ((0.0, 3.0), 1, 1.5, 2)):
            z = 0.5 * x[0] + 0.25 * x[1] + 0.75
            t = (1 - 2 * y) * z
            r, loss = sigma(t), math.log1p(math.exp(t))
            δz = 4 * u * math.sqrt(terms) * scale
            δr = r * (1 - r) * math.exp(δz) * δz + 4 * u * r + (4 * u * sigma(z) if differs else 0.0) + 3 * tiny
            δJ += r * math.exp(δz) * δz + (4 * u * abs(z) if differs else 0.0)
            total_r, total_loss, δgb = total_r + r, total_loss + loss, δgb + δr
            columns = [c + r * abs(v) for c, v in zip(columns, x, strict=True)]
            δgw = [c + δr * abs(v) for c, v in zip(δgw, x, strict=True)]
        grown = [4 * u * math.sqrt(k) * c for k, c in zip((1, 2), columns, strict=True)]
        δgw = [(a + b) / 2 + 4 * u * 0.5 * w for a, b, w in zip(δgw, grown, (0.5, 0.25), strict=True)]
        penalty = 0.25 * (0.5**2 + 0.25**2)
        δJ = (δJ + 4 * u * math.sqrt(2) * total_loss) / 2 + (4 + 2) * u * penalty
        return δJ, δgw, (δgb + 4 * u * math.sqrt(2) * total_r) / 2

    row, truth = by_hand(U32, TINY32, differs=difference), by_hand(U64, 0.0, differs=False)
    assert expectation["J"].bound == pytest.approx(row[0] + truth[0], rel=1e-12, abs=0.0)
    assert expectation["gw"].bound == pytest.approx(
        [a + b for a, b in zip(row[1], truth[1], strict=True)], rel=1e-12, abs=0.0
    )
    assert expectation["gb"].bound == pytest.approx(row[2] + truth[2], rel=1e-12, abs=0.0)


def test_the_bound_of_a_descent_by_hand():
    point = Point(w=np.array([8.0, 1.0]), b=-2.0, moment1=np.zeros(3), moment2=np.zeros(3), step=0)
    gradient = Gradient(J=0.0, gw=np.array([3.0, 0.0]), gb=-5.0)
    bound = Gradient(J=0.0, gw=np.array([0.01, 0.0]), gb=0.02)
    after = expect_update(Config(dtype="float32", optimizer=GD(learning_rate=0.25)), point, gradient, bound)
    assert after["w"].bound[0] == pytest.approx(0.25 * (0.01 + 4 * U32 * 3.0) + 4 * U32 * 8.0, rel=1e-12, abs=0.0)
    assert after["w"].bound[1] == pytest.approx(4 * U32, rel=1e-12, abs=0.0)
    assert after["b"].bound == pytest.approx(0.25 * (0.02 + 4 * U32 * 5.0) + 4 * U32 * 2.0, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 2.0**-9])
def test_the_bound_of_an_adam_update_by_hand(dtype, scale):
    """Update 3 with gradients −3 and 5, moments (2, −1) and (7, 4): every term of the derivation is of some size.

    And all of it smaller, where the root of the second moment is less than 1.
    """
    u = unit_roundoff(dtype)
    moment1, moment2 = scale * np.array([2.0, -1.0]), scale**2 * np.array([7.0, 4.0])
    point = Point(w=np.array([8.0]), b=-2.0, moment1=moment1, moment2=moment2, step=2)
    gradient = Gradient(J=0.0, gw=np.array([-3.0 * scale]), gb=5.0 * scale)
    bound = Gradient(J=0.0, gw=np.array([16 * u * scale]), gb=32 * u * scale)
    after = expect_update(Config(dtype=dtype, optimizer=ADAM), point, gradient, bound)
    c1, c2 = 1 - 0.8**3, 1 - 0.95**3
    for k, (name, before) in enumerate((("w", 8.0), ("b", 2.0))):
        g, δg = abs(gradient.packed[k]), bound.packed[k]
        old1, old2, signed = abs(point.moment1[k]), point.moment2[k], gradient.packed[k]
        δ1 = 0.2 * (δg + 4 * u * g) + 4 * u * old1 + u * 0.8 * (old1 + g)
        δ2 = 0.05 * (2 * g + δg) * δg + 4 * u * (old2 + 0.05 * g**2) + u * 0.95 * (old2 + g**2)
        assert after["moment1"].bound[k] == pytest.approx(δ1, rel=1e-9, abs=0.0)
        assert after["moment2"].bound[k] == pytest.approx(δ2, rel=1e-9, abs=0.0)
        moment1, moment2 = 0.8 * point.moment1[k] + 0.2 * signed, 0.95 * old2 + 0.05 * g**2
        root = math.sqrt(moment2 / c2)
        change = 0.1 * abs(moment1 / c1) / (root + 1e-3)
        δroot = δ2 / c2 / root
        lowest = root - δroot + 1e-3
        δcorrections = U64 * math.sqrt(3) * (0.8**3 / c1 + 0.95**3 / c2)
        δchange = (0.1 * δ1 / c1 + change * δroot) / lowest + 4 * (u + δcorrections) * change
        assert after[name].bound == pytest.approx(δchange + 4 * u * before, rel=1e-9, abs=0.0)


def test_the_cap_of_an_adam_update_by_hand():
    """A gradient known to nothing: lr·√c2/c1 times the largest ratio of the moments, and the change itself."""
    adam = replace(ADAM, epsilon=1e-30)
    point = Point(w=np.zeros(1), b=0.0, moment1=np.array([3e-3, 0.0]), moment2=np.array([4e-6, 0.0]), step=6)
    nothing = Gradient(J=0.0, gw=np.zeros(1), gb=1e-9)
    after = expect_update(Config(optimizer=adam), point, nothing, Gradient(J=0.0, gw=np.ones(1), gb=1.0))
    c1, c2 = 1 - 0.8**7, 1 - 0.95**7
    largest = 0.1 * math.sqrt(c2) / c1
    history = 0.8 * 3e-3 / math.sqrt(0.95 * 4e-6)
    ratio = math.hypot(history, 0.2 / math.sqrt(0.05))
    assert after["w"].bound == pytest.approx(largest * ratio + largest * history, rel=1e-6)
    first = 0.2 / math.sqrt(0.05)
    assert after["b"].bound == pytest.approx(2 * largest * first, rel=1e-6)


def test_corrections_in_float64_by_hand():
    """Where a float64 row changes much and holds little, the rounding of 1 − βᵗ is what decides."""
    adam = Adam(learning_rate=1.0, beta1=0.0, beta2=0.999, epsilon=1e-8)
    point = Point(w=np.zeros(1), b=0.0, moment1=np.zeros(2), moment2=np.array([1e-2, 1e-2]), step=3)
    gradient = Gradient(J=0.0, gw=np.ones(1), gb=1.0)
    bound = expect_update(Config(optimizer=adam), point, gradient)["w"].bound
    kept = 0.999**4
    change = 1.0 / (math.sqrt((0.999 * 1e-2 + 1e-3) / (1 - kept)) + 1e-8)
    assert bound > 4 * U64 * math.sqrt(4) * kept / (1 - kept) * change
    assert bound < 2 * 4 * U64 * math.sqrt(4) * kept / (1 - kept) * change
