"""The thread budget: how many processors a row may use, given before any library loads, and read back after.

A container's quota is not its core count, and a library that sizes its pool to the host collapses under one.
Environment variables set after a library was loaded do nothing; JAX obeys affinity alone. So the budget is the
environment and the affinity of a fresh process, and what the libraries made of it is read back.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

POOL_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
CGROUP = Path("/sys/fs/cgroup")


def allowed_cpus() -> list[int]:
    """The processors this process may run on; all of them where the system has no affinity (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cgroup_quota(root: Path = CGROUP) -> float | None:
    """The processors' worth of time this control group may use, or None without a limit. Versions 2 and 1."""
    try:
        if (root / "cpu.max").exists():
            quota, period = (root / "cpu.max").read_text().split()
            return None if quota == "max" else float(quota) / float(period)
        quota_us = float((root / "cpu/cpu.cfs_quota_us").read_text())
        period_us = float((root / "cpu/cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return quota_us / period_us if quota_us > 0 else None


def default_budget(root: Path = CGROUP) -> int:
    """Threads a row may use: the processors allowed, or the whole processors of the quota if fewer; at least 1."""
    quota = cgroup_quota(root)
    allowed = len(allowed_cpus())
    return max(1, allowed if quota is None else min(allowed, math.floor(quota)))


def pool_variables(threads: int) -> dict[str, str]:
    """The variables that size every pool to `threads`."""
    return dict.fromkeys(POOL_VARIABLES, str(threads))


def pin_to_budget(threads: int) -> None:
    """Restrict this process, before it has any threads, to the first `threads` of its processors."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, allowed_cpus()[:threads])


def pool_sizes() -> dict[str, int]:
    """The size of every thread pool loaded into this process, as its own library tells it."""
    import threadpoolctl

    pools = {
        f"{pool['user_api']}:{pool['internal_api']}": int(pool["num_threads"])
        for pool in threadpoolctl.threadpool_info()
    }
    if numba := sys.modules.get("numba"):
        pools["numba"] = numba.get_num_threads()
    if torch := sys.modules.get("torch"):
        pools["torch"] = torch.get_num_threads()
    if "jax" in sys.modules:
        pools["jax:affinity"] = len(allowed_cpus())
    return pools


def oversized_pools(pools: Mapping[str, int], threads: int) -> str | None:
    """Which pools exceed the budget, in words, or None."""
    beyond = [f"{name} has {size}" for name, size in pools.items() if size > threads]
    return f"thread pools exceed the budget of {threads}: {', '.join(beyond)}" if beyond else None
