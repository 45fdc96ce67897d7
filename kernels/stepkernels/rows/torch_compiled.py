"""Rung 13, the compiled graph: the matrix form handed to `torch.compile`, as C++ on the CPU or Triton on a GPU.

One graph holds the whole step: margins, loss, residuals and both sums come from one pass over vectors of length m
where torch_manual.py makes seven. The compiler keeps the two products with X as library calls: X is read twice, and
beyond the caches that is the bound. A call pays for its guards, which look at every tensor to make sure that the
compiled code still applies; a small problem costs little else.

Measured on a 2-core AMD EPYC (Zen 4) virtual machine at 569 × 30, float64, on the CPU: default mode 57 µs a step,
max-autotune 64 µs (its templates are for matrix products), the C++ wrapper 62 µs; and with the products written as
reductions the step at 200,000 × 100 in float32 is a fifth slower. So the default mode it is. On a GPU "reduce-overhead"
replays the graph as a CUDA graph, a launch instead of a dozen. It does so only when what a graph writes has a fixed
address, which the compiler grants to the tensors of a module: hence `Tensors`. The step counter is one of them, and
Adam's bias corrections follow from it in float64, since a Python number that changes would compile a new graph.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from types import FunctionType

import torch
from torch import Tensor, nn

from stepkernels.arrays.torch_state import TensorState
from stepkernels.problem import GD, Adam, Array, Config, Problem


def gradient(X: Tensor, sign: Tensor, parameters: Tensor, l2: float) -> tuple[Tensor, Tensor]:
    """J (1,) and the gradients (n + 1,), the bias last. X (m, n); sign = 1 − 2y (m,); parameters (n + 1,).

    t = (1 − 2y)·z; loss = softplus(t) and r = (1 − 2y)·σ(t) neither overflow nor cancel.
    """
    w, b = parameters[:-1], parameters[-1]
    t = sign * (X @ w + b)
    loss = t.clamp(min=0) + torch.log1p(torch.exp(-t.abs()))
    r = sign * torch.sigmoid(t)
    J = loss.sum(0, keepdim=True) / len(X) + 0.5 * l2 * w.dot(w)
    return J, torch.cat([r @ X / len(X) + l2 * w, r.sum(0, keepdim=True) / len(X)])


def descend(parameters_out: Tensor, gradients: Tensor, learning_rate: float) -> None:
    """Gradient descent in place: parameters ← parameters − lr·gradients, both (n + 1,)."""
    parameters_out.sub_(gradients, alpha=learning_rate)


def descend_adam(
    parameters_out: Tensor, gradients: Tensor, moment1_out: Tensor, moment2_out: Tensor, optimizer: Adam, step: Tensor
) -> None:
    """Adam in place, the update numbered `step` (a float64 tensor of one element); the others are (n + 1,)."""
    correction1, correction2 = (one_minus_power(beta, step) for beta in (optimizer.beta1, optimizer.beta2))
    moment1_out.mul_(optimizer.beta1).add_(gradients, alpha=1 - optimizer.beta1)
    moment2_out.mul_(optimizer.beta2).addcmul_(gradients, gradients, value=1 - optimizer.beta2)
    step_size = (optimizer.learning_rate / correction1).to(gradients.dtype)
    denominator = (moment2_out / correction2.to(gradients.dtype)).sqrt() + optimizer.epsilon
    parameters_out.sub_(step_size * moment1_out / denominator)


def one_minus_power(beta: float, step: Tensor) -> Tensor:
    """1 − βᵗ, to the last digit also for β close to 1."""
    return -torch.expm1(step * (math.log(beta) if beta else -math.inf))


class Tensors(nn.Module):
    """What a step reads and writes, as buffers of a module; `packed` are the parameters, the bias last."""

    X: Tensor
    sign: Tensor
    packed: Tensor
    gradients: Tensor
    moment1: Tensor
    moment2: Tensor
    J: Tensor
    updates: Tensor

    def __init__(self, **tensors: Tensor) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)


def step(tensors: Tensors, optimizer: GD | Adam, l2: float) -> None:
    """One step, in place. The optimizer and l2 are constants to the compiler."""
    J, gradients = gradient(tensors.X, tensors.sign, tensors.packed, l2)
    tensors.J.copy_(J)
    tensors.gradients.copy_(gradients)
    tensors.updates.add_(1)
    match optimizer:
        case Adam():
            descend_adam(tensors.packed, gradients, tensors.moment1, tensors.moment2, optimizer, tensors.updates)
        case _:
            descend(tensors.packed, gradients, optimizer.learning_rate)


class Workspace(TensorState):
    """Tensors of one device for one problem, and a step compiled for them."""

    def __init__(self, problem: Problem, config: Config, device: str, mode: str) -> None:
        super().__init__(problem, config, device)
        self.updates = self.library.empty(1, "float64")
        self.tensors = Tensors(
            X=self.X,
            sign=1 - 2 * self.library.share(problem.y),
            packed=self.parameters,
            gradients=self.gradients,
            moment1=self.moment1,
            moment2=self.moment2,
            J=self.J,
            updates=self.updates,
        )
        self.compiled = torch.compile(self.own_step(), fullgraph=True, dynamic=False, mode=mode)
        self.reset()
        self.compile()
        self.reset()

    def compile(self) -> None:
        """Compile, by taking steps: a CUDA graph is made by the second call and first replayed by the third.

        The compiler's own imports use what torch has deprecated.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            for _ in range(3):
                self.step()

    def own_step(self) -> Callable[[Tensors], None]:
        """`step` with its settings, in a code object of its own.

        The compiler files its results under the code object and gives up after eight of them; a process may well
        bind more problems than that.
        """
        optimizer, l2 = self.config.optimizer, self.config.l2

        def take_step(tensors: Tensors) -> None:
            step(tensors, optimizer, l2)

        return FunctionType(take_step.__code__.replace(), globals(), closure=take_step.__closure__)

    def step(self) -> None:
        self.steps_taken += 1
        self.compiled(self.tensors)

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        super().reset(w, b, moments, step)
        self.updates.fill_(step)


def bind(problem: Problem, config: Config, device: str, mode: str) -> Workspace:
    """On a CPU X is viewed when it is row-major, else copied; on a GPU ("cuda") it is copied there.

    Compiling takes seconds; `mode` is torch.compile's.
    """
    return Workspace(problem, config, device, mode)
