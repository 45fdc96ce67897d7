"""Logistic regression in five lines of NumPy, as a row of its own: replace the middle with your kernel."""

import numpy as np

from stepkernels import Implementation, Op
from stepkernels.state import State

IMPLEMENTATION = Implementation(
    name="my-matrix-form",
    module=__file__,
    library="numpy",
    technique="matrix form",
    ops=(Op.GRADIENT, Op.UPDATE, Op.STEP),
    optimizers=("gd",),
    allocates=True,
)


class Workspace(State):
    """`State` holds w, b, gw, gb and J, resets them and takes snapshots; what is left is the mathematics."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X, self.sign = problem.X, 1 - 2 * problem.y
        self.reset()

    def gradient(self):
        m, l2, w = len(self.X), self.config.l2, self.w
        t = self.sign * (self.X @ w + self.b)  # the margin, positive where the prediction is wrong
        r = self.sign * np.exp(-np.logaddexp(0, -t))  # p − y, with no cancellation
        self.J[:] = np.logaddexp(0, t).sum() / m + l2 / 2 * (w @ w)
        self.gw[:] = r @ self.X / m + l2 * w
        self.gb[:] = r.sum() / m

    def update(self):
        self.parameters -= self.config.optimizer.learning_rate * self.gradients
        self.steps_taken += 1

    def step(self):
        self.gradient()
        self.update()


def bind(problem, config):
    """Called once a problem: copy, allocate and compile here."""
    return Workspace(problem, config)
