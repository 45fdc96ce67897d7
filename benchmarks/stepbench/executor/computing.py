"""A workspace in this process, and all that is done to it."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np

from stepbench.executor.cuda_driver import synchronize_device
from stepbench.executor.wire import ARRAYS
from stepkernels import Op, Snapshot, Workspace
from stepkernels.problem import Array

STEPS_OF_A_TRAIN = 3


class Computing:
    """A row's workspace. What is wrong with it raises `TypeError` or `ValueError`, in a sentence."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.held: list[Snapshot] = []

    def call(self, *operations: str, times: int = 1) -> None:
        """These operations one after the other, so many times."""
        for operation in operations:
            self._require(operation)
        for _ in range(times):
            for operation in operations:
                getattr(self.workspace, operation)()

    def train(self, steps: int) -> None:
        self._require("train")
        self.workspace.train(steps)  # type: ignore[attr-defined]

    def _require(self, operation: str) -> None:
        if not callable(getattr(self.workspace, operation, None)):
            raise TypeError(f"the row declares {operation} but its workspace has no {operation}()")

    def synchronize(self) -> None:
        self.workspace.synchronize()

    def settle(self) -> int:
        """Wait for all that was launched on the device; 0, or the driver's error."""
        return synchronize_device()

    def reset(self, **arguments: Any) -> None:
        """With arrays that the row must neither keep nor change: they are NaN as soon as it has returned."""
        given = _arrays(arguments.values())
        before = [array.copy() for array in given]
        self.workspace.reset(**arguments)
        for array, copy in zip(given, before, strict=True):
            if array.tobytes() != copy.tobytes():
                raise ValueError("reset changed the arrays it was given")
            array.fill(np.nan)

    def snapshot(self, *, hold: bool = False) -> Snapshot:
        """A new one, which may be held as it is, to be asked for again."""
        snapshot = self.workspace.snapshot()
        if hold:
            self.held.append(snapshot)
        return validated(snapshot)

    def held_snapshot(self, index: int) -> Snapshot:
        """What one that is held says now."""
        return validated(self.held[index])

    def allocated_bytes(self, operation: str, warm_ups: int) -> int:
        """The most that Python's allocators, NumPy's among them, gave out during the operation, once it is warm."""
        for _ in range(warm_ups):
            self._once(operation)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            self._once(operation)
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()

    def _once(self, operation: str) -> None:
        if operation == Op.TRAIN:
            self.train(STEPS_OF_A_TRAIN)
        else:
            self.call(operation)
        self.synchronize()


def _arrays(values: Any) -> list[Array]:
    """The arrays among the arguments of a reset, those of a pair as well."""
    found: list[Array] = []
    for value in values:
        found += _arrays(value) if isinstance(value, tuple) else [value] if isinstance(value, np.ndarray) else []
    return found


def validated(snapshot: Snapshot) -> Snapshot:
    """The same with arrays as NumPy has them and an int for its step. Raises `TypeError` where there are no such."""
    arrays = {name: np.asarray(getattr(snapshot, name)) for name in ARRAYS}
    for name, array in arrays.items():
        if array.dtype.kind not in "biufc":
            raise TypeError(f"{name} of a snapshot holds {array.dtype} values and no numbers")
    step = snapshot.step
    if isinstance(step, bool) or not isinstance(step, int | np.integer):
        raise TypeError(f"step of a snapshot is {step!r:.40} of type {type(step).__name__}; it must be an int")
    return Snapshot(step=int(step), **arrays)
