"""Cheats: kernels that are right whenever they are looked at, and do less when they are timed; and honest oddities.

Each is `numpy-blas` with one trick. `@cheat(kind, says)` states what a run must make of it: the kind of the failure
and a pattern of its reason; `TRUE_TIME`, where the trick is worth nothing; or `TOLD`, with a pattern of what is said
beside its time. `gains` measures what each gains; those that only their time gives away are looked at there alone, for
a test asserts no time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stepkernels import Config, Implementation, Op, Problem
from stepkernels.rows import numpy_blas

TRUE_TIME = "true time"
TOLD = "told"  # its time may be too short by what a sentence beside it says
OPS = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.UPDATE, Op.STEP)


class Honest(numpy_blas.Workspace):
    """`numpy-blas`, counting its steps since the last reset."""

    def __init__(self, problem: Problem, config: Config) -> None:
        self.since_reset = 0
        super().__init__(problem, config, "C")

    def reset(self, *state, **more):
        self.since_reset = 0
        super().reset(*state, **more)

    def gradient(self):
        self.forward()
        self.backward()

    def step(self):
        self.since_reset += 1
        self.gradient()
        self.update()


@dataclass(frozen=True)
class Exhibit:
    """A kernel and what a run must make of it: in the operation `op`, by the failure `kind` for the reason `says`."""

    kernel: type[Honest]
    kind: str
    says: str
    op: Op
    ops: tuple[Op, ...]
    measured: bool = False

    @property
    def row(self) -> Implementation:
        name = self.kernel.__name__
        return Implementation(
            name=f"cheat-{name}",
            module=str(Path(__file__).with_name("kernel.py")),
            options={"exhibit": name},
            ops=self.ops,
        )


CHEATS: dict[str, Exhibit] = {}
HONEST: dict[str, Exhibit] = {}


def cheat(
    kind: str, says: str = "", op: Op = Op.STEP, ops: tuple[Op, ...] = OPS, *, measured: bool = False
) -> Callable[[type], type]:
    """`measured`: only its time gives it away."""

    def register(kernel: type) -> type:
        CHEATS[kernel.__name__] = Exhibit(kernel, kind, says, op, ops, measured)
        return kernel

    return register


def honest(kernel: type) -> type:
    """Unusual, and to be timed."""
    HONEST[kernel.__name__] = Exhibit(kernel, TRUE_TIME, "", Op.STEP, OPS)
    return kernel


def workspace(problem: Problem, config: Config, exhibit: str) -> Honest:
    return {**CHEATS, **HONEST}[exhibit].kernel(problem, config)


for room in ("tells", "less_work", "remembered", "later", "forgeries", "trainings", "oddities"):
    importlib.import_module(f"cheats.{room}")
