"""The loss: minus the logarithm of a chance, and exact where the formula as first written is not."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch

from stepbench.lesson import (
    descent,
    likelihood,
)
from stepbench.lesson.students import HOURS, students, x, y


def test_the_likelihood_is_the_product_of_the_chances_and_its_mean_logarithm_the_cost():
    found = likelihood.likelihood()
    w, b = descent.best_point(students())
    chances = [1 / (1 + mpmath.exp(-(1 if label else -1) * (w * each + b))) for each, label in zip(x, y, strict=True)]
    assert found.product == pytest.approx(float(mpmath.fprod(chances)), rel=1e-13)
    assert found.logarithm == pytest.approx(float(mpmath.log(mpmath.fprod(chances))), rel=1e-13)
    assert found.mean == pytest.approx(-found.logarithm / len(HOURS), rel=1e-13)
    assert found.coins_product == 0.0
    z = torch.tensor([found.saturating - 1.0, found.saturating])
    assert torch.sigmoid(z).eq(1).tolist() == [False, True]
    assert found.coins_logarithm == pytest.approx(float(found.coins * mpmath.log(0.5)), rel=1e-14)


def test_the_losses_are_minus_the_logarithms():
    for a, one, zero in likelihood.losses():
        assert one == pytest.approx(float(-mpmath.log(a)), rel=1e-14)
        assert zero == pytest.approx(float(-mpmath.log(1 - mpmath.mpf(a))), rel=1e-13)


def test_the_stable_loss_is_exact_where_the_naive_one_fails_as_shown():
    shown = {(case.z, case.y): case for case in likelihood.strained()}
    with mpmath.workdps(60):
        for (z, label), case in shown.items():
            exact = float(mpmath.log(1 + mpmath.exp((1 - 2 * label) * mpmath.mpf(z))))
            assert case.stable == pytest.approx(exact, rel=1e-15)
    assert shown[2.0, 1].naive == pytest.approx(shown[2.0, 1].stable, rel=1e-12)
    assert abs(shown[36.0, 0].naive - 36.0) > 0.01
    assert shown[40.0, 0].naive == math.inf
    assert math.isnan(shown[40.0, 1].naive)
    assert shown[-800.0, 1].naive == math.inf
