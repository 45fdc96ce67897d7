"""Where many steps lead that nobody looks at, and how far from there an honest row may be.

A row's step is the true step and an error of at most δ, its bound for one step. How the errors of k steps add up:

Gradient descent. J is convex, and its gradient is Lipschitz with L ≤ λmax([X 1]ᵀ[X 1])/(4m) + l2. Then
⟨∇J(v) − ∇J(v′), v − v′⟩ ≥ ‖∇J(v) − ∇J(v′)‖²/L (Nesterov, *Introductory Lectures on Convex Optimization*, 2004,
theorem 2.1.5), and so with a learning rate of at most 2/L the step T is non-expansive: ‖T(v) − T(v′)‖ ≤ ‖v − v′‖. An
error once made does not grow, and after k steps the row is within

    E_k = ‖δ_1‖ + … + ‖δ_k‖

of the truth. There its J differs by at most ‖∇J‖·E + L·E²/2 and each element of its gradient by at most L·E, besides
their own bounds.

Adam. Its step is not non-expansive. Errors are carried on to first order, element by element: e of the parameters moves
the gradient by L·‖e‖, that and the gradient's own δ the moments, and those the next change lr·m̂/(√v̂ + ε). Where no
gradient is near zero, as on `slow_descent`, they grow by a small factor.

How much one wrong step shows. A slow path of k steps moves by the k-th part of its length in each, and may err by
k·4u of it: a step left out moves it by 1/(4u·k²) bounds, which in float64 is thousands after thousands of steps, in
float32 a few after hundreds. So float32 is looked at more often.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stepbench.checking.scenes import Random, Scene
from stepkernels import GD, Adam, Config, Problem
from stepkernels.agreement import Expectation, Expected, Traits, expect_step
from stepkernels.problem import Array, Optimizer, safe_learning_rate
from stepkernels.reference import Gradient, Point, gradient, update

STRIDE, MARGIN = 64, 2.0  # bounds are taken at every so many points; on a slow path they change by less than this
TRAVEL = 2.0  # k·lr·L: the path is neither at its end long before, nor has hardly begun
SHAPE = (11, 3)  # so few that each row and each column is much of the whole


class Stretch(NamedTuple):
    """What k steps must give: the state after them, J and gradient of the last, and the cost of every one."""

    expectation: Expectation
    costs: list[Expected]


def slow_descent(random: Random, dtype: str, optimizer: str, steps: int) -> tuple[Scene, Config]:
    """A small problem and settings with which so many steps are a path on which each of them shows.

    Far from the optimum and, for Adam, where no element of the gradient comes near zero.
    """
    m, n = SHAPE
    label = float(random.integers(2))
    X = random.uniform(0.1, 0.3, (m, n)) * random.choice([-1.0, 1.0], (m, n))
    w = random.uniform(2.0, 3.0, n) * random.choice([-1.0, 1.0], n)
    b = (1.0 - 2.0 * label) * random.uniform(1.5, 2.0)
    problem = Problem(X.astype(dtype), np.full(m, label, dtype), w.astype(dtype), b)
    return Scene("a slow descent", problem), slow_settings(random, problem, dtype, optimizer, steps)


def slow_settings(random: Random, problem: Problem, dtype: str, optimizer: str, steps: int) -> Config:
    """Settings with which so many steps neither reach the end of the path nor leave it: nothing overflows."""
    l2 = random.uniform(0.4, 0.6)
    rate = min(TRAVEL * safe_learning_rate(problem, l2) / 0.99 / steps, safe_learning_rate(problem, l2))
    return Config(dtype=dtype, optimizer=_slow(random, optimizer, rate), l2=l2)


def _slow(random: Random, optimizer: str, rate: float) -> Optimizer:
    """With an ε as large as the gradients: with a small one Adam's step hardly depends on how large they are."""
    if optimizer == GD.name:
        return GD(learning_rate=rate)
    beta1, beta2 = random.uniform(0.5, 0.9), random.uniform(0.9, 0.99)
    return Adam(learning_rate=rate, beta1=beta1, beta2=beta2, epsilon=random.uniform(0.5, 1.0))


