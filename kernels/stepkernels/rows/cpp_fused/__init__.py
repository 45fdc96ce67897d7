"""Rung 6, one pass over X in C++: the algorithm of numba_fused/ through the system's compiler, to learn what is lost.

The whole step is one file, `fused_step.cpp`, which is compiled for this processor when the row is first bound and kept
(`build.py`). X is read once: the next rows go forward and those before them back in one loop over the columns, beyond
the caches in runs far apart, within them over a copy of X in tiles. The vectors are the compiler's own, the threads
OpenMP's; in a training they meet at a barrier of their own once a step.

What it is faster by than numba_fused/, and only where X lies in the caches: tiles, too, go both ways in one loop, the
polynomial of the exponential is two chains of half the length, a label is a bit that one shift turns into a sign, and a
call is a pointer to a structure that was filled in when the row was bound. In that order, 569×30 in float64 went from
4.2 to 3.8 µs, numba_fused/ taking 4.9 (one thread of an AMD EPYC). Beyond the caches the bound is X read once, whatever
language asks for it; within them a core waits for exponentials, of which it keeps about three in flight.
"""

from __future__ import annotations

import ctypes
import math
import os
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakSet

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stepkernels.probe import left_behind
from stepkernels.problem import Adam, Array, Config, Problem, ProblemError
from stepkernels.problem.storage import kept_of
from stepkernels.rows.cpp_fused.build import built
from stepkernels.state import State

SOURCE = Path(__file__).with_name("fused_step.cpp")
COPIED = 16 * 1024 * 1024  # bytes of X, at most, that are copied into tiles: about a third-level cache
STEPS_WORTH_A_TEAM = 100  # another thread for each step of a training that short gains less than it costs
LINES = 128  # bytes: two cache lines, which come together

_POINTERS = ("X", "scales", "labels", "parameters", "gradients", "moment1", "moment2", "J", "costs", "scratch")
_COUNTS = ("m", "n", "steps", "taken", "shares", "in_tiles", "in_parallel", "adam", "storage")
_KINDS = {None: 0, "float16": 1, "bfloat16": 2, "int8": 3}
_NUMBERS = ("l2", "learning_rate", "beta1", "beta2", "epsilon", "log_beta1", "log_beta2")


