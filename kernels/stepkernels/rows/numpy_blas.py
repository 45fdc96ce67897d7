"""Rung 2, the matrix form: two BLAS calls and a handful of array operations.

Faster than python_loop.py because the inner loops run in compiled, vectorized, threaded code. `Xw` and `Xᵀr` are
separate library calls, so X is read twice; beyond the caches a step is bound by those two passes. At few features the
dozen passes over vectors of length m (exp and log1p above all) cost more than X does.
Every output and temporary is preallocated.

The layout of X decides how well BLAS threads `Xᵀr` (OpenBLAS issue 2526), so the column-major form is a row
of its own.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from stepkernels.problem import Adam, Array, Config, Problem, undisturbed
from stepkernels.state import State


def forward(
    X: Array,
    sign: Array,
    weights: Array | None,
    parameters: Array,
    l2: float,
    t_out: Array,
    decay_out: Array,
    scratch_out: Array,
    J_out: Array,
) -> None:
    """The margins t = (1 − 2y)·z of z = Xw + b, and the cost J.

    X (m, n); sign = 1 − 2y (m,); weights (m,) with the mean 1, or None; parameters (n + 1,), the bias last. Writes t
    (m,); decay = exp(−|t|) (m,), which backward needs again; J (1,). scratch (m,) is overwritten.
    loss = softplus(t) = max(t, 0) + log1p(exp(−|t|)): neither term overflows or cancels.
    """
    w = parameters[:-1]
    np.dot(X, w, out=t_out)
    np.add(t_out, parameters[-1], out=t_out)
    np.multiply(t_out, sign, out=t_out)
    np.maximum(t_out, 0, out=scratch_out)
    J = scratch_out.sum() if weights is None else np.dot(weights, scratch_out)
    np.copysign(t_out, -1, out=decay_out)
    np.exp(decay_out, out=decay_out)
    np.log1p(decay_out, out=scratch_out)
    J += scratch_out.sum() if weights is None else np.dot(weights, scratch_out)
    J_out[0] = J / len(X) + 0.5 * l2 * np.dot(w, w)


def backward(
    X: Array,
    sign: Array,
    parameters: Array,
    l2: float,
    t: Array,
    decay: Array,
    scratch_out: Array,
    penalty_out: Array,
    r_out: Array,
    gradients_out: Array,
) -> None:
    """The residuals r = (1 − 2y)·σ(t), which is p − y, and the gradients gw = Xᵀr/m + l2·w, gb = Σr/m.

    t and decay (m,) come from `forward`; with weights s, sign is s·(1 − 2y). Writes r (m,) and gradients (n + 1,), the
    bias last; scratch (m,) and penalty (n + 1,) are overwritten.
    σ(t) = max([t ≥ 0], exp(−|t|)) / (1 + exp(−|t|)) cancels on neither side.
    """
    np.add(decay, 1, out=scratch_out)
    np.heaviside(t, 1, out=r_out)
    np.maximum(r_out, decay, out=r_out)
    np.divide(r_out, scratch_out, out=r_out)
    np.multiply(r_out, sign, out=r_out)
    np.dot(r_out, X, out=gradients_out[:-1])
    gradients_out[-1] = r_out.sum()
    np.divide(gradients_out, len(X), out=gradients_out)
    if l2:
        np.multiply(parameters, l2, out=penalty_out)
        gradients_out[:-1] += penalty_out[:-1]


def descend(parameters_out: Array, gradients: Array, learning_rate: float, change_out: Array) -> None:
    """Gradient descent in place: parameters ← parameters − lr·gradients, all (n + 1,)."""
    np.multiply(gradients, learning_rate, out=change_out)
    np.subtract(parameters_out, change_out, out=parameters_out)


def descend_adam(
    parameters_out: Array,
    gradients: Array,
    moment1_out: Array,
    moment2_out: Array,
    optimizer: Adam,
    step: int,
    change_out: Array,
    scratch_out: Array,
) -> None:
    """Adam in place, the update numbered `step`; every array (n + 1,), change and scratch overwritten."""
    correction1, correction2 = optimizer.bias_corrections(step)
    np.multiply(moment1_out, optimizer.beta1, out=moment1_out)
    np.multiply(gradients, 1 - optimizer.beta1, out=change_out)
    np.add(moment1_out, change_out, out=moment1_out)
    np.multiply(moment2_out, optimizer.beta2, out=moment2_out)
    np.square(gradients, out=change_out)
    np.multiply(change_out, 1 - optimizer.beta2, out=change_out)
    np.add(moment2_out, change_out, out=moment2_out)
    np.divide(moment2_out, correction2, out=scratch_out)
    np.sqrt(scratch_out, out=scratch_out)
    np.add(scratch_out, optimizer.epsilon, out=scratch_out)
    np.multiply(moment1_out, optimizer.learning_rate / correction1, out=change_out)
    np.divide(change_out, scratch_out, out=change_out)
    np.subtract(parameters_out, change_out, out=parameters_out)


class Workspace(State):
    """Host buffers for one problem.

    NumPy would complain of an exponential that underflows where np.seterr asks for it: once an operation, for half a
    microsecond, it is asked not to.
    """

    def __init__(self, problem: Problem, config: Config, order: Literal["C", "F"]) -> None:
        super().__init__(problem, config)
        self.X = np.asarray(problem.X, order=order)
        self.sign, self.weights = 1 - 2 * problem.y, problem.relative_weights(config.dtype)
        self.weighted_sign = self.sign if self.weights is None else self.weights * self.sign
        self.t, self.decay, self.r, self.scratch = (np.empty(problem.m, config.dtype) for _ in range(4))
        self.change, self.denominator = (np.empty(problem.n + 1, config.dtype) for _ in range(2))
        self.reset()

    @undisturbed
    def forward(self) -> None:
        self.pass_forward()

    @undisturbed
    def backward(self) -> None:
        self.pass_backward()

    @undisturbed
    def gradient(self) -> None:
        self.pass_forward()
        self.pass_backward()

    @undisturbed
    def update(self) -> None:
        self.descend()

    @undisturbed
    def step(self) -> None:
        self.pass_forward()
        self.pass_backward()
        self.descend()

    def pass_forward(self) -> None:
        forward(
            self.X, self.sign, self.weights, self.parameters, self.config.l2,
            self.t, self.decay, self.scratch, self.J,
        )  # fmt: skip

    def pass_backward(self) -> None:
        backward(
            self.X, self.weighted_sign, self.parameters, self.config.l2, self.t, self.decay,
            self.scratch, self.change, self.r, self.gradients,
        )  # fmt: skip

    def descend(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                descend_adam(
                    self.parameters, self.gradients, self.moment1, self.moment2,
                    adam, self.steps_taken, self.change, self.denominator,
                )  # fmt: skip
            case descent:
                descend(self.parameters, self.gradients, descent.learning_rate, self.change)


def bind(problem: Problem, config: Config, order: Literal["C", "F"] = "C") -> Workspace:
    """X in row-major ("C") or column-major ("F") order: viewed when the problem has it so, else copied."""
    return Workspace(problem, config, order)
