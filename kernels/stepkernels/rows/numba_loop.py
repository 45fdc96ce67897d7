"""Rung 3, the compiled loop: the statements of python_loop.py through Numba, with no interpreter and no objects.

Some eighty times as fast as python_loop.py, from typed machine numbers alone. A few hundred rows take it no longer than
numpy_blas.py, whose calls and vectors of length m it spares. Beyond that it shows what is left unused: it is bound by
the dot product of a row, one running sum whose order a compiler must keep, so that it waits for one addition after
another (only the accumulation of gw, which has no such chain, becomes vector code); exp and log are scalar calls; one
core works; X is read twice.

In Numba a float64 literal, and an integer too, pulls a float32 sum up to float64. `type(t)(1)`
and the scalars in the problem's dtype keep float32 arithmetic in float32.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.state import State


@njit(cache=True)
def softplus(t: float) -> float:
    """log(1 + exp(t)), finite and accurate for every finite t."""
    return max(t, type(t)(0)) + math.log1p(math.exp(-abs(t)))


@njit(cache=True)
def sigmoid(t: float) -> float:
    """1 / (1 + exp(−t)), from the exponential that cannot overflow."""
    one = type(t)(1)
    decay = math.exp(-abs(t))
    return (one if t >= 0 else decay) / (one + decay)


@njit(cache=True)
def forward(X: Array, sign: Array, w: Array, b: float, l2: float, t_out: Array) -> float:
    """The cost J; writes the margins t = (1 − 2y)·(x·w + b). X is (m, n); sign = 1 − 2y and t are (m,)."""
    number = type(l2)
    total = number(0)
    for i in range(len(X)):
        z = b
        for j in range(len(w)):
            z += X[i, j] * w[j]
        t_out[i] = sign[i] * z
        total += softplus(t_out[i])
    penalty = number(0)
    for j in range(len(w)):
        penalty += w[j] * w[j]
    return total / number(len(X)) + number(0.5) * l2 * penalty


@njit(cache=True)
def backward(X: Array, sign: Array, w: Array, l2: float, t: Array, gw_out: Array) -> float:
    """The gradient gb; writes gw (n,). t comes from `forward`; r = (1 − 2y)·σ(t) is p − y without cancellation."""
    number = type(l2)
    m, gb = number(len(X)), number(0)
    gw_out[:] = 0
    for i in range(len(X)):
        r = sign[i] * sigmoid(t[i])
        for j in range(len(w)):
            gw_out[j] += r * X[i, j]
        gb += r
    for j in range(len(w)):
        gw_out[j] = gw_out[j] / m + l2 * w[j]
    return gb / m


@njit(cache=True)
def descend(values_out: Array, gradients: Array, learning_rate: float) -> None:
    """Gradient descent in place: every value − lr·gradient."""
    for j in range(len(values_out)):
        values_out[j] -= learning_rate * gradients[j]


class AdamScalars(NamedTuple):
    """Adam's settings in the problem's dtype; 1 − β is rounded once, from float64."""

    learning_rate: np.floating
    beta1: np.floating
    beta2: np.floating
    one_minus_beta1: np.floating
    one_minus_beta2: np.floating
    epsilon: np.floating

    @classmethod
    def of(cls, adam: Adam, number: type[np.floating]) -> AdamScalars:
        settings = (adam.learning_rate, adam.beta1, adam.beta2, 1.0 - adam.beta1, 1.0 - adam.beta2, adam.epsilon)
        return cls(*map(number, settings))


@njit(cache=True)
def descend_adam(
    values_out: Array,
    gradients: Array,
    moment1_out: Array,
    moment2_out: Array,
    adam: AdamScalars,
    correction1: float,
    correction2: float,
) -> None:
    """Adam in place, with the bias corrections 1 − β1ᵗ and 1 − β2ᵗ of this update."""
    for j in range(len(values_out)):
        moment1_out[j] = adam.beta1 * moment1_out[j] + adam.one_minus_beta1 * gradients[j]
        moment2_out[j] = adam.beta2 * moment2_out[j] + adam.one_minus_beta2 * gradients[j] * gradients[j]
        root = math.sqrt(moment2_out[j] / correction2)
        values_out[j] -= adam.learning_rate * (moment1_out[j] / correction1) / (root + adam.epsilon)


@njit(cache=True)
def gradient(X: Array, sign: Array, parameters: Array, l2: float, t_out: Array, gradients_out: Array) -> float:
    """The cost J; writes gradients (n + 1,), the bias last."""
    w, b = parameters[:-1], parameters[-1]
    J = forward(X, sign, w, b, l2, t_out)
    gradients_out[-1] = backward(X, sign, w, l2, t_out, gradients_out[:-1])
    return J


@njit(cache=True)
def train(
    X: Array,
    sign: Array,
    parameters_out: Array,
    l2: float,
    t_out: Array,
    gradients_out: Array,
    learning_rate: float,
    costs_out: Array,
) -> None:
    """A step of gradient descent for each of the costs, and its J before the update into them."""
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, sign, parameters_out, l2, t_out, gradients_out)
        descend(parameters_out, gradients_out, learning_rate)


@njit(cache=True)
def train_adam(
    X: Array,
    sign: Array,
    parameters_out: Array,
    l2: float,
    t_out: Array,
    gradients_out: Array,
    moment1_out: Array,
    moment2_out: Array,
    adam: AdamScalars,
    corrections: Array,
    costs_out: Array,
) -> None:
    """As `train`, with Adam; corrections (steps, 2)."""
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, sign, parameters_out, l2, t_out, gradients_out)
        descend_adam(
            parameters_out, gradients_out, moment1_out, moment2_out, adam, corrections[k, 0], corrections[k, 1]
        )


class Workspace(State):
    """Host buffers for one problem, and the settings as scalars of its dtype."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.number = np.dtype(config.dtype).type
        self.X = np.ascontiguousarray(problem.X)
        self.sign = 1 - 2 * problem.y
        self.t = np.empty(problem.m, config.dtype)
        self.l2 = self.number(config.l2)
        match config.optimizer:
            case Adam() as adam:
                self.adam = AdamScalars.of(adam, self.number)
            case descent:
                self.learning_rate = self.number(descent.learning_rate)
        self.reset()
        self.compile()
        self.reset()

    def compile(self) -> None:
        """Compile for these types, or load what was compiled before, by taking one step on the first sample."""
        whole = self.X, self.sign
        self.X, self.sign = self.X[:1], self.sign[:1]
        self.step()
        self.X, self.sign = whole

    def forward(self) -> None:
        self.J[0] = forward(self.X, self.sign, self.w, self.b[0], self.l2, self.t)

    def backward(self) -> None:
        self.gb[0] = backward(self.X, self.sign, self.w, self.l2, self.t, self.gw)

    def gradient(self) -> None:
        self.forward()
        self.backward()

    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                corrections = map(self.number, adam.bias_corrections(self.steps_taken))
                descend_adam(self.parameters, self.gradients, self.moment1, self.moment2, self.adam, *corrections)
            case _:
                descend(self.parameters, self.gradients, self.learning_rate)

    def step(self) -> None:
        self.gradient()
        self.update()

    def train(self, steps: int) -> None:
        costs = self.reserve_costs(steps)
        data = (self.X, self.sign, self.parameters, self.l2, self.t, self.gradients)
        match self.config.optimizer:
            case Adam() as adam:
                corrections = adam.correction_table(self.steps_taken + 1, steps).astype(self.config.dtype)
                train_adam(*data, self.moment1, self.moment2, self.adam, corrections, costs)
            case _:
                train(*data, self.learning_rate, costs)
        self.steps_taken += steps
        if steps:
            self.J[0] = costs[-1]


def bind(problem: Problem, config: Config) -> Workspace:
    """X is viewed when it is row-major, else copied; the functions are compiled here."""
    return Workspace(problem, config)
