"""A kernel that reads through a null pointer."""

import ctypes

from stepkernels import Implementation
from stepkernels.rows import numpy_blas

IMPLEMENTATION = Implementation(name="segfault", module=__file__)


class Workspace(numpy_blas.Workspace):
    def step(self) -> None:
        ctypes.string_at(0)


def bind(problem, config):
    return Workspace(problem, config, "C")
