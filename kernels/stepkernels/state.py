"""The state of a step in a handful of dense arrays, and the host's way in and out of them.

Every array library needs the same bookkeeping around its kernels. Parameters and gradients are packed with the
bias last, so that an update is one operation over n + 1 elements; `w`, `b`, `gw` and `gb` are views of them.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from stepkernels.interface import Snapshot
from stepkernels.problem import Array, Config, Problem, undisturbed


class Library(Protocol):
    """The three things `State` asks of an array library."""

    def empty(self, length: int, dtype: str) -> Any:
        """A new array of `length` elements, on the device."""

    def write(self, array: Any, values: Array) -> None:
        """Copy host `values` into an existing array of the same shape and dtype."""

    def read(self, array: Any) -> Array:
        """A host copy of `array`, once the device is done with it."""


class NumPy:
    """Arrays of the host."""

    def empty(self, length: int, dtype: str) -> Array:
        return np.empty(length, dtype)

    def write(self, array: Array, values: Array) -> None:
        array[...] = values

    def read(self, array: Array) -> Array:
        return array.copy()


HOST = NumPy()


class State:
    """Parameters, gradients and moments of a bound problem, one library's arrays.

    parameters  (n + 1,) w and b
    gradients   (n + 1,) gw and gb
    moment1     (n + 1,) Adam's; zeros under GD
    moment2     (n + 1,)
    J           (1,)
    costs       (k,) after train(k), else empty
    steps_taken updates since the start
    """

    def __init__(self, problem: Problem, config: Config, library: Library = HOST) -> None:
        self.problem, self.config = problem, config
        self.library = library
        n = problem.n
        self.parameters, self.gradients, self.moment1, self.moment2 = (
            self.library.empty(n + 1, config.dtype) for _ in range(4)
        )
        self.J = self.library.empty(1, config.dtype)
        self.costs = self.library.empty(0, config.dtype)
        self.w, self.b = self.parameters[:n], self.parameters[n:]
        self.gw, self.gb = self.gradients[:n], self.gradients[n:]
        self.steps_taken = 0

    def synchronize(self) -> None:
        """Host arrays are always ready; a row on a device overrides this."""

    @undisturbed
    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        n, dtype = self.problem.n, self.config.dtype
        start = np.empty(n + 1, dtype)
        start[:n] = self.problem.w0 if w is None else w
        start[n] = self.problem.b0 if b is None else b
        moment1, moment2 = (np.zeros(n + 1, dtype),) * 2 if moments is None else moments
        self.library.write(self.parameters, start)
        self.library.write(self.moment1, np.asarray(moment1, dtype))
        self.library.write(self.moment2, np.asarray(moment2, dtype))
        self.library.write(self.gradients, np.full(n + 1, np.nan, dtype))
        self.library.write(self.J, np.full(1, np.nan, dtype))
        if len(self.costs):
            self.costs = self.library.empty(0, dtype)
        self.steps_taken = step

    def reserve_costs(self, steps: int) -> Any:
        """The buffer `train(steps)` writes its costs into; kept when the length has not changed."""
        if len(self.costs) != steps:
            self.costs = self.library.empty(steps, self.config.dtype)
        return self.costs

    def snapshot(self) -> Snapshot:
        self.synchronize()
        n = self.problem.n
        parameters, gradients = self.library.read(self.parameters), self.library.read(self.gradients)
        return Snapshot(
            J=self.library.read(self.J).reshape(()),
            w=parameters[:n],
            b=parameters[n:].reshape(()),
            gw=gradients[:n],
            gb=gradients[n:].reshape(()),
            moment1=self.library.read(self.moment1),
            moment2=self.library.read(self.moment2),
            step=self.steps_taken,
            costs=self.library.read(self.costs),
        )
