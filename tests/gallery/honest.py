"""An honest matrix form in methods so small that one mistake is one override. The gallery's mutants override them."""

from __future__ import annotations

import numpy as np

from stepkernels import Adam, Config, Problem
from stepkernels.problem import Array
from stepkernels.state import State


class Honest(State):
    """Every number in the row's dtype; `real` turns a Python float into one."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.real = np.dtype(config.dtype).type
        self.X, self.y = problem.X, problem.y
        self.sign = 1 - 2 * self.y
        self.m = self.real(problem.m)
        self.z = np.full(problem.m, np.nan, config.dtype)
        self.reset()

    def margins(self) -> Array:
        return self.X @ self.w + self.b

    def exp(self, x: Array) -> Array:
        return np.exp(x)

    def losses(self, z: Array) -> Array:
        t = self.sign * z
        return np.maximum(t, 0) + np.log1p(self.exp(-np.abs(t)))

    def residuals(self, z: Array) -> Array:
        t = self.sign * z
        decay = self.exp(-np.abs(t))
        return self.sign * np.where(t >= 0, 1, decay).astype(t.dtype) / (1 + decay)

    def penalty(self) -> float:
        return self.real(0.5 * self.config.l2) * (self.w @ self.w)

    def cost(self, z: Array) -> float:
        return self.losses(z).sum() / self.m + self.penalty()

    def feature_gradient(self, r: Array) -> Array:
        return r @ self.X / self.m + self.real(self.config.l2) * self.w

    def bias_gradient(self, r: Array) -> float:
        return r.sum() / self.m

    def forward(self) -> None:
        self.z = self.margins()
        self.J[0] = self.cost(self.z)

    def backward(self) -> None:
        r = self.residuals(self.z)
        self.gw[:] = self.feature_gradient(r)
        self.gb[0] = self.bias_gradient(r)

    def gradient(self) -> None:
        self.forward()
        self.backward()

    def corrections(self, adam: Adam, step: int) -> tuple[float, float]:
        return 1 - adam.beta1**step, 1 - adam.beta2**step

    def accumulate(self, adam: Adam, g: Array) -> None:
        self.moment1[:] = self.real(adam.beta1) * self.moment1 + self.real(1 - adam.beta1) * g
        self.moment2[:] = self.real(adam.beta2) * self.moment2 + self.real(1 - adam.beta2) * g * g

    def quotient(self, adam: Adam) -> Array:
        correction1, correction2 = map(self.real, self.corrections(adam, self.steps_taken))
        return self.moment1 / correction1 / (np.sqrt(self.moment2 / correction2) + self.real(adam.epsilon))

    def adam(self, adam: Adam) -> None:
        self.accumulate(adam, self.gradients)
        self.parameters -= self.real(adam.learning_rate) * self.quotient(adam)

    def descend(self, learning_rate: float) -> None:
        self.parameters -= self.real(learning_rate) * self.gradients

    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                self.adam(adam)
            case descent:
                self.descend(descent.learning_rate)

    def step(self) -> None:
        self.gradient()
        self.update()

    def train(self, steps: int) -> None:
        costs = self.reserve_costs(steps)
        for k in range(steps):
            self.step()
            costs[k] = self.J[0]
