"""Rung 8, the matrix form on the GPU: the lines of numpy_blas.py, one by one, in CuPy.

Faster than numpy_blas.py by the ratio of memory bandwidths, once a problem is large: an H100 reads its memory at
3.35 TB/s, two CPU cores at a few tens of GB/s. `Xw` and `Xᵀr` are cuBLAS calls, so X is read twice, which is the bound
of a large problem, and every other line reads and writes vectors of length m. Every line is also a kernel launch of a
few microseconds, some twenty a step, which is all that a small problem costs.

Operations return when their kernels are queued; outputs and temporaries are preallocated on the device. (The sums and
products borrow workspace from CuPy's memory pool and give it back: after the first step the pool asks CUDA for none.)
"""

from __future__ import annotations

import cupy
import numpy as np
from cupy import ndarray as DeviceArray

from stepkernels.arrays.cupy_state import DeviceState
from stepkernels.problem import Adam, Config, Problem


def forward(
    X: DeviceArray, sign: DeviceArray, weights: DeviceArray | None, parameters: DeviceArray, l2: float,
    t_out: DeviceArray, decay_out: DeviceArray, scratch_out: DeviceArray, term_out: DeviceArray, J_out: DeviceArray,
) -> None:  # fmt: skip
    """The margins t = (1 − 2y)·z of z = Xw + b, and the cost J.

    X (m, n); sign = 1 − 2y (m,); weights (m,) with the mean 1, or None; parameters (n + 1,), the bias last. Writes t
    (m,); decay = exp(−|t|) (m,), which backward needs again; J (1,). scratch (m,) and term, which has no dimensions,
    are overwritten.
    loss = softplus(t) = max(t, 0) + log1p(exp(−|t|)): neither term overflows or cancels.
    """
    w = parameters[:-1]
    cupy.dot(X, w, out=t_out)
    cupy.add(t_out, parameters[-1], out=t_out)
    cupy.multiply(t_out, sign, out=t_out)
    cupy.copysign(t_out, -1, out=decay_out)
    cupy.exp(decay_out, out=decay_out)
    cupy.log1p(decay_out, out=scratch_out)
    if weights is not None:
        cupy.multiply(scratch_out, weights, out=scratch_out)
    cupy.sum(scratch_out, keepdims=True, out=J_out)
    cupy.maximum(t_out, 0, out=scratch_out)
    if weights is not None:
        cupy.multiply(scratch_out, weights, out=scratch_out)
    cupy.sum(scratch_out, out=term_out)
    cupy.add(J_out, term_out, out=J_out)
    cupy.divide(J_out, len(X), out=J_out)
    if l2:
        cupy.dot(w, w, out=term_out)
        cupy.multiply(term_out, 0.5 * l2, out=term_out)
        cupy.add(J_out, term_out, out=J_out)


def backward(
    X: DeviceArray, sign: DeviceArray, parameters: DeviceArray, l2: float,
    t: DeviceArray, decay: DeviceArray, scratch_out: DeviceArray, r_out: DeviceArray,
    change_out: DeviceArray, gradients_out: DeviceArray,
) -> None:  # fmt: skip
    """The residuals r = (1 − 2y)·σ(t), which is p − y, and the gradients gw = Xᵀr/m + l2·w, gb = Σr/m.

    t and decay (m,) come from `forward`; with weights s, sign is s·(1 − 2y). Writes r (m,) and gradients (n + 1,), the
    bias last; scratch (m,) and change (n + 1,) are overwritten.
    σ(t) = max([t ≥ 0], exp(−|t|)) / (1 + exp(−|t|)) cancels on neither side.
    """
    cupy.add(decay, 1, out=scratch_out)
    cupy.heaviside(t, 1, out=r_out)
    cupy.maximum(r_out, decay, out=r_out)
    cupy.divide(r_out, scratch_out, out=r_out)
    cupy.multiply(r_out, sign, out=r_out)
    cupy.dot(r_out, X, out=gradients_out[:-1])
    cupy.sum(r_out, keepdims=True, out=gradients_out[-1:])
    cupy.divide(gradients_out, len(X), out=gradients_out)
    if l2:
        cupy.multiply(parameters, l2, out=change_out)
        cupy.add(gradients_out[:-1], change_out[:-1], out=gradients_out[:-1])


def descend(parameters_out: DeviceArray, gradients: DeviceArray, learning_rate: float, change_out: DeviceArray) -> None:
    """Gradient descent in place: parameters ← parameters − lr·gradients, all (n + 1,)."""
    cupy.multiply(gradients, learning_rate, out=change_out)
    cupy.subtract(parameters_out, change_out, out=parameters_out)


def descend_adam(
    parameters_out: DeviceArray,
    gradients: DeviceArray,
    moment1_out: DeviceArray,
    moment2_out: DeviceArray,
    optimizer: Adam,
    step: int,
    change_out: DeviceArray,
    scratch_out: DeviceArray,
) -> None:
    """Adam in place, the update numbered `step`; every array (n + 1,), change and scratch overwritten."""
    correction1, correction2 = optimizer.bias_corrections(step)
    cupy.multiply(moment1_out, optimizer.beta1, out=moment1_out)
    cupy.multiply(gradients, 1 - optimizer.beta1, out=change_out)
    cupy.add(moment1_out, change_out, out=moment1_out)
    cupy.multiply(moment2_out, optimizer.beta2, out=moment2_out)
    cupy.square(gradients, out=change_out)
    cupy.multiply(change_out, 1 - optimizer.beta2, out=change_out)
    cupy.add(moment2_out, change_out, out=moment2_out)
    cupy.divide(moment2_out, correction2, out=scratch_out)
    cupy.sqrt(scratch_out, out=scratch_out)
    cupy.add(scratch_out, optimizer.epsilon, out=scratch_out)
    cupy.multiply(moment1_out, optimizer.learning_rate / correction1, out=change_out)
    cupy.divide(change_out, scratch_out, out=change_out)
    cupy.subtract(parameters_out, change_out, out=parameters_out)


class Workspace(DeviceState):
    """Device buffers for one problem."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.X = cupy.asarray(np.ascontiguousarray(problem.X))
        self.sign, self.weights = 1 - 2 * cupy.asarray(problem.y), None
        self.weighted_sign = self.sign
        if problem.weights is not None:
            self.weights = cupy.asarray(problem.relative_weights(config.dtype))
            self.weighted_sign = self.weights * self.sign
        self.t, self.decay, self.r, self.scratch = (cupy.empty(problem.m, config.dtype) for _ in range(4))
        self.change, self.denominator = (cupy.empty(problem.n + 1, config.dtype) for _ in range(2))
        self.term = cupy.empty((), config.dtype)
        self.reset()

    def forward(self) -> None:
        forward(
            self.X, self.sign, self.weights, self.parameters, self.config.l2,
            self.t, self.decay, self.scratch, self.term, self.J,
        )  # fmt: skip

    def backward(self) -> None:
        backward(
            self.X, self.weighted_sign, self.parameters, self.config.l2,
            self.t, self.decay, self.scratch, self.r, self.change, self.gradients,
        )  # fmt: skip

    def gradient(self) -> None:
        self.forward()
        self.backward()

    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                descend_adam(
                    self.parameters, self.gradients, self.moment1, self.moment2,
                    adam, self.steps_taken, self.change, self.denominator,
                )  # fmt: skip
            case descent:
                descend(self.parameters, self.gradients, descent.learning_rate, self.change)

    def step(self) -> None:
        self.gradient()
        self.update()


def bind(problem: Problem, config: Config) -> Workspace:
    """Copy X and y to the current GPU."""
    return Workspace(problem, config)
