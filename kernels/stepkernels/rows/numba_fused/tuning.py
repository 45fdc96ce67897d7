"""Which reading plan is fastest on this machine: the candidates take turns over an X beyond the caches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from statistics import median
from typing import Protocol

import numpy as np

from stepkernels.problem import DTYPES, Config, Problem
from stepkernels.rows.numba_fused.reading_plan import ReadingPlan
from stepkernels.rows.numba_fused.tuned_plans import Kind

CANDIDATES = tuple(ReadingPlan(apart=apart, ahead=ahead) for apart in (True, False) for ahead in (0, 1024, 2048, 4096))
COLUMNS = (20, 100)  # narrow and wide, in either dtype
BYTES = 96 * 1024 * 1024
TRIES, DUELS = 3, 15
WORTH_IT = 1.03  # times as fast, for another plan than the default


class Evaluates(Protocol):
    """A workspace, as far as it is timed."""

    def gradient(self) -> None: ...


Bind = Callable[[Problem, Config, int, ReadingPlan], Evaluates]
Seconds = Callable[[Evaluates], float]
Found = tuple[Kind, ReadingPlan, float]


def kinds(threads: int) -> list[tuple[Kind, int]]:
    """What is measured on so many threads: the kinds, and the columns that stand for each."""
    return [(Kind.of(dtype, n * np.dtype(dtype).itemsize, threads), n) for dtype, n in product(DTYPES, COLUMNS)]


def fastest_plans(threads: int, bind: Bind, seconds_of: Seconds | None = None) -> Iterator[Found]:
    """For each kind the fastest plan, and how many times as fast it is as the default. Memory for `BYTES` and more.

    The default stays where nothing is faster beyond what turns differ by on a busy machine.
    """
    seconds_of = seconds_of or _seconds
    for kind, n in kinds(threads):
        problem, config = _problem(kind.dtype, n), Config(dtype=kind.dtype)
        bound = {plan: bind(problem, config, threads, plan) for plan in CANDIDATES}
        challenger, default = _quickest(bound, seconds_of), ReadingPlan.default()
        gain = median(seconds_of(bound[default]) / seconds_of(bound[challenger]) for _ in range(DUELS))
        yield (kind, challenger, gain) if gain > WORTH_IT else (kind, default, 1.0)


def _quickest(bound: Mapping[ReadingPlan, Evaluates], seconds_of: Seconds) -> ReadingPlan:
    """By the least time of each plan, in turns; after each the slower half leaves."""
    best = dict.fromkeys(bound, math.inf)
    while len(best) > 1:
        for _ in range(TRIES):
            best = {plan: min(known, seconds_of(bound[plan])) for plan, known in best.items()}
        best = dict(sorted(best.items(), key=lambda item: item[1])[: len(best) // 2])
    return next(iter(best))


def _problem(dtype: str, n: int) -> Problem:
    m = BYTES // (n * np.dtype(dtype).itemsize)
    random = np.random.default_rng(0)
    X = random.standard_normal((m, n), np.float32).astype(dtype, copy=False)
    return Problem(X, (random.random(m) < 0.5).astype(dtype))


def _seconds(workspace: Evaluates) -> float:
    start = time.perf_counter()
    workspace.gradient()
    return time.perf_counter() - start
