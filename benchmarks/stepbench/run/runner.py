"""Runs a plan: generations of fresh processes that take turns, case by case, into the journal.

A generation starts one process per participant. They live together, and for each case

1. every one binds it, in turn, and proves that it agrees;
2. every turn visits them in a new seeded order for one round each, one row running and all others stopped (SIGSTOP:
   nothing spins);
3. the runner draws a point nobody has seen, and every one proves again that it agrees.

So the rows of a case are timed within a fraction of a second of one another, and a ratio within a turn is free of what
drifts. A shared machine changes its speed by a third for some tens of milliseconds at a time, so turns are short and
many: in equal time, of rows that were the same, the interval of the ratio was a sixth as wide from 54 rounds of 3 ms
as from the medians of 18 times 8 ms in threes.
Whatever goes wrong with a worker is a record; the others go on.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stepbench.cases.case import Case
from stepbench.run.journal import Journal
from stepbench.run.participants import Participant, Role
from stepbench.run.plan import TIME_BUDGET, Plan
from stepbench.run.processes import Worker, WorkerError
from stepbench.run.progress import Progress
from stepbench.run.scratch import Scratch
from stepbench.worker.expectations import random_point, save_expectations


class OutOfTimeError(Exception):
    """The time given to the run is used up."""


@dataclass(slots=True)
class Crew:
    """The workers of one generation and one thread budget, started when first needed, restarted after a crash."""

    plan: Plan
    generation: int
    cases: Sequence[Case]
    folder: Path
    journal: Journal
    stack: ExitStack
    workers: dict[str, Worker] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)

    def worker(self, participant: Participant, case: Case) -> Worker:
        """The participant's live worker, its next case being `case`. Raises `WorkerError`."""
        key = participant.key
        if key in self.lost:
            raise WorkerError("error", self.lost[key])
        if key not in self.workers or not self.workers[key].alive:
            self.workers[key] = self._start(participant, self.cases[self.cases.index(case) :])
        return self.workers[key]

    def _start(self, participant: Participant, cases: Sequence[Case]) -> Worker:
        mine = [case for case in cases if case.unsupported_by(participant.row) is None]
        log = self.folder / "logs" / f"{participant.key}.log"
        caches = self.folder / "caches" / participant.key  # cold for every row in the first generation, warm later
        worker = Worker(participant, mine, cases[0].threads, caches, log)
        self.stack.enter_context(worker)
        try:
            report = worker.take("started", self.plan.timeout_seconds)
        except WorkerError as error:
            self.lost[participant.key] = str(error)
            raise
        self.journal.write("started", participant=participant.key, generation=self.generation, **report)
        return worker


class Runner:
    """Carries a plan out. `done` holds the (generation, case name) pairs a resumed journal already has."""

    def __init__(self, plan: Plan, folder: Path, journal: Journal, progress: Progress) -> None:
        self.plan, self.folder, self.journal, self.progress = plan, folder, journal, progress
        self.scratch = Scratch(folder / "scratch", plan.seed)
        self.deadline = None if plan.max_seconds is None else time.monotonic() + plan.max_seconds

    def run(self, done: frozenset[tuple[int, str]] = frozenset()) -> None:
        """Every generation, budget and case that is not done."""
        (self.folder / "logs").mkdir(exist_ok=True)
        try:
            for generation in range(self.plan.generations):
                for threads in self.plan.budgets:
                    cases = [
                        case
                        for case in self.plan.cases
                        if case.threads == threads and (generation, case.name) not in done
                    ]
                    self._generation(generation, cases)
            self.journal.write("finished")
        finally:
            self.scratch.clear()
            self.scratch.folder.rmdir()

    def _generation(self, generation: int, cases: Sequence[Case]) -> None:
        with ExitStack() as stack:
            crew = Crew(self.plan, generation, cases, self.folder, self.journal, stack)
            for case in cases:
                try:
                    self._case(crew, case)
                except OutOfTimeError:
                    self._leave_out(generation, case)
                self.journal.write("closed", generation=generation, case=case.name)
                self.progress.advance()

    def _require_time(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTimeError

    def _leave_out(self, generation: int, case: Case) -> None:
        """What was timed of the case in this generation does not count: some rows would have more turns than others."""
        for participant in self.plan.taking_part(case):
            fields = {"kind": TIME_BUDGET, "reason": "the time given by --max-time was used up", "skipped": True}
            self._record("failure", participant, case, generation, fields)

    def _case(self, crew: Crew, case: Case) -> None:
        """One case of one generation: bind all, turns, judge all. Raises `OutOfTimeError`."""
        self._require_time()
        data, problem = self.scratch.problem(case)
        config = case.config(problem)
        present = self.plan.taking_part(case)
        before = data / f"{case.optimizer}-before.npz"
        if not before.exists():
            save_expectations(before, problem, config, random_point(problem, config, self.plan.seed), self.plan.traits)
        for participant in list(present):
            self._require_time()
            expectation = before if participant.role is Role.ROW else None
            with self._dropping(present, participant, case, crew.generation):
                self.progress.describe(f"{participant.key}: bind and check {case.name}")
                worker = crew.worker(participant, case)
                order = {
                    "case": case.name, "data": data, "config": config, "before": expectation,
                    "rounds": self.plan.number_of_turns(case),
                }  # fmt: skip
                report = worker.ask("bind", order, self.plan.timeout_seconds)
                self._record("bound", participant, case, crew.generation, report)
        self._turns(crew, case, present)
        seed = secrets.randbits(64)
        after = data / "after.npz"
        save_expectations(after, problem, config, random_point(problem, config, seed), self.plan.traits)
        for participant in list(present):
            expectation = after if participant.role is Role.ROW else None
            with self._dropping(present, participant, case, crew.generation):
                answer = crew.workers[participant.key].ask("judge", {"after": expectation}, self.plan.timeout_seconds)
                self._record("judged", participant, case, crew.generation, {**answer, "seed": seed})

    def _turns(self, crew: Crew, case: Case, present: list[Participant]) -> None:
        for turn in range(turns := self.plan.number_of_turns(case)):
            order = list(present)
            random.Random(f"{self.plan.seed}/{crew.generation}/{case.name}/{turn}").shuffle(order)
            self.progress.describe(f"{case.name}: turn {turn + 1} of {turns}")
            for place, participant in enumerate(order):
                self._require_time()
                with self._dropping(present, participant, case, crew.generation):
                    worker = crew.workers[participant.key]
                    answer = worker.ask("round", {}, self.plan.timeout_seconds)
                    fields = {**answer, "turn": turn, "order": place}
                    self._record("round", participant, case, crew.generation, fields)

    @contextmanager
    def _dropping(
        self, present: list[Participant], participant: Participant, case: Case, generation: int
    ) -> Iterator[None]:
        """A worker that fails leaves the case, with a record; the others go on."""
        try:
            yield
        except WorkerError as error:
            present.remove(participant)
            self._fail(participant, case, generation, error.kind, str(error))

    def _record(
        self, event: str, participant: Participant, case: Case, generation: int, fields: dict[str, Any]
    ) -> None:
        self.journal.write(event, participant=participant.key, case=case.name, generation=generation, **fields)

    def _fail(self, participant: Participant, case: Case, generation: int, kind: str, reason: str) -> None:
        self._record("failure", participant, case, generation, {"kind": kind, "reason": reason, "skipped": False})
        self.progress.note(f"{participant.key}, {case.name}: {reason}")
