"""A kernel that raises in the middle of its timed rounds."""

from stepkernels import Implementation
from stepkernels.rows import numpy_blas

IMPLEMENTATION = Implementation(name="raises", module=__file__)


class Workspace(numpy_blas.Workspace):
    def step(self) -> None:
        if self.steps_taken > 2000:
            raise RuntimeError("the kernel gave up")
        super().step()


def bind(problem, config):
    return Workspace(problem, config, "C")
