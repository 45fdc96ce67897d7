"""The machine as types: what every file of a run tells of it, as far as reports compute with that."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stepreports.records.bounded import Count, Duration, Name, Rate, Told


class Gpu(Struct):
    """A GPU, as far as reports compute with it."""

    model: str | None = None


class Limits(Struct):
    """What the machine was measured to do: (bytes, GB/s) of reading, and GFLOP/s by dtype."""

    read_gb_per_s: list[tuple[Count, Rate]] | None = None
    fma_gflops: dict[str, Rate] | None = None
    triad_gb_per_s: Rate | None = None
    empty_call_seconds: Duration | None = None
    pool_wake_seconds: Duration | None = None
    clock_resolution_seconds: Duration | None = None


class Processor(Struct):
    """What tells processors of one name apart. None of it is in records of earlier versions."""

    vendor: str | None = None
    family: str | None = None
    model: str | None = None
    stepping: str | None = None
    variant: str | None = None
    microcode: str | None = None
    instruction_sets: list[str] | None = None


class Altered(Struct):
    """A variable of the environment with which the baseline is another than without, or takes longer.

    `changes` has what is different of NumPy's BLAS, as [with, without].
    """

    variable: Name
    times_as_long: Rate
    changes: dict[str, tuple[Any, Any]] = {}


class Machine(Struct):
    """A machine, as far as reports compute with it."""

    cpu: str | None = None
    processor: Processor | None = None
    blas: dict[str, Told | None] | None = None
    baseline_altered_by: list[Altered] | None = None
    gpus: list[Gpu] | None = None
    caches: Told | None = None
    limits: Limits | None = None
