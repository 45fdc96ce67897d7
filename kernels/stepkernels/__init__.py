"""One training step of logistic regression, written once per technique, behind one interface.

Importing this package loads numpy and nothing else; a row loads its library when it is bound.
"""

from stepkernels.interface import Implementation, Op, Snapshot, Workspace
from stepkernels.problem import GD, Adam, Config, Problem, ProblemError, synthetic_problem

__all__ = [
    "GD",
    "Adam",
    "Config",
    "Implementation",
    "Op",
    "Problem",
    "ProblemError",
    "Snapshot",
    "Workspace",
    "synthetic_problem",
]
