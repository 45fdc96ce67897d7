"""What a step on ranks is made of, in a process of its own: `python -m …parts_of_step ASKED`, which prints JSON.

The ranks note how long they compute; what is left of a step is waiting for one another, exposed. Then the same ranks
only read their shares: what reading costs, and what a step costs beside it on this link, which the model is made of.
Both take turns. A rank reads with the one thread that it computes with.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median_low
from typing import Any, cast

import msgspec

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.machine.child_processes import module, run_to_its_end
from stepbench.machine.children import device_variables, environment_of_child, somewhere_to_cache
from stepbench.machine.threads import pool_variables
from stepkernels.arrays.torch_ranks.orders import LedStep
from stepkernels.interface import Implementation
from stepkernels.problem import ProblemError
from stepreports.comparison.scaling_report.scale_records import Parts

READING = "stepbench.machine.read_limit"
ROUNDS, ROUND_SECONDS, STEPS = 4, 0.25, (4, 100)  # of each kind in turn; how long a round, in how few and many steps
LIMIT_SECONDS = 900.0


class PartsError(RuntimeError):
    """The ranks did not tell what a step is made of; the message is the reason."""


def parts_of_step(row: Implementation, case: Case) -> Parts:
    """The parts of the step of a group of ranks at a case, from a fresh process. Raises `PartsError`."""
    asked = json.dumps({"row": row.to_json(), "case": case.to_json()})
    with somewhere_to_cache() as caches:
        environment = environment_of_child(pool_variables(1), device_variables("cpu"), caches)
        child = run_to_its_end(module(__name__, asked), environment, LIMIT_SECONDS)
    if child.status is None:
        raise PartsError(f"no answer came within {LIMIT_SECONDS:.0f} seconds")
    if child.status:
        raise PartsError(child.last_words)
    return msgspec.json.decode(child.stdout, type=Parts)


def main(asked: str) -> int:
    """Measure, and print."""
    told: Mapping[str, Any] = json.loads(asked)
    row, case = Implementation.from_json(told["row"]), Case.from_json(told["case"])
    try:
        found = measured_parts(row, case)
    except (ProblemError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(msgspec.json.encode(found).decode())
    return 0


def measured_parts(row: Implementation, case: Case) -> Parts:
    """The seconds of each step, of those only read in each, and of what ranks computed in it."""
    problem = make_problem(case.dataset, case.m, case.n, case.dtype, 0, evidence=False)
    config = case.config(problem)

    def bound(share: object) -> LedStep:
        clocked = replace(row, options={**row.options, "share": share, "clocked": True})
        return cast("LedStep", clocked.bind(problem, config))

    computing, reading = bound(row.options["share"]), bound(READING)
    counts = {step: calls_in_a_round(step) for step in (computing, reading)}
    found = Parts(ranks=ranks_of(row), m=case.m, n=case.n, dtype=case.dtype)
    for _ in range(ROUNDS):
        seconds, spent = timed_steps(computing, counts[computing])
        found.step_seconds.append(seconds)
        found.slowest_seconds.append([max(each) for each in spent])
        found.middle_seconds.append([median_low(each) for each in spent])
        seconds, spent = timed_steps(reading, counts[reading])
        found.reading_seconds.append([max(each) for each in spent])
        found.link_seconds.append([whole - max(each) for whole, each in zip(seconds, spent, strict=True)])
    return found


def ranks_of(row: Implementation) -> int:
    return cast("int", row.options["ranks"])


def calls_in_a_round(step: LedStep) -> int:
    """How many steps of it last as long as a round."""
    fewest, most = STEPS
    seconds, _ = timed_steps(step, fewest)
    return min(most, max(fewest, math.ceil(ROUND_SECONDS / min(seconds))))


def timed_steps(step: LedStep, count: int) -> tuple[list[float], Sequence[tuple[float, ...]]]:
    """The seconds of each of so many steps, and what each rank computed in it."""
    step.reset()
    step.computing_seconds()
    seconds = []
    for _ in range(count):
        begun = time.perf_counter()
        step.step()
        seconds.append(time.perf_counter() - begun)
    return seconds, list(zip(*step.computing_seconds(), strict=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
