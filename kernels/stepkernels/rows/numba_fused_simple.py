"""Rung 4, one pass over X in plain Numba: each row goes forward and back at once, while it is in the first cache.

numba_loop.py reads X a second time for Xᵀr because it wants all margins first. A row's share of gw needs that row's
margin alone, so the two loops over the rows are one: X is read once. And the compiler may reorder the sum of a row
(`fastmath`, of which only this and fused multiply-adds are allowed), so that the dot product becomes vector code.

This is what anyone can write, and it is most of what there is to gain. What is left to the rung above, which pays for
it with vectors by hand: exp and log1p are scalar calls, one row waits for the other, and one core works. So it is bound
by the two calls a row where rows are short, by the first cache where they are long, and only by memory where a core
outruns it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.state import State

IN_ANY_ORDER = {"reassoc", "contract"}  # no more: NaN and infinity stay what they are


@njit(cache=True, fastmath=IN_ANY_ORDER)
def gradient(X: Array, sign: Array, parameters: Array, l2: float, gradients_out: Array) -> float:
    """The cost J; writes gradients (n + 1,), the bias last. X is (m, n); sign = 1 − 2y, (m,); parameters (n + 1,).

    With t = (1 − 2y)·(x·w + b): the loss is softplus(t) = max(t, 0) + log1p(exp(−|t|)), the residual (1 − 2y)·σ(t).
    """
    m, n, number = len(X), len(parameters) - 1, type(l2)
    one, loss, penalty = number(1), number(0), number(0)
    gradients_out[:] = 0
    for i in range(m):
        z = number(0)
        for j in range(n):
            z += X[i, j] * parameters[j]
        t = sign[i] * (z + parameters[n])
        decay = math.exp(-abs(t))
        r = sign[i] * ((one if t >= 0 else decay) / (one + decay))
        loss += max(t, number(0)) + math.log1p(decay)
        for j in range(n):
            gradients_out[j] += r * X[i, j]
        gradients_out[n] += r
    gradients_out[n] /= number(m)
    for j in range(n):
        gradients_out[j] = gradients_out[j] / number(m) + l2 * parameters[j]
        penalty += parameters[j] * parameters[j]
    return loss / number(m) + number(0.5) * l2 * penalty


@njit(cache=True)
def descend(parameters_out: Array, gradients: Array, learning_rate: float) -> None:
    """Gradient descent in place."""
    for j in range(len(gradients)):
        parameters_out[j] -= learning_rate * gradients[j]


@njit(cache=True)
def descend_adam(
    parameters_out: Array,
    gradients: Array,
    moment1_out: Array,
    moment2_out: Array,
    rates: tuple[float, float, float, float],
    corrections: tuple[float, float],
) -> None:
    """Adam in place, in float64: rates are learning rate, β1, β2, ε; corrections 1 − β1ᵗ and 1 − β2ᵗ."""
    learning_rate, beta1, beta2, epsilon = rates
    for j in range(len(gradients)):
        g = float(gradients[j])
        moment1_out[j] = beta1 * moment1_out[j] + (1.0 - beta1) * g
        moment2_out[j] = beta2 * moment2_out[j] + (1.0 - beta2) * g * g
        root = math.sqrt(moment2_out[j] / corrections[1])
        parameters_out[j] -= learning_rate * (moment1_out[j] / corrections[0]) / (root + epsilon)


class Workspace(State):
    """X as rows, the labels as signs, the settings as numbers of the problem's dtype."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        number = np.dtype(config.dtype).type
        self.X, self.sign = np.ascontiguousarray(problem.X), 1 - 2 * problem.y
        self.l2, self.learning_rate = number(config.l2), number(config.optimizer.learning_rate)
        self.compile()
        self.reset()

    def compile(self) -> None:
        """Compile for these types, or load what was compiled before, by taking one step on the first sample."""
        self.reset()
        whole = self.X, self.sign
        self.X, self.sign = self.X[:1], self.sign[:1]
        self.step()
        self.X, self.sign = whole

    def gradient(self) -> None:
        self.J[0] = gradient(self.X, self.sign, self.parameters, self.l2, self.gradients)

    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                rates = (float(adam.learning_rate), float(adam.beta1), float(adam.beta2), float(adam.epsilon))
                corrections = adam.bias_corrections(self.steps_taken)
                descend_adam(self.parameters, self.gradients, self.moment1, self.moment2, rates, corrections)
            case _:
                descend(self.parameters, self.gradients, self.learning_rate)

    def step(self) -> None:
        self.gradient()
        self.update()


def bind(problem: Problem, config: Config) -> Workspace:
    """X is viewed when it is row-major, else copied; the functions are compiled here."""
    return Workspace(problem, config)