class Step(ctypes.Structure):
    """The one argument of every call: `Step` of `fused_step.cpp`, field by field."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_int64) for name in _COUNTS),
        *((name, ctypes.c_double) for name in _NUMBERS),
    )


class Division(NamedTuple):
    """Into how many shares the rows are divided, which makes the bits; and whether a single step wakes threads."""

    shares: int = 1
    in_parallel: bool = False


def division_of(m: int, n: int, threads: int) -> Division:
    """What is worth it for X (m, n): 1 µs of work a share for a training, several for a step, which wakes its threads.

    A sigmoid and its loss cost as much as about 20 elements of X, and 12,000 elements take about 1 µs.
    """
    work = m * (n + 20)
    shares = max(min(threads, work // 12_000), 1)
    return Division(shares, shares > 1 and work > 60_000)


def numbers_of(config: Config) -> dict[str, float]:
    """The settings of a step, by the names of its fields."""
    optimizer = config.optimizer
    numbers = {"l2": config.l2, "learning_rate": optimizer.learning_rate}
    if isinstance(optimizer, Adam):
        betas = {"beta1": optimizer.beta1, "beta2": optimizer.beta2}
        logarithms = {f"log_{name}": math.log(beta) if beta else -math.inf for name, beta in betas.items()}
        numbers |= {"epsilon": optimizer.epsilon, **betas, **logarithms}
    return numbers


def aligned(length: int, dtype: DTypeLike) -> NDArray[Any]:
    """Zeros that begin a pair of cache lines, and have them to themselves."""
    kind = np.dtype(dtype)
    memory = np.zeros(-(-length * kind.itemsize // LINES) * LINES + LINES, np.uint8)
    start = -memory.ctypes.data % LINES
    return memory[start : start + length * kind.itemsize].view(kind)


def address(array: NDArray[Any]) -> int:
    return array.ctypes.data


def owned_bytes(X: Array) -> int:
    """Of the array whose memory X is a part of: a block counts as all of it, whose copies would be a second X."""
    while isinstance(X.base, np.ndarray):
        X = X.base
    return X.nbytes


class Workspace(State):
    """X as it lies or in tiles, the labels as bits, the scratch of C++, and the structure of a call."""

    def __init__(
        self, problem: Problem, config: Config, division: Division, library: ctypes.CDLL, tiles: bool | None = None
    ) -> None:
        super().__init__(problem, config)
        self.code, self.division = library, division
        adam = isinstance(config.optimizer, Adam)
        self.call = Step(m=problem.m, n=problem.n, shares=division.shares, adam=adam, in_parallel=division.in_parallel)
        for name, value in numbers_of(config).items():
            setattr(self.call, name, value)
        self.bind_data(tiles)
        state = {name: getattr(self, name) for name in ("parameters", "gradients", "moment1", "moment2", "J")}
        for name, array in {"X": self.X, "labels": self.labels, "scratch": self.scratch, **state}.items():
            setattr(self.call, name, address(array))
        self.bind_calls()
        if division.shares > 1:
            _with_threads.add(self)
        self.reset()

    def compiled(self, name: str) -> Any:
        """A function of the C++, for the dtype."""
        return getattr(self.code, f"{name}_{self.config.dtype}")

    def bind_data(self, tiles: bool | None) -> None:
        """X, viewed or in tiles, or its bits in a narrower storage; the labels as rows are met; scratch."""
        problem, call, storage = self.problem, ctypes.byref(self.call), self.config.storage
        m, n, rows = problem.m, problem.n, self.compiled("rows_in_tile")()
        filling = -m % rows
        X, self.scales = kept_of(np.ascontiguousarray(problem.X), storage)
        self.call.storage, self.call.scales = _KINDS[storage], address(self.scales) if self.scales.size else None
        if tiles is None:
            tiles = 3 * filling <= m and (owned_bytes(problem.X) if storage is None else X.nbytes) <= COPIED
        self.call.in_tiles = tiles
        self.X = aligned((m + filling) * n, X.dtype) if tiles else X
        if tiles:
            copy, sizes = self.code[f"copy_into_tiles_{X.dtype}"], (ctypes.c_int64(m), ctypes.c_int64(n))
            copy(ctypes.c_void_p(address(X)), *sizes, ctypes.c_void_p(address(self.X)))
        y, self.labels = problem.y.astype(np.int8), np.zeros(m + rows, np.uint32)
        self.compiled("pack_labels")(call, ctypes.c_void_p(address(y)), ctypes.c_void_p(address(self.labels)))
        scratch_bytes = self.compiled("scratch_bytes")
        scratch_bytes.restype = ctypes.c_int64
        self.scratch = aligned(scratch_bytes(call), np.uint8)

    def bind_calls(self) -> None:
        """Each operation as a call without arguments."""
        names = ("gradient", "update", "step", "train", "train_in_team")
        for name in names:
            self.compiled(name).restype = None
        self.run_gradient, self.run_update, self.run_step, self.run_train, self.run_team = (
            partial(self.compiled(name), ctypes.byref(self.call)) for name in names
        )

    def leave_threads(self) -> None:
        self.run_gradient = self.run_update = self.run_step = self.run_train = self.run_team = partial(refuse)

    def gradient(self) -> None:
        self.run_gradient()

    def update(self) -> None:
        self.steps_taken += 1
        self.run_update()

    def step(self) -> None:
        self.steps_taken += 1
        self.run_step()

    def train(self, steps: int) -> None:
        self.call.costs, self.call.steps = address(self.reserve_costs(steps)), steps
        in_team = self.division.shares > 1 and steps >= STEPS_WORTH_A_TEAM
        (self.run_team if in_team else self.run_train)()
        self.steps_taken += steps

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        super().reset(w, b, moments, step)
        self.call.taken = step


_with_threads: WeakSet[Workspace] = WeakSet()


def refuse() -> None:
    """What a call becomes in a process that was forked after it was bound: OpenMP would wait for its threads."""
    raise ProblemError(f"This workspace cannot compute here: {left_behind('c++')}.")


def _forked() -> None:
    for workspace in list(_with_threads):
        workspace.leave_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def bind(problem: Problem, config: Config, parallel: bool = False) -> Workspace:
    """Compiled, or loaded from what was kept; on one thread, or in shares for those that OpenMP is allowed."""
    library = built(SOURCE)
    return Workspace(problem, config, division_of(problem.m, problem.n, library.threads() if parallel else 1), library)
