"""Rung 12, autograd: PyTorch the way it is taught, a module, a criterion, `backward()`, an optimizer. CPU or GPU.

The gradient is not written down but recorded: the forward pass leaves a graph, the backward pass walks it. That is
easier to write than torch_manual.py and no faster: the price is the recording, a new gradient tensor for every
parameter in every step, and an optimizer that looks at its parameters one by one. A small problem is bound by that
price, a large one by memory: X is read twice.

The module ends in logits, because binary cross-entropy with logits is stable where sigmoid followed by the logarithm
is not. Its gradient is σ(z) − y, a difference, which loses the digits of a confident, correct sample's small residual.
The penalty is part of the loss: the optimizers' `weight_decay` would shrink the bias as well.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stepkernels.arrays.torch_state import TensorState
from stepkernels.interface import Snapshot
from stepkernels.problem import Adam, Array, Config, Problem


class LogisticRegression(nn.Module):
    """One linear layer. Its output, the logit z, goes to a criterion that applies the sigmoid itself."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 1)

    def forward(self, X: Tensor) -> Tensor:
        """The logits z (m,) of X (m, n)."""
        z: Tensor = self.linear(X).squeeze(1)
        return z


def cost(model: LogisticRegression, criterion: nn.Module, X: Tensor, y: Tensor, l2: float) -> Tensor:
    """J, a scalar with its graph."""
    J: Tensor = criterion(model(X), y)
    if l2:
        J = J + 0.5 * l2 * model.linear.weight.square().sum()
    return J


class Workspace(TensorState):
    """A module whose parameters, and an optimizer whose moments, are views of the state."""

    def __init__(self, problem: Problem, config: Config, device: str) -> None:
        super().__init__(problem, config, device)
        self.y = self.library.share(problem.y)
        self.criterion = nn.BCEWithLogitsLoss(weight=self.share_weights())
        self.model = LogisticRegression(problem.n)
        self.model.linear.weight.data, self.model.linear.bias.data = self.as_parameters(self.parameters)
        self.optimizer = self.create_optimizer()
        self.reset()

    def as_parameters(self, packed: Tensor) -> tuple[Tensor, Tensor]:
        """Views of n + 1 packed numbers in the shapes of the linear layer's weight and bias."""
        n = self.problem.n
        return packed[:n].view(1, n), packed[n:]

    def create_optimizer(self) -> torch.optim.Optimizer:
        match self.config.optimizer:
            case Adam() as adam:
                betas = adam.beta1, adam.beta2
                return torch.optim.Adam(self.model.parameters(), lr=adam.learning_rate, betas=betas, eps=adam.epsilon)
            case descent:
                return torch.optim.SGD(self.model.parameters(), lr=descent.learning_rate)

    def forward(self) -> None:
        self.J = cost(self.model, self.criterion, self.X, self.y, self.config.l2)

    def backward(self) -> None:
        self.optimizer.zero_grad()
        self.J.backward(retain_graph=True)  # so that it can be called again; the next forward drops the graph

    def gradient(self) -> None:
        self.forward()
        self.backward()

    def update(self) -> None:
        self.steps_taken += 1
        self.optimizer.step()

    def step(self) -> None:
        self.gradient()
        self.update()

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        self.J = self.library.empty(1, self.config.dtype)  # the last one belongs to a graph
        super().reset(w, b, moments, step)
        views = zip(*map(self.as_parameters, (self.gradients, self.moment1, self.moment2)), strict=True)
        for parameter, (gradient, moment1, moment2) in zip(self.model.parameters(), views, strict=True):
            parameter.grad = gradient
            if isinstance(self.config.optimizer, Adam):
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(step)),
                    "exp_avg": moment1,
                    "exp_avg_sq": moment2,
                }

    def snapshot(self) -> Snapshot:
        weight, bias = self.model.parameters()
        assert weight.grad is not None
        assert bias.grad is not None
        self.gradients = torch.cat([weight.grad.view(-1), bias.grad])  # backward() makes new tensors each time
        return super().snapshot()


def bind(problem: Problem, config: Config, device: str) -> Workspace:
    """On a CPU X is viewed when it is row-major, else copied; on a GPU ("cuda") it is copied there."""
    return Workspace(problem, config, device)
