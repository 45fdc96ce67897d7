"""A kernel that loses its last row."""

from stepkernels import Implementation, Problem
from stepkernels.rows import numpy_blas

IMPLEMENTATION = Implementation(name="wrong", module=__file__)


def bind(problem, config):
    return numpy_blas.Workspace(Problem(problem.X[:-1], problem.y[:-1], problem.w0, problem.b0), config, "C")
