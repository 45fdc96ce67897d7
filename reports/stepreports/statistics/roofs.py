"""The roofs of a machine: how fast it was measured to read and to compute, before the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stepreports.statistics.runs import Run


@dataclass(frozen=True, slots=True)
class Roofs:
    """What a machine was measured to do: reading at its best and at the most bytes, and multiply-adds by dtype."""

    best_gb_per_s: float
    best_bytes: int
    most_gb_per_s: float
    most_bytes: int
    fma_gflops: Mapping[str, float]


def roofs_of(run: Run) -> Roofs | None:
    """The roofs that the run's machine was measured to have; None where they were not."""
    limits = run.machine.get("limits") or {}
    if not (limits.get("read_gb_per_s") and limits.get("fma_gflops")):
        return None
    size, best = max(limits["read_gb_per_s"], key=lambda point: point[1])
    most, rate = limits["read_gb_per_s"][-1]
    return Roofs(best, size, rate, most, limits["fma_gflops"])
