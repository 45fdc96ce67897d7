"""One training step of logistic regression, written once per technique, behind one interface.

Importing this package loads numpy and nothing else; a row loads its library when it is bound, and
`stepkernels.LogisticRegression` loads scikit-learn when it is asked for.
"""

from typing import TYPE_CHECKING

from stepkernels import probe
from stepkernels.interface import Implementation, Op, Snapshot, Workspace
from stepkernels.problem import GD, Adam, Config, Problem, ProblemError, synthetic_problem

if TYPE_CHECKING:
    from stepkernels.classifier.estimator import LogisticRegression

__all__ = [
    "GD",
    "Adam",
    "Config",
    "Implementation",
    "LogisticRegression",
    "Op",
    "Problem",
    "ProblemError",
    "Snapshot",
    "Workspace",
    "synthetic_problem",
]


def __getattr__(name: str) -> object:
    """Resolve the classifier, which needs the extra `estimator`, when it is first asked for."""
    if name != "LogisticRegression":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if reason := probe.missing_library("sklearn"):
        raise ImportError(f"LogisticRegression cannot be used here: {reason}.")
    from stepkernels.classifier.estimator import LogisticRegression

    return LogisticRegression
