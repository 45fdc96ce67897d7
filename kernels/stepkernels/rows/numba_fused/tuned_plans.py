"""Reading plans that were measured on this machine: a file in the user's cache, read when a row is bound.

A plan changes the order of sums, and with it the last bits of a result; so it is never measured in passing, between
two fits. `stepbench tune` measures and writes the file, and so does the first run that takes its time. Until then, and
where the file is of another machine or cannot be read, the plan is the default of `reading_plan.py`, the same in every
process.
"""

# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding
from platformdirs import user_cache_path

from stepkernels.problem import ProblemError
from stepkernels.rows.numba_fused.reading_plan import ReadingPlan

WIDE_BYTES = 256  # of a row, from which on it is wide: then memory binds, and below sigmoid and loss


class Kind(NamedTuple):
    """What has a plan of its own: a dtype, narrow or wide rows, and how many threads read."""

    dtype: str
    wide: bool
    threads: int

    def __str__(self) -> str:
        rows = "wide" if self.wide else "narrow"
        return f"{self.dtype}, {rows} rows, {self.threads} thread{'s' if self.threads > 1 else ''}"

    @classmethod
    def of(cls, dtype: str, row_bytes: int, threads: int) -> Kind:
        return cls(dtype, row_bytes >= WIDE_BYTES, threads)


def file() -> Path:
    """Where the plans are: STEPBENCH_TUNING, or in the user's cache."""
    named = os.environ.get("STEPBENCH_TUNING")
    return Path(named) if named else user_cache_path("stepbench") / "tuning.json"


@cache
def this_machine() -> str:
    """The processor that code is compiled for, and how many of them: what a plan was measured on."""
    features = json.dumps(dict(sorted(llvmlite.binding.get_host_cpu_features().items())))
    digest = hashlib.sha256(features.encode()).hexdigest()[:12]
    return f"{llvmlite.binding.get_host_cpu_name()} {digest}, {os.cpu_count()} processors"


def known_plans(path: Path) -> dict[str, ReadingPlan]:
    """The plans of this machine in a file, by kind; none where there is no such file, or not one of ours."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))[this_machine()]
        return {kind: _plan(fields) for kind, fields in told.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _plan(fields: Any) -> ReadingPlan:
    """Raises `TypeError` or `ValueError` for what is no plan."""
    plan = ReadingPlan(tiles=False, **fields)
    if not (isinstance(plan.apart, bool) and type(plan.ahead) is int and 0 <= plan.ahead <= 2**20):
        raise ValueError(f"{fields} is no plan")
    return plan


@cache
def _plans_of_process() -> dict[str, ReadingPlan]:
    return known_plans(file())


def tuned_plan(kind: Kind) -> ReadingPlan | None:
    """The plan that was measured for it; the file is read once a process, so that all of its workspaces agree."""
    return _plans_of_process().get(str(kind))


def write(path: Path, plans: Mapping[str, ReadingPlan]) -> None:
    """Put the plans of this machine beside those of others, in one step.

    Raises `ProblemError` where no such file can be written; what is there and no file of ours stays what it is.
    """
    if path.exists() and not path.is_file():
        raise ProblemError(f"Plans cannot be kept in {path}: it is no file. Name another in STEPBENCH_TUNING.")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = {}
    told = told if isinstance(told, dict) else {}
    told[this_machine()] = {kind: {"apart": plan.apart, "ahead": plan.ahead} for kind, plan in plans.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        new.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise ProblemError(
            f"Plans cannot be kept in {path}: {reason}. Name another file in STEPBENCH_TUNING."
        ) from error
    _plans_of_process.cache_clear()
