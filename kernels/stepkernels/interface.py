"""The interface every row has, and the laws it keeps.

A row is data (`Implementation`, one entry of the catalogue) and a module with one function,
`bind(problem, config, **options)`, which returns a `Workspace`. Binding copies, allocates and compiles;
a workspace only computes.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Literal, Protocol, cast

import numpy as np

from stepkernels import probe
from stepkernels.probe.kernel_modules import load_file
from stepkernels.problem import Array, Config, Problem, ProblemError, undisturbed


class Op(StrEnum):
    """What can be asked of a workspace, and timed."""

    FORWARD = "forward"
    BACKWARD = "backward"
    GRADIENT = "gradient"
    UPDATE = "update"
    STEP = "step"
    TRAIN = "train"


def _no_costs() -> Array:
    return np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """Host copies of a workspace's state, in the row's own dtype. Copies: later steps do not change them.

    J, b, gb          0-d
    w, gw             (n,)
    moment1, moment2  (n + 1,), the bias last; zeros under GD
    step              updates taken
    costs             (k,) the J of each step of the last train(k), each of the parameters before its update;
                      empty when nothing was trained since the last reset
    """

    J: Array
    w: Array
    b: Array
    gw: Array
    gb: Array
    moment1: Array
    moment2: Array
    step: int
    costs: Array = field(default_factory=_no_costs)


class Workspace(Protocol):
    """A problem bound to a row: device buffers, compiled code, state.

    Every row has step, synchronize, reset and snapshot, and those of forward(), backward(), gradient(),
    update() and train(steps) that its catalogue entry declares; a caller that needs one of the latter takes a
    `GradientWorkspace` or a `TrainingWorkspace`. The laws, each tested for every row:

    1. forward; backward; update ≡ gradient; update ≡ step within the error bound, for whichever the row
       declares; train(k) ≡ k calls of the same row's step.
    2. Each step agrees with one reference step taken from the row's own state before it.
    3. Operations may return before the device is finished; only synchronize and snapshot wait.
       X and y are never written.
    4. After one warm-up no operation allocates or moves data between host and device, unless the row
       declares that it `allocates`.
    5. After reset, outputs are NaN until written, so one never written cannot pass.
    6. A row that says it is deterministic gives the same bits every run.
    7. forward, backward and gradient are idempotent: they can be called in a loop.

    backward uses what forward left behind; gradient and step need nothing before them.
    J, and each of the costs, belongs to the parameters before the update.
    """

    def step(self) -> None:
        """Forward, backward, update."""

    def synchronize(self) -> None:
        """Return when the device is done; nothing to do on a CPU."""

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        """Copy host values into the existing buffers; J, gw and gb become NaN.

        None means the problem's start (w0, b0, zero moments). `moments` is (moment1, moment2), each (n + 1,),
        the bias last; `step` is the number of updates already taken, so the next one is numbered step + 1.
        """

    def snapshot(self) -> Snapshot:
        """Wait for the device, then copy the state to the host."""


class GradientWorkspace(Workspace, Protocol):
    """The workspace of a row that declares GRADIENT."""

    def gradient(self) -> None:
        """Forward and backward in one call."""


class TrainingWorkspace(Workspace, Protocol):
    """The workspace of a row that declares TRAIN."""

    def train(self, steps: int) -> None:
        """So many steps in one call; the snapshot's `costs` are then their J, one a step."""


def with_gradient(workspace: Workspace) -> GradientWorkspace:
    """The workspace, which has gradient(). Raises `TypeError` for one of a row that declared it and has none."""
    if not callable(getattr(workspace, "gradient", None)):
        raise TypeError("the row declares gradient, but its workspace has no gradient()")
    return cast("GradientWorkspace", workspace)


def with_training(workspace: Workspace) -> TrainingWorkspace:
    """The workspace, which has train(steps). Raises `TypeError` for one of a row that declared it and has none."""
    if not callable(getattr(workspace, "train", None)):
        raise TypeError("the row declares train, but its workspace has no train(steps)")
    return cast("TrainingWorkspace", workspace)


