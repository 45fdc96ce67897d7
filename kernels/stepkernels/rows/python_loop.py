"""Rung 1, the interpreted loop: sample by sample, feature by feature, on lists of floats.

What the formulas say, and the baseline of every speed-up. X is read twice, from lists. The interpreter is the bound:
about 50 ns for each multiply-add, whatever the machine's memory can do, for every number is an object and the
interpreter looks at each of them.
Python floats are float64: a float32 problem is computed in float64 and its state rounded to float32.
Sums run in order, one term after the other.
"""

from __future__ import annotations

import math
from array import array

import numpy as np

from stepkernels.interface import Snapshot
from stepkernels.problem import Adam, Array, Config, Problem, undisturbed


def softplus(t: float) -> float:
    """log(1 + exp(t)), finite and accurate for every finite t."""
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


def sigmoid(t: float) -> float:
    """1 / (1 + exp(−t)), from the exponential that cannot overflow."""
    decay = math.exp(-abs(t))
    return (1.0 if t >= 0.0 else decay) / (1.0 + decay)


def forward(X: list[list[float]], sign: list[float], w: list[float], b: float, l2: float, t_out: list[float]) -> float:
    """The cost J; writes the margins t = (1 − 2y)·(x·w + b). X is m lists of n; sign = 1 − 2y and t are m long."""
    total = 0.0
    for i, row in enumerate(X):
        z = b
        for x, weight in zip(row, w, strict=True):
            z += x * weight
        t_out[i] = sign[i] * z
        total += softplus(t_out[i])
    penalty = 0.0
    for weight in w:
        penalty += weight * weight
    return total / len(X) + 0.5 * l2 * penalty


def backward(
    X: list[list[float]], sign: list[float], w: list[float], l2: float, t: list[float], gw_out: list[float]
) -> float:
    """The gradient gb; writes gw (n long). t comes from `forward`; r = (1 − 2y)·σ(t) is p − y without cancellation."""
    m, n = len(X), len(w)
    gb = 0.0
    for j in range(n):
        gw_out[j] = 0.0
    for i, row in enumerate(X):
        r = sign[i] * sigmoid(t[i])
        for j, x in enumerate(row):
            gw_out[j] += r * x
        gb += r
    for j in range(n):
        gw_out[j] = gw_out[j] / m + l2 * w[j]
    return gb / m


def descend(values_out: list[float], gradients: list[float], learning_rate: float) -> None:
    """Gradient descent in place: every value − lr·gradient."""
    for j, gradient in enumerate(gradients):
        values_out[j] -= learning_rate * gradient


def descend_adam(
    values_out: list[float],
    gradients: list[float],
    moment1_out: list[float],
    moment2_out: list[float],
    optimizer: Adam,
    step: int,
) -> None:
    """Adam in place, the update numbered `step`."""
    correction1, correction2 = optimizer.bias_corrections(step)
    for j, gradient in enumerate(gradients):
        moment1_out[j] = optimizer.beta1 * moment1_out[j] + (1.0 - optimizer.beta1) * gradient
        moment2_out[j] = optimizer.beta2 * moment2_out[j] + (1.0 - optimizer.beta2) * gradient * gradient
        root = math.sqrt(moment2_out[j] / correction2)
        values_out[j] -= optimizer.learning_rate * (moment1_out[j] / correction1) / (root + optimizer.epsilon)


class Workspace:
    """Lists of floats for one problem. A float32 problem keeps its state rounded to float32 between operations."""

    def __init__(self, problem: Problem, config: Config) -> None:
        self.problem, self.config = problem, config
        self.typecode = "f" if config.dtype == "float32" else "d"
        self.X: list[list[float]] = problem.X.tolist()
        self.sign: list[float] = (1.0 - 2.0 * problem.y).tolist()
        self.t = [math.nan] * problem.m
        self.J, self.steps_taken = math.nan, 0
        self.parameters: list[float] = []
        self.gradients: list[float] = []
        self.moment1: list[float] = []
        self.moment2: list[float] = []
        self.reset()

    def forward(self) -> None:
        self.J = forward(self.X, self.sign, self.parameters[:-1], self.parameters[-1], self.config.l2, self.t)

    def backward(self) -> None:
        gw = self.gradients[:-1]
        gb = backward(self.X, self.sign, self.parameters[:-1], self.config.l2, self.t, gw)
        self.gradients = self.rounded([*gw, gb])

    def gradient(self) -> None:
        self.forward()
        self.backward()

    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                descend_adam(
                    self.parameters, self.gradients, self.moment1, self.moment2, adam, self.steps_taken
                )  # fmt: skip
                self.moment1, self.moment2 = self.rounded(self.moment1), self.rounded(self.moment2)
            case descent:
                descend(self.parameters, self.gradients, descent.learning_rate)
        self.parameters = self.rounded(self.parameters)

    def step(self) -> None:
        self.gradient()
        self.update()

    def synchronize(self) -> None:
        """Nothing runs behind the interpreter."""

    def rounded(self, values: list[float]) -> list[float]:
        """The values rounded to the problem's dtype, as floats."""
        return array(self.typecode, values).tolist()

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        n = self.problem.n
        weights = self.problem.w0 if w is None else w
        zeros = np.zeros(n + 1)
        moment1, moment2 = (zeros, zeros) if moments is None else moments
        bias = self.problem.b0 if b is None else float(b)
        self.parameters = self.rounded([*weights.tolist(), bias])
        self.moment1 = self.rounded(moment1.tolist())
        self.moment2 = self.rounded(moment2.tolist())
        self.gradients = [math.nan] * (n + 1)
        self.J = math.nan
        self.steps_taken = step

    @undisturbed
    def snapshot(self) -> Snapshot:
        dtype = np.dtype(self.config.dtype)
        parameters, gradients = np.array(self.parameters, dtype), np.array(self.gradients, dtype)
        return Snapshot(
            J=np.array(self.J, dtype),
            w=parameters[:-1],
            b=parameters[-1:].reshape(()),
            gw=gradients[:-1],
            gb=gradients[-1:].reshape(()),
            moment1=np.array(self.moment1, dtype),
            moment2=np.array(self.moment2, dtype),
            step=self.steps_taken,
        )


def bind(problem: Problem, config: Config) -> Workspace:
    """Copy X and y into lists."""
    return Workspace(problem, config)
