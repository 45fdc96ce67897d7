"""Rung 7, the matrix form on tensors: the lines of numpy_blas.py in PyTorch, on the CPU or a GPU.

Faster than numpy_blas.py where its passes over vectors of length m count: `addmv`, `logaddexp` and `sigmoid` are single
operations, vectorized and threaded, and make half as many. X is read twice, so that beyond the caches a step is bound
by two passes over X all the same. On a GPU every line is a kernel launch that returns at once, and launches are all
that a small problem costs.

The gradient is written out and no tensor asks for one, so autograd records nothing and `torch.no_grad` would only add
its own microsecond. Every output and temporary is preallocated, views included: slicing a tensor costs as much as a
small operation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stepkernels.arrays.torch_state import TensorState
from stepkernels.problem import Adam, Config, Problem


def forward(
    X: Tensor, sign: Tensor, weights: Tensor | None, w: Tensor, b: Tensor, l2: float, zero: Tensor,
    t_out: Tensor, scratch_out: Tensor, J_out: Tensor,
) -> None:  # fmt: skip
    """The margins t = (1 − 2y)·z of z = Xw + b, and the cost J.

    X (m, n); sign = 1 − 2y (m,); weights (m,) with the mean 1, or None; w (n,); b (1,); zero is 0 without dimensions.
    Writes t (m,) and J (1,); scratch (m,) is overwritten.
    loss = softplus(t) = log(exp(t) + exp(0)): logaddexp forms it as max(t, 0) + log1p(exp(−|t|)), where neither term
    overflows or cancels. torch's own softplus returns t beyond a threshold, which is too coarse for float64.
    """
    torch.addmv(b, X, w, out=t_out)
    torch.mul(t_out, sign, out=t_out)
    torch.logaddexp(t_out, zero, out=scratch_out)
    if weights is not None:
        torch.mul(scratch_out, weights, out=scratch_out)
    torch.sum(scratch_out, dim=0, keepdim=True, out=J_out)
    J_out.div_(float(len(X)))  # an int would be turned into a tensor first
    if l2:
        J_out.addmv_(w.unsqueeze(0), w, alpha=0.5 * l2)  # dot has no form that writes in place


def backward(
    X: Tensor, sign: Tensor, w: Tensor, l2: float, t: Tensor,
    r_out: Tensor, gradients_out: Tensor, gw_out: Tensor, gb_out: Tensor,
) -> None:  # fmt: skip
    """The residuals r = (1 − 2y)·σ(t), which is p − y, and the gradients gw = Xᵀr/m + l2·w, gb = Σr/m.

    t (m,) comes from `forward`; with weights s, sign is s·(1 − 2y). Writes r (m,) and gradients (n + 1,), of which gw
    (n,) and gb (1,) are views.
    σ(t) = 1 / (1 + exp(−t)) cancels on neither side; where the exponential overflows, σ is below the normal numbers.
    """
    torch.sigmoid(t, out=r_out)
    torch.mul(r_out, sign, out=r_out)
    torch.mv(X.t(), r_out, out=gw_out)
    torch.sum(r_out, dim=0, keepdim=True, out=gb_out)
    gradients_out.div_(float(len(X)))
    if l2:
        gw_out.add_(w, alpha=l2)


def descend(parameters_out: Tensor, gradients: Tensor, learning_rate: float) -> None:
    """Gradient descent in place: parameters ← parameters − lr·gradients, both (n + 1,)."""
    parameters_out.sub_(gradients, alpha=learning_rate)


def descend_adam(
    parameters_out: Tensor,
    gradients: Tensor,
    moment1_out: Tensor,
    moment2_out: Tensor,
    optimizer: Adam,
    step: int,
    scratch_out: Tensor,
) -> None:
    """Adam in place, the update numbered `step`; every tensor (n + 1,), scratch overwritten."""
    correction1, correction2 = optimizer.bias_corrections(step)
    moment1_out.mul_(optimizer.beta1).add_(gradients, alpha=1 - optimizer.beta1)
    moment2_out.mul_(optimizer.beta2).addcmul_(gradients, gradients, value=1 - optimizer.beta2)
    torch.div(moment2_out, correction2, out=scratch_out)
    scratch_out.sqrt_().add_(optimizer.epsilon)
    parameters_out.addcdiv_(moment1_out, scratch_out, value=-optimizer.learning_rate / correction1)


class Workspace(TensorState):
    """Tensors of one device for one problem."""

    def __init__(self, problem: Problem, config: Config, device: str) -> None:
        super().__init__(problem, config, device)
        m, n, dtype = problem.m, problem.n, config.dtype
        self.sign, self.weights = 1 - 2 * self.library.share(problem.y), self.share_weights()
        self.weighted_sign = self.sign if self.weights is None else self.weights * self.sign
        self.t, self.r, self.scratch = (self.library.empty(m, dtype) for _ in range(3))
        self.denominator = self.library.empty(n + 1, dtype)
        self.zero = self.sign.new_zeros(())
        self.reset()

    def forward(self) -> None:
        forward(
            self.X, self.sign, self.weights, self.w, self.b, self.config.l2, self.zero, self.t, self.scratch, self.J
        )  # fmt: skip

    def backward(self) -> None:
        backward(self.X, self.weighted_sign, self.w, self.config.l2, self.t, self.r, self.gradients, self.gw, self.gb)

    def gradient(self) -> None:
        self.forward()
        self.backward()

    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                descend_adam(
                    self.parameters, self.gradients, self.moment1, self.moment2,
                    adam, self.steps_taken, self.denominator,
                )  # fmt: skip
            case descent:
                descend(self.parameters, self.gradients, descent.learning_rate)

    def step(self) -> None:
        self.gradient()
        self.update()


def bind(problem: Problem, config: Config, device: str) -> Workspace:
    """On a CPU X is viewed when it is row-major, else copied; on a GPU ("cuda") it is copied there."""
    return Workspace(problem, config, device)
