"""Whole trainings as rows of the harness: a step is one call of `fit`, from nothing to a trained classifier."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression as PeerRegression

from stepkernels.classifier.estimator import LogisticRegression
from stepkernels.problem import Config, Problem
from stepkernels.state import State


class Fit(State):
    """A classifier and the data it is trained on. It starts anew in each call."""

    def __init__(self, problem: Problem, config: Config, classifier: LogisticRegression | PeerRegression) -> None:
        super().__init__(problem, config)
        self.classifier = classifier

    def step(self) -> None:
        self.classifier.fit(self.problem.X, self.problem.y)


def bind(problem: Problem, config: Config, *, peer: bool = False, **settings: object) -> Fit:
    """A fit of our classifier with these settings, or of scikit-learn's."""
    return Fit(problem, config, PeerRegression(**settings) if peer else LogisticRegression(**settings))  # type: ignore[arg-type]
