"""A kernel that raises in the middle of its timed rounds."""

from stepkernels import Implementation
from stepkernels.rows import numpy_blas

IMPLEMENTATION = Implementation(name="raises", module=__file__)


class Workspace(numpy_blas.Workspace):
    calls = 0

    def step(self) -> None:
        self.calls += 1
        if self.calls > 2000:
            raise RuntimeError("the kernel gave up")
        super().step()


def bind(problem, config):
    return Workspace(problem, config, "C")
