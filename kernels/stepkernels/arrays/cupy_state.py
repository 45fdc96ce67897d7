"""The state of a step in CuPy arrays, for the rows that compute with them; only such rows import this."""

from __future__ import annotations

import cupy

from stepkernels.problem import Array, Config, Problem
from stepkernels.state import State


class DeviceArrays:
    """Dense arrays on the current GPU."""

    def empty(self, length: int, dtype: str) -> cupy.ndarray:
        return cupy.empty(length, dtype)

    def write(self, array: cupy.ndarray, values: Array) -> None:
        array.set(values)

    def read(self, array: cupy.ndarray) -> Array:
        values: Array = array.get()
        return values


class DeviceState(State):
    """The state on the current GPU. Everything a row launches goes to the current stream, in order."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config, DeviceArrays())

    def synchronize(self) -> None:
        cupy.cuda.get_current_stream().synchronize()
