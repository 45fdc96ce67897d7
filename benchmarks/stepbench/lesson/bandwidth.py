"""Why memory decides: flops against bytes of one step, on the limits that a run measured of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from stepbench.lesson.shown import ROWS
from stepbench.lesson.step_costs import timed_case
from stepreports.records.stored import ITEM_BYTES
from stepreports.statistics.runs import Record, Run

FLOPS_PER_ELEMENT = 4  # a multiplication and an addition for Xw, and again for Xᵀr


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A row in the roofline: operations for each byte of X that it reads, and 10⁹ operations a second."""

    row: str
    intensity: float
    gflops: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofline:
    """The machine's two limits and where a step stands between them.

    read_gb_per_s    reading this X again and again, in turns with the rows; memory_gb_per_s beyond every cache
    peak_gflops      multiply-adds
    ridge            operations a byte from which arithmetic would be the limit
    one, two         operations a byte of a step that reads X once, and twice
    read_seconds     the least time to read X once
    idle             how many times the operations that memory feeds the arithmetic could do, beyond the caches
    """

    machine: str
    m: int
    n: int
    x_bytes: int
    flops: int
    read_gb_per_s: float
    memory_gb_per_s: float
    peak_gflops: float
    ridge: float
    one: float
    two: float
    read_seconds: float
    idle: float
    marks: tuple[Mark, ...]


def roofline(run: Run) -> Roofline:
    """The roofline of the machine that a run was taken on."""
    case = timed_case(run)
    flops = FLOPS_PER_ELEMENT * case.m * case.n
    one = FLOPS_PER_ELEMENT / ITEM_BYTES[case.dtype]
    limits = run.machine["limits"]
    memory, peak = limits["read_gb_per_s"][-1][1], limits["fma_gflops"][case.dtype]
    read_seconds = run.limits[case, "cpu"].seconds.value
    return Roofline(
        machine=run.machine_name,
        m=case.m,
        n=case.n,
        x_bytes=case.x_bytes,
        flops=flops,
        read_gb_per_s=case.x_bytes / read_seconds / 1e9,
        memory_gb_per_s=memory,
        peak_gflops=peak,
        ridge=peak / memory,
        one=one,
        two=one / 2.0,
        read_seconds=read_seconds,
        idle=peak / (memory * one),
        marks=tuple(_mark(run.cases[case][row], flops, one) for row in ROWS if row in run.cases[case]),
    )


def _mark(record: Record, flops: int, one: float) -> Mark:
    """Where a row stands, by the bytes of X that it really reads."""
    gflops = flops / record.seconds.value / 1e9
    return Mark(row=record.row.name, intensity=one / record.passes_over_x, gflops=gflops)