class _Errors(NamedTuple):
    """The largest honest errors so far: of the parameters and of both moments, (n + 1,) each."""

    parameters: Array
    moment1: Array
    moment2: Array


def follow(problem: Problem, config: Config, point: Point, steps: int, traits: Traits) -> Stretch:
    """The truth of so many steps from `point`, and the bounds of a row of these traits.

    For gradient descent lr must be at most 2/L; there all elements share the one bound E.
    """
    curvature = 0.99 / safe_learning_rate(problem, config.l2)
    errors = _Errors(*(np.zeros(problem.n + 1) for _ in range(3)))
    costs = []
    for k in range(steps):
        if k % STRIDE == 0:
            own = expect_step(problem, config, point, traits)
        truth = gradient(problem, point.w, point.b, config.l2)
        distance = float(np.linalg.norm(errors.parameters))
        costs.append(_cost(truth, own, distance, curvature))
        before, point = point, update(point, truth, config.optimizer)
        errors = _next(errors, own, truth, point, config.optimizer, curvature * distance)
    at_last = gradient(problem, before.w, before.b, config.l2)
    return Stretch(_expectation(at_last, costs[-1], point, own, errors, curvature * distance), costs)


def _cost(truth: Gradient, own: Expectation, distance: float, curvature: float) -> Expected:
    slope = float(np.linalg.norm(truth.packed))
    drift = slope * distance + 0.5 * curvature * distance**2
    return Expected(np.asarray(truth.J), MARGIN * own["J"].bound + drift)


def _packed(own: Expectation, weights: str, bias: str) -> Array:
    """The bounds of two fields, the bias last."""
    return MARGIN * np.append(own[weights].bound, own[bias].bound)


def _next(
    errors: _Errors, own: Expectation, truth: Gradient, after: Point, optimizer: Optimizer, δgradient: float
) -> _Errors:
    δparameters = _packed(own, "w", "b")
    if not isinstance(optimizer, Adam):
        distance = errors.parameters[0] + np.linalg.norm(δparameters)
        return errors._replace(parameters=np.full_like(δparameters, float(distance)))
    beta1, beta2 = optimizer.beta1, optimizer.beta2
    moment1 = beta1 * errors.moment1 + (1.0 - beta1) * δgradient
    moment2 = beta2 * errors.moment2 + (1.0 - beta2) * (2.0 * np.abs(truth.packed) + δgradient) * δgradient
    change = _change_of_adam(moment1, moment2, after, optimizer)
    return _Errors(
        errors.parameters + δparameters + change,
        moment1 + MARGIN * own["moment1"].bound,
        moment2 + MARGIN * own["moment2"].bound,
    )


def _change_of_adam(δmoment1: Array, δmoment2: Array, after: Point, adam: Adam) -> Array:
    """How far errors of the moments move lr·m̂/(√v̂ + ε)."""
    correction1, correction2 = adam.bias_corrections(after.step)
    root = np.sqrt(after.moment2 / correction2)
    δroot = np.minimum(np.sqrt(δmoment2 / correction2), δmoment2 / correction2 / np.maximum(root, 1e-300))
    mean = np.abs(after.moment1 / correction1)
    lowest = np.maximum(root - δroot, 0.0) + adam.epsilon
    change: Array = adam.learning_rate * (δmoment1 / correction1 + mean * δroot / lowest) / lowest
    return change


def _expectation(
    truth: Gradient, cost: Expected, after: Point, own: Expectation, errors: _Errors, δgradient: float
) -> Expectation:
    δg = _packed(own, "gw", "gb") + δgradient
    return {
        "J": cost,
        "gw": Expected(truth.gw, δg[:-1]),
        "gb": Expected(np.asarray(truth.gb), np.asarray(δg[-1])),
        "w": Expected(after.w, errors.parameters[:-1]),
        "b": Expected(np.asarray(after.b), np.asarray(errors.parameters[-1])),
        "moment1": Expected(after.moment1, errors.moment1 + MARGIN * own["moment1"].bound),
        "moment2": Expected(after.moment2, errors.moment2 + MARGIN * own["moment2"].bound),
    }
