"""Configurations drawn at random."""

from __future__ import annotations

from stepbench.checking.scenes import Random
from stepkernels import GD, Adam, Config, Problem
from stepkernels.problem import safe_learning_rate


def draw_config(random: Random, problem: Problem | None, dtype: str, optimizer: str) -> Config:
    """A configuration that nobody would guess: learning rates, penalties, and Adam's constants.

    Half of the learning rates of gradient descent are safe ones for the problem, where one is given.
    """
    l2 = 0.0 if random.random() < 0.3 else 10.0 ** random.uniform(-3.0, 0.0)
    if optimizer == GD.name:
        rate = random.uniform(0.02, 0.9)
        if problem is not None and random.random() < 0.5:
            rate *= safe_learning_rate(problem, l2)
        return Config(dtype=dtype, optimizer=GD(learning_rate=rate), l2=l2)
    adam = Adam(
        learning_rate=10.0 ** random.uniform(-3.0, -0.5),
        beta1=float(random.choice([0.9, 0.8, 0.5, 0.0])),
        beta2=float(random.choice([0.999, 0.99, 0.9, 0.5])),
        epsilon=float(random.choice([1e-8, 1e-4, 1e-2])),
    )
    return Config(dtype=dtype, optimizer=adam, l2=l2)
