"""A GPU's limit as a participant: reads X once, does nothing else, and takes turns like a row.

Training reads X in one launch as often as it takes steps, as the best rows do. How many blocks a multiprocessor gets
is measured when it is bound.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cupy
import numpy as np

from stepkernels.arrays.cupy_state import DeviceState
from stepkernels.problem import Config, Problem

SOURCE = Path(__file__).with_name("read_limit.cu")
THREADS = 256
BLOCKS = (2, 4, 8)  # a multiprocessor; four fill a small one, eight a large one
TRIALS = 5
WANTED = np.uint32(0x9E3779B9)  # any number would do


class Workspace(DeviceState):
    """Reads X; the state it inherits stays at the start."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.X = cupy.asarray(np.ascontiguousarray(problem.X))
        self.fold = cupy.zeros(1, np.uint32)
        self.kernel = compiled()
        device = cupy.cuda.runtime.getDevice()
        processors = cupy.cuda.runtime.deviceGetAttribute(cupy.cuda.runtime.cudaDevAttrMultiProcessorCount, device)
        self.blocks = min((each * processors for each in BLOCKS), key=self.best_seconds)
        self.step = self.launch(self.blocks, 1)
        self.reset()

    def launch(self, blocks: int, times: int) -> Callable[[], Any]:
        """A launch with all its arguments bound."""
        words = np.uint64(self.X.nbytes // 4)
        arguments = (self.X, words, np.int32(times), WANTED, self.fold)
        return functools.partial(self.kernel, (blocks,), (THREADS,), arguments)

    def best_seconds(self, blocks: int) -> float:
        """The least time of a read with so many blocks, the first not counted."""
        read, best = self.launch(blocks, 1), float("inf")
        for trial in range(TRIALS + 1):
            start = time.perf_counter()
            read()
            self.synchronize()
            best = min(best, time.perf_counter() - start) if trial else best
        return best

    def forward(self) -> None:
        self.step()

    backward = gradient = forward

    def train(self, steps: int) -> None:
        self.launch(self.blocks, steps)()


@functools.cache
def compiled() -> Any:
    """read_limit.cu for the current GPU; CuPy caches the binary on disk."""
    return cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=("--std=c++17",)).get_function("read_array")


def bind(problem: Problem, config: Config) -> Workspace:
    return Workspace(problem, config)
