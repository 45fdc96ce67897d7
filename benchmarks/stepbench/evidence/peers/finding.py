"""What a peer does with a problem, found out in a process of its own: how it gets to the gradient, and what it takes.

    python -m stepbench.evidence.peers.finding THREADS ASKED FILE   started by `found_of`

The peer is first called on a small part of the data, so that what it loads or compiles counts for nothing. Then its
tolerance is tightened until the largest element of the gradient of J, which is taken by the reference in float64, is as
small as is wanted, or grows no smaller. The best attempt so far is in FILE whenever the process ends, or is ended.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepbench.machine.threads import pin_to_budget

if TYPE_CHECKING:
    from stepbench.cases.case import Case
    from stepbench.evidence.peers.libraries import Peer, Trained
    from stepkernels.problem import Problem

MODULE = "stepbench.evidence.peers.finding"
WARM_UP_ELEMENTS = 2**18  # of X: more than "auto" takes its parallel row for, and little beside an X that is large
SMALLEST_TOLERANCE = 1e-17
NO_BETTER = 0.9  # of the gradient before, from which on a tighter tolerance has changed nothing
MOST_TOLD = 160  # characters of a warning
PLAIN_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}  # glibc keeps what was freed

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A peer, a problem as `make_problem` makes it without evidence, and how small the gradient is to be."""

    peer: str
    dataset: str
    m: int
    n: int
    dtype: str
    target: float

    @property
    def l2(self) -> float:
        """scikit-learn's C = 1."""
        return 1 / self.m


def found_of(peer: str, case: Case, target: float, limit_seconds: float) -> Fields:
    """The best attempt, as `attempt` tells it, and in `reason` why there is none or why no more were made; or None."""
    from stepbench.machine.child_processes import module, run_to_its_end
    from stepbench.machine.children import environment_of_child, somewhere_to_cache
    from stepbench.machine.threads import pool_variables

    asked = Asked(peer=peer, dataset=case.dataset, m=case.m, n=case.n, dtype=case.dtype, target=target)
    with tempfile.TemporaryDirectory(prefix="stepbench-peer-") as folder, somewhere_to_cache() as caches:
        file = Path(folder) / "found.json"
        child = run_to_its_end(
            module(MODULE, str(case.threads), json.dumps(asdict(asked)), str(file)),
            environment_of_child(pool_variables(case.threads), PLAIN_MALLOC, caches),
            limit_seconds,
        )
        found: Fields = json.loads(file.read_text("utf-8")) if file.exists() else {}
    if child.status is None:
        return {**found, "reason": f"ended after {limit_seconds:g} seconds of trying"}
    if child.status != 0:
        return {**found, "reason": f"its process ended with status {child.status}: {child.last_words[:MOST_TOLD]}"}
    return {**found, "reason": None}


def main(threads: int, asked: Asked, file: Path) -> None:
    """What the process does."""
    pin_to_budget(threads)
    # Only now: a library sizes its pools when it is loaded.
    from stepbench.cases.datasets import make_problem
    from stepbench.evidence.peers.libraries import PEERS
    from stepreports.records.files import write_json

    peer = PEERS[asked.peer]
    problem = make_problem(asked.dataset, asked.m, asked.n, asked.dtype, seed=0, evidence=False)
    warm_up(peer, problem, asked.l2, threads)
    for found in attempts(peer, problem, asked.l2, asked.target, threads):
        write_json(file, found)


def warm_up(peer: Peer, problem: Problem, l2: float, threads: int) -> None:
    """One loose fit of some of the rows, both classes among them.

    They are a view of X: what the array is like that they are from decides which code some rows use.
    """
    rows = min(problem.m, max(64, WARM_UP_ELEMENTS // problem.n))
    y = problem.y[:rows].copy()
    y[0], y[1:2] = 0.0, 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(problem.X[:rows], y, l2, peer.loosest or 1.0, threads)


def attempts(peer: Peer, problem: Problem, l2: float, target: float, threads: int) -> Iterator[Fields]:
    """Each attempt that is better than those before: the last either reaches the target, or is the best there is."""
    least, in_vain = float("inf"), 0
    for tol in tolerances(peer):
        found = attempt(peer, problem, l2, tol, threads)
        in_vain = 0 if found["gradient"] < NO_BETTER * least else in_vain + 1
        if found["gradient"] < least:
            least = found["gradient"]
            yield found
        if least <= target or in_vain > 1:
            return


def tolerances(peer: Peer) -> Iterator[float]:
    """From the loosest on, each a step tighter; a zero for a solver that takes none."""
    tol = peer.loosest or 0.0
    yield tol
    while tol > SMALLEST_TOLERANCE:
        tol /= peer.step
        yield tol


def attempt(peer: Peer, problem: Problem, l2: float, tol: float, threads: int) -> Fields:
    """One fit, from nothing to parameters: where it ended, and what was seen of it."""
    from stepkernels import reference

    told: list[str] = []
    with telling(told):
        trained, seconds, memory = observed(lambda: peer.fit(problem.X, problem.y, l2, tol, threads))
    gradient = reference.gradient(problem, trained.w.astype("float64"), trained.b, l2)
    return {
        "tol": tol,
        "gradient": float(abs(gradient.packed).max()),
        "gb": gradient.gb,
        "b": trained.b,
        "iterations": trained.iterations,
        "once_seconds": seconds,
        "memory_bytes": memory,
        "dtype": str(trained.w.dtype),
        "estimator": f"{type(trained.estimator).__module__}.{type(trained.estimator).__qualname__}",
        "told": list(dict.fromkeys(told)),
    }


def observed(fit: Callable[[], Trained]) -> tuple[Trained, float, int | None]:
    """What a fit gives, its seconds, and the bytes that the process held during it beyond those before; or None."""
    from stepbench.machine import process_state

    process_state.reset_peak_memory(os.getpid())
    before, start = process_state.resident_bytes(os.getpid()), time.perf_counter()
    trained, seconds = fit(), time.perf_counter() - start
    peak = process_state.peak_memory_bytes(os.getpid())
    return trained, seconds, None if before is None or peak is None else max(0, peak - before)


@contextmanager
def telling(told: list[str]) -> Iterator[None]:
    """Append the first line of each warning and of each line of a log that libraries write meanwhile."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(_first_line(record.getMessage()))

    handler, logger = Handler(), logging.getLogger("sklearnex")  # whose log says which of two libraries computes
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        told.extend(_first_line(str(warning.message)) for warning in caught)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:MOST_TOLD]


if __name__ == "__main__":
    main(int(sys.argv[1]), Asked(**json.loads(sys.argv[2])), Path(sys.argv[3]))
