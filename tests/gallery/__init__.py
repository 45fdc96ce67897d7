"""Broken kernels: each one small, honest-looking mistake, or one cheat, in an otherwise honest kernel.

`@broken(trial, says, spares)` states the reason for which the judge must reject it: the trial it fails first and a
pattern of the sentence (both regular expressions), and the fields that must not be found wrong there, because this
mistake leaves them right.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepkernels import Config, Op, Problem
from stepkernels.interface import Residual

if TYPE_CHECKING:
    from gallery.honest import Honest

STEPS, LARGE, MARGINS = "steps from", "a step on large data", "one margin"
PHASES = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.UPDATE, Op.STEP)
MOST = f"{STEPS}|{MARGINS}"


@dataclass(frozen=True)
class Exhibit:
    """A broken kernel and the reason for which it must be rejected."""

    kernel: type[Honest]
    trial: str
    says: str
    spares: tuple[str, ...]
    residual: Residual
    optimizers: tuple[str, ...]
    dtypes: tuple[str, ...]
    ops: tuple[Op, ...]
    declares: Mapping[str, Any]


GALLERY: dict[str, Exhibit] = {}


def broken(
    trial: str,
    says: str,
    spares: str = "",
    *,
    residual: Residual = "stable",
    optimizers: tuple[str, ...] = ("gd", "adam"),
    dtypes: tuple[str, ...] = ("float32", "float64"),
    ops: tuple[Op, ...] = tuple(Op),
    **declares: Any,
) -> Callable[[type[Honest]], type[Honest]]:
    def register(kernel: type[Honest]) -> type[Honest]:
        spared = tuple(spares.split())
        GALLERY[kernel.__name__] = Exhibit(kernel, trial, says, spared, residual, optimizers, dtypes, ops, declares)
        return kernel

    return register


def bind(problem: Problem, config: Config, exhibit: str) -> Honest:
    return GALLERY[exhibit].kernel(problem, config)


ROOMS = "lost_parts formulas forms precision narrow_storages optimizers states phases cheats tiring ranges"
for room in ROOMS.split():
    importlib.import_module(f"gallery.{room}")
