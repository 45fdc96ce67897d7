"""A kernel whose library runs one thread more than the budget it was given."""

import os

import threadpoolctl

from stepkernels import Implementation
from stepkernels.rows import numpy_blas

IMPLEMENTATION = Implementation(name="too-many-threads", module=__file__)


def bind(problem, config):
    threadpoolctl.threadpool_limits(int(os.environ["OPENBLAS_NUM_THREADS"]) + 1)
    return numpy_blas.Workspace(problem, config, "C")
