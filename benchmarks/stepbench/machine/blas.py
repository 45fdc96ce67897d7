"""The BLAS under the baseline: which one NumPy and SciPy load, and what the user's environment makes of it.

`python -m stepbench.machine.blas` tells it as JSON, with the time of a step's two products. It takes a process of its
own: an environment is read when a library is loaded, and what is asked of is what a worker gets.
"""

from __future__ import annotations

import json
import os
import sys
import timeit
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from stepbench.machine.child_processes import module, run_to_its_end
from stepbench.machine.children import environment_of_child
from stepbench.machine.environment import of_baseline, recorded
from stepbench.machine.threads import pool_variables

LIMIT_SECONDS = 60.0
SLOWER = 1.15  # times as long: what a busy machine makes of nothing is less, when each is the best of many
TRIES, LOOPS, SHAPE = 15, 10, (1000, 500)  # 4 MB: beyond the second-level cache, and some 5 ms a try
TIMED = "timed"
FACTS = ("name", "version", "threading", "core_type", "threads")

Told = dict[str, Any]
Ask = Callable[[int, Iterable[str]], Told]


@cache
def ask_child(threads: int, without: tuple[str, ...] = (), *, timed: bool = True) -> Told:
    """What a fresh process tells under a thread budget, some variables of the user's left out; empty if it fails.

    The time of the products is asked for only where it is compared: it takes a second.
    """
    environment = environment_of_child(pool_variables(threads))
    kept = {name: value for name, value in environment.items() if name not in without}
    child = run_to_its_end(module("stepbench.machine.blas", *([TIMED] if timed else [])), kept, LIMIT_SECONDS)
    try:
        told: Told = json.loads(child.stdout)
    except ValueError:
        return {}
    return told if child.status == 0 else {}


def blas_in_use(threads: int) -> Told:
    """Of "numpy" and "scipy": name, version, threading, core type and threads; None for what is not told."""
    told = ask_child(threads, timed=False)
    return {library: told.get(library) for library in ("numpy", "scipy")}


def altered_by(
    threads: int, environment: Mapping[str, str] = os.environ, ask: Callable[..., Told] = ask_child
) -> list[Told]:
    """The variables of the user's under which the baseline is another, or slower, than without: measured, not guessed.

    Each has its name, its value as a record may hold it, how many times as long the products take with it, and the
    facts of NumPy's BLAS that are different, as [with, without]. Nothing is tried where no such variable is set.
    """
    names = of_baseline(environment)
    if not names or not _differs(ask(threads), ask(threads, tuple(names))):
        return []
    values = recorded(environment)
    found = ({"variable": name, "value": values[name], **_apart(ask(threads), ask(threads, (name,)))} for name in names)
    return [each for each in found if each["changes"] or each["times_as_long"] > SLOWER]


def _differs(one: Told, other: Told) -> bool:
    apart = _apart(one, other)
    return bool(apart["changes"]) or apart["times_as_long"] > SLOWER


def _apart(one: Told, other: Told) -> Told:
    first, second = (told.get("numpy") or {} for told in (one, other))
    known = bool(first and second)
    return {
        "times_as_long": one["seconds"] / other["seconds"] if known else 1.0,
        "changes": {
            fact: [first.get(fact), second.get(fact)] for fact in FACTS if known and first.get(fact) != second.get(fact)
        },
    }


def measured_here(*, timed: bool) -> Told:
    """What `ask_child` is told: by this process, of itself."""
    import numpy as np
    from threadpoolctl import threadpool_info

    before = _blas_of(threadpool_info())
    from scipy.linalg import blas  # noqa: F401  loads the BLAS that SciPy was built with, where it is another

    after = [each for each in _blas_of(threadpool_info()) if each not in before]
    of_numpy = before[0] if before else _built_with(np.show_config(mode="dicts"))
    return {"numpy": _facts(of_numpy), "scipy": _facts(after[0] if after else of_numpy)} | (
        {"seconds": _seconds()} if timed else {}
    )


def _blas_of(pools: Iterable[Told]) -> list[Told]:
    return [pool for pool in pools if pool["user_api"] == "blas"]


def _built_with(config: Any) -> Told:
    """What NumPy was built with: for a BLAS that threadpoolctl does not know, such as Apple's Accelerate."""
    told = (config or {}).get("Build Dependencies", {}).get("blas", {})
    return {"internal_api": told.get("name"), "version": told.get("version")}


def _facts(pool: Told) -> Told:
    return {
        "name": pool.get("internal_api"),
        "version": pool.get("version"),
        "threading": pool.get("threading_layer"),
        "core_type": pool.get("architecture"),
        "threads": pool.get("num_threads"),
    }


def _seconds() -> float:
    """Of `Xw`, `exp` and `Xᵀr` once, at best: what the matrix form is made of."""
    import numpy as np

    X, w = np.ones(SHAPE), np.ones(SHAPE[1])

    def products() -> None:
        np.exp(-(X @ w)) @ X

    products()
    return min(timeit.repeat(products, number=LOOPS, repeat=TRIES)) / LOOPS


def main() -> None:
    """Print what this process measures as one line of JSON."""
    sys.stdout.write(json.dumps(measured_here(timed=TIMED in sys.argv)) + "\n")


if __name__ == "__main__":
    main()
