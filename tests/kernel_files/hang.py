"""A kernel that never returns."""

import time

from stepkernels import Implementation
from stepkernels.rows import numpy_blas

IMPLEMENTATION = Implementation(name="hang", module=__file__)


class Workspace(numpy_blas.Workspace):
    def step(self) -> None:
        time.sleep(3600)


def bind(problem, config):
    return Workspace(problem, config, "C")