Device = Literal["cpu", "cuda"]
Accumulation = Literal["blocked", "sequential"]
Residual = Literal["stable", "difference"]
Compiler = Literal["c", "c++"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """A catalogue row: everything the suite knows of a technique before it is loaded.

    name            unique, <library>-<technique>[-<device>]
    module          an importable name, or the path of a .py file; has bind(problem, config, **options)
    library         the import name of the library it needs, or "python" or "c++" (see `stepkernels.probe`)
    compiler        "c" or "c++" when the library calls such a compiler as it binds
    technique       what it shows, in words
    summary         one sentence: why it is faster than the rung below
    options         passed to the module's bind
    passes_over_x   how often a gradient reads X from memory; 1 for a fused row, up to the width its module tells
    accumulation    how sums grow: "blocked" (several partial sums) or "sequential" (one running sum)
    residual        "stable", or "difference" for p − y and softplus(z) − y·z, judged by what they can achieve
    deterministic   the same bits every run
    allocates       an operation may allocate after its warm-up (autograd)
    compiles_per_shape  binding a new shape compiles again
    weights         it takes a problem whose rows have weights
    storages        those of `STORAGES` that it can keep X in, narrower than what it computes with
    survives_fork   it computes also in a child that was forked after it has computed: its library has no threads and
                    no device there, or such as come back
    max_work        elements of X per operation above which a case is a recorded skip
    cuda_source     the CUDA C++ file beside the module, of which its kernels are compiled
    cpp_source      the C++ file beside the module, which is compiled as the row is bound
    raw_kernels     its kernels are CUDA code of its own, which compute-sanitizer can look at
    auto_from       the fewest elements of X, in the problem or the batch, from which the classifier's "auto" takes
                    it; of several that of the largest number, and of equals the later row; None: never
    """

    name: str
    module: str
    library: str = "numpy"
    compiler: Compiler | None = None
    technique: str = "custom"
    device: Device = "cpu"
    ops: tuple[Op, ...] = (Op.STEP,)
    dtypes: tuple[str, ...] = ("float32", "float64")
    optimizers: tuple[str, ...] = ("gd", "adam")
    summary: str = ""
    options: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    passes_over_x: int = 2
    accumulation: Accumulation = "blocked"
    residual: Residual = "stable"
    deterministic: bool = True
    allocates: bool = False
    compiles_per_shape: bool = False
    weights: bool = False
    storages: tuple[str, ...] = ()
    survives_fork: bool = True
    max_work: float | None = None
    cuda_source: str | None = None
    cpp_source: str | None = None
    raw_kernels: bool = False
    auto_from: int | None = None

    def unavailable(self) -> str | None:
        """Why the row cannot run here, or None.

        An absent library, an absent compiler that it calls, one that is switched off, a CUDA row without a working GPU,
        and threads that a fork left behind are reasons.
        Anything else raises: a broken installation must not look like a missing one.
        """
        return (
            probe.missing_library(self.library)
            or (probe.missing_compiler(self.compiler) if self.compiler else None)
            or probe.switched_off(self.library)
            or self.left_behind()
            or (probe.missing_gpu(self.library) if self.device == "cuda" else None)
        )

    def left_behind(self) -> str | None:
        """Why the row's threads, or its device, are not there in a process that was forked; or None."""
        return None if self.survives_fork else probe.left_behind(self.library)

    def unsupported(self, config: Config) -> str | None:
        """Why the row does not take this configuration, or None."""
        if config.dtype not in self.dtypes:
            return f"{self.name} computes in {' and '.join(self.dtypes)}, not in {config.dtype}"
        if config.storage is not None and config.storage not in self.storages:
            kept = f"keeps X in float32, or in {' or '.join(self.storages)}" if self.storages else "keeps X as it is"
            return f"{self.name} {kept}, not in {config.storage}"
        if config.optimizer.name not in self.optimizers:
            return f"{self.name} updates with {' and '.join(self.optimizers)}, not with {config.optimizer.name}"
        return None

    @undisturbed
    def bind(self, problem: Problem, config: Config) -> Workspace:
        """Copy, allocate, compile: a workspace ready to run, reset to the problem's start.

        Raises `ProblemError` for a configuration the row does not support, for weights where it takes none, in a
        forked process where its threads are not there, and where the compiler it is made by is switched off.
        """
        if reason := self.unsupported(config):
            raise ProblemError(f"{reason}.")
        if problem.weights is not None and not self.weights:
            raise ProblemError(f"{self.name} takes no weights; numba-fused and numpy-blas are among the rows that do.")
        self.require_able()
        module = self.load()
        self.require_able()  # a library may have read its settings only now
        if not self.survives_fork:
            probe.note_use(self.library)
        workspace: Workspace = module.bind(problem.astype(config.dtype), config, **self.options)
        return workspace

    def tune(self) -> Iterator[str]:
        """Measure what the row does not know of this machine, keep it, and tell it. Raises `ProblemError` as `bind`."""
        self.require_able()
        return self._told_by("tune")

    def tuned(self) -> Iterator[str]:
        """What `tune` has found on this machine; nothing where it was never asked, or there is nothing to tune."""
        return self._told_by("tuned")

    @property
    def has_ranks(self) -> bool:
        """Whether it shares the rows of X among processes; its option `ranks` says among how many."""
        return "ranks" in self.options

    def is_untuned(self) -> bool:
        """Whether `tune` would measure what was never measured on this machine."""
        return any(self._told_by("untuned"))

    def _told_by(self, name: str) -> Iterator[str]:
        """What a function of the row's module tells, if it has one."""
        function = getattr(self.load(), name, None)
        return iter(function(**self.options)) if function else iter(())

    def require_able(self) -> None:
        """Raise `ProblemError` in a process that computes nothing by the row's library, though it is there."""
        if reason := probe.switched_off(self.library) or self.left_behind():
            raise ProblemError(f"{self.name} cannot run here: {reason}.")

    def to_json(self) -> dict[str, Any]:
        """The row as plain values, to be stored or sent to another process."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"options": dict(self.options)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Implementation:
        """The row that gave these values, also after a journey through JSON.

        A field that was not known when they were stored has its default.
        """
        sequences = {name: tuple(values[name]) for name in ("dtypes", "optimizers", "storages") if name in values}
        return cls(**{**values, **sequences, "ops": tuple(map(Op, values["ops"]))})

    def load(self) -> ModuleType:
        """Import the row's module and, with it, its library. Numba gets a temporary cache where it finds no other."""
        return probe.with_a_cache(self.import_module)

    def import_module(self) -> ModuleType:
        return load_file(Path(self.module)) if self.module.endswith(".py") else importlib.import_module(self.module)
