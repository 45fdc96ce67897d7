"""Whole trainings, timed as any row is: what the harness calls a step is one `fit`, from nothing to a classifier."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression as PeerRegression

from stepkernels.classifier.estimator import LogisticRegression
from stepkernels.problem import Config, Problem
from stepkernels.state import State


class Fit(State):
    """A classifier and the data it is trained on: each step trains it again from the start."""

    def __init__(self, problem: Problem, config: Config, classifier: LogisticRegression | PeerRegression) -> None:
        super().__init__(problem, config)
        self.classifier = classifier

    def step(self) -> None:
        self.classifier.fit(self.problem.X, self.problem.y)


def bind(problem: Problem, config: Config, *, peer: bool = False, **settings: Any) -> Fit:
    """Fits of our classifier with these settings, or of scikit-learn's where `peer` is true."""
    return Fit(problem, config, PeerRegression(**settings) if peer else LogisticRegression(**settings))
