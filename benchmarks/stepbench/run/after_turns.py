"""What is measured when the turns are over: each row once more, in processes that have done nothing else.

A process that has done other cases holds what these left behind, so what a row takes beside X and y is read off a
fresh one, at a large step that the row was timed on, and off another at a small step: what both take is code, and what
grows with X tells whether X was copied. Where energy is counted, the process of the large step then computes for two
seconds and more, after two in which nothing runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from stepbench.cases.case import WARM, Case
from stepbench.cases.datasets import SYNTHETIC
from stepbench.machine import process_state
from stepbench.machine.energy import METERS, Counters, EnergyError, Spent, beyond_idle, spent_during
from stepbench.proof.clocks import PipeCost
from stepbench.run.crew import compile_caches_of
from stepbench.run.journal import Journal
from stepbench.run.participants import Participant, Role
from stepbench.run.plan import QUICK, Plan
from stepbench.run.processes import Worker, WorkerError
from stepbench.run.progress import Progress
from stepbench.run.scratch import Scratch
from stepbench.run.time_limit import OutOfTimeError, TimeLimit
from stepbench.run.visit import Visitor, calls_within
from stepbench.worker.messages import Repeat, Repeated, Started
from stepkernels.interface import Op
from stepreports.records.journal import Event

EVENT = "alone"
BUSY_SECONDS = IDLE_SECONDS = 2.0  # of energy, at least: its counters move a thousand times a second, a GPU's ten times
SMALLER = 8  # times: the case beside has so much less of X
MANY_FEATURES = 50  # so many that some vectors of length m are little beside X
Fields = dict[str, Any]


class Asked(NamedTuple):
    """A row, the case that it is measured at, and a much smaller one beside it; None where it would have to compile."""

    row: Participant
    case: Case
    small: Case | None


def asked_of(plan: Plan) -> list[Asked]:
    """Of each row that is judged; nothing in a quick run, which would take half as long again."""
    rows = [each for each in plan.participants if each.role is Role.ROW and not each.replica and not each.is_narrow]
    warm = [case for case in plan.cases if case.cache == WARM]
    cases = {row.key: [case for case in warm if row.unsupported(case) is None] for row in rows}
    chosen = [(row, max(cases[row.key], key=_rank)) for row in rows if cases[row.key] and plan.preset != QUICK]
    found = [Asked(row, case, small_beside(row, case, cases[row.key])) for row, case in chosen]
    return sorted(found, key=lambda asked: plan.cases.index(asked.case), reverse=True)  # those of a case share its data


def small_beside(row: Participant, case: Case, timed: Sequence[Case]) -> Case | None:
    """The smallest case that was timed and is like it but for its size, or one made for the purpose."""
    like = [other for other in timed if _but_for_size(other) == _but_for_size(case)]
    smallest = min(like, key=lambda other: other.data_bytes)
    if smallest.data_bytes * SMALLER <= case.data_bytes:
        return smallest
    if row.row.compiles_per_shape:
        return None
    return replace(case, dataset=SYNTHETIC, m=max(1, case.m // SMALLER**2))


def _but_for_size(case: Case) -> Case:
    return replace(case, dataset=SYNTHETIC, m=1, n=1)


def already_alone(events: Sequence[Event]) -> frozenset[str]:
    """The participants that a journal has this of."""
    return frozenset(each["participant"] for each in events if each["event"] == EVENT and not each.get("reason"))


def _rank(case: Case) -> tuple[bool, bool, int, int]:
    """A large step, whose X is large beside the vectors of length m."""
    return case.op == Op.STEP, case.n >= MANY_FEATURES, case.data_bytes, case.threads


@dataclass(slots=True)
class AfterTurns:
    """Carries it out; whatever goes wrong is a reason in the journal, and never a fault of the run."""

    plan: Plan
    folder: Path
    work: Path
    journal: Journal
    progress: Progress
    scratch: Scratch
    time_limit: TimeLimit
    meters: Mapping[str, Callable[[], Counters]] = field(default_factory=lambda: METERS)

    def run(self, done: frozenset[str] = frozenset()) -> None:
        """Every row that is not done: all at their small cases, then each where it is measured."""
        asked = [each for each in asked_of(self.plan) if each.row.key not in done]
        small = {
            worker.participant.key: self._measured(worker, case, {})
            for worker, case in self._started([(each.row, each.small) for each in asked if each.small])
        }
        for worker, case in self._started([(each.row, each.case) for each in asked]):
            key = worker.participant.key
            found = self._measured(worker, case, self.meters)
            self.journal.write(EVENT, participant=key, at=case.name, **found, small=small.get(key))

    def _started(self, asked: Sequence[tuple[Participant, Case]]) -> Iterator[tuple[Worker, Case]]:
        """The workers, one after the other. All start at once: to load a library takes longest, and waits for none."""
        with ExitStack() as stack:
            started = []
            for row, case in asked:
                log, caches = self.folder / "logs" / f"{row.key}.log", compile_caches_of(row, self.work)
                started.append((stack.enter_context(Worker(row, [case], case.threads, caches, log)), case))
            for worker, case in started:
                yield worker, case
                worker.close()

    def _measured(self, worker: Worker, case: Case, meters: Mapping[str, Callable[[], Counters]]) -> Fields:
        try:
            self.time_limit.require_time()
            self.progress.describe(f"{worker.participant.key}: memory at {case.name}")
            worker.started(Started, self.plan.timeout_seconds)
            visitor = self._visitor(worker, case)
            return {**_memory(visitor), **_energy(visitor, meters)}
        except OutOfTimeError:
            return {"reason": "the time given by --max-time was used up"}
        except WorkerError as error:
            return {"reason": f"its process failed: {error}"}

    def _visitor(self, worker: Worker, case: Case) -> Visitor:
        ready = self.scratch.ready(case, self.plan.traits)
        return Visitor(worker.participant, worker, case, ready, self.plan.timeout_seconds, PipeCost())


def _energy(visitor: Visitor, meters: Mapping[str, Callable[[], Counters]]) -> Fields:
    """Joules of an operation beyond those at rest, or why there are none; nothing where nobody asks."""
    meter = meters.get(visitor.participant.row.device)
    if meter is None:
        return {}
    try:
        counters = meter()
        idle = spent_during(lambda: time.sleep(IDLE_SECONDS), counters)
        busy, calls = computing(visitor, counters)
        joules = beyond_idle(busy, idle) / calls
    except EnergyError as error:
        return {"energy_reason": str(error)}
    told = {"joules": joules, "idle_watts": idle.watts, "watts": busy.watts, "seconds": busy.seconds}
    return {"energy": {**told, "source": ", ".join(counters.names)}}


def _memory(visitor: Visitor) -> Fields:
    """Bytes in memory before the case, at most, and then; what the system does not tell is None."""
    pid = visitor.worker.process.pid
    before = process_state.resident_bytes(pid)
    visitor.bind(1)
    return {
        "data_bytes": visitor.case.data_bytes,
        "before_bytes": before,
        "peak_bytes": process_state.peak_memory_bytes(pid),
        "held_bytes": process_state.resident_bytes(pid),
    }


def computing(visitor: Visitor, counters: Counters) -> tuple[Spent, int]:
    """What a bound row spends while it computes for two seconds and more, and how many operations that were."""
    calls, made = calls_within(BUSY_SECONDS, visitor.per_call), 0

    def work() -> None:
        nonlocal made
        start = time.perf_counter()
        while time.perf_counter() - start < BUSY_SECONDS:
            visitor.worker.ask(Repeat("operations", calls), Repeated, visitor.timeout)
            made += calls

    with visitor.worker.awake():
        return spent_during(work, counters), made
