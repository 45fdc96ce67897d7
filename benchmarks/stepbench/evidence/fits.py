"""Whole trainings, timed as any row is: what the harness calls a step is one `fit`, from nothing to a classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.linear_model import LogisticRegression as PeerRegression

from stepkernels.classifier.estimator import LogisticRegression
from stepkernels.problem import Array, Config, Problem
from stepkernels.state import State


class Fit(State):
    """The data that a classifier is trained on: each step trains it again from the start."""

    def __init__(self, problem: Problem, config: Config, train: Callable[[Array, Array], object]) -> None:
        super().__init__(problem, config)
        self.train_on = train

    def step(self) -> None:
        self.train_on(self.problem.X, self.problem.y)


def bind(problem: Problem, config: Config, *, peer: bool = False, **settings: Any) -> Fit:
    """Fits of our classifier with these settings, or of scikit-learn's where `peer` is true."""
    classifier = PeerRegression(**settings) if peer else LogisticRegression(**settings)
    return Fit(problem, config, classifier.fit)
