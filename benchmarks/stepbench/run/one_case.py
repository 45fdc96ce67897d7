"""One case of one generation: every participant binds it and agrees, takes its turns, and agrees again.

Whatever goes wrong with a worker is a record; the others go on.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stepbench.cases.case import Case
from stepbench.run.crew import Crew
from stepbench.run.participants import Participant, Role
from stepbench.run.plan import TIME_BUDGET
from stepbench.run.processes import WorkerError
from stepbench.run.progress import Progress
from stepbench.run.scratch import ReadyCase, Scratch
from stepbench.run.time_limit import OutOfTimeError, TimeLimit
from stepbench.worker.messages import Bind, Judge


class OneCase:
    """The case, and who is still in it."""

    def __init__(self, case: Case, crew: Crew, progress: Progress, time_limit: TimeLimit) -> None:
        self.case, self.crew, self.progress, self.time_limit = case, crew, progress, time_limit
        self.plan = crew.plan
        self.turns = self.plan.number_of_turns(case)
        self.present = self.plan.taking_part(case)

    def run(self, scratch: Scratch) -> None:
        """All of it, or a record for everyone that there was no time left."""
        try:
            self.time_limit.require_time()
            ready = scratch.ready(self.case, self.plan.traits)
            self._bind_all(ready)
            self._take_turns()
            self._judge_all(ready)
        except OutOfTimeError:
            self._leave_out()

    def _bind_all(self, ready: ReadyCase) -> None:
        before = ready.expectations_before(self.plan.seed)
        for participant in list(self.present):
            self.time_limit.require_time()
            with self._dropping(participant):
                self.progress.describe(f"{participant.key}: bind and check {self.case.name}")
                worker = self.crew.worker(participant, self.case)
                question = Bind(
                    case=self.case.name, data=ready.data, config=ready.config, rounds=self.turns,
                    before=_if_judged(participant, before),
                )  # fmt: skip
                self._record("bound", participant, worker.ask("bind", question, self.plan.timeout_seconds))

    def _take_turns(self) -> None:
        for turn in range(self.turns):
            self.progress.describe(f"{self.case.name}: turn {turn + 1} of {self.turns}")
            for place, participant in enumerate(self._order_of(turn)):
                self.time_limit.require_time()
                with self._dropping(participant):
                    answer = self.crew.workers[participant.key].ask("round", {}, self.plan.timeout_seconds)
                    self._record("round", participant, {**answer, "turn": turn, "order": place})

    def _order_of(self, turn: int) -> list[Participant]:
        """A new order in each turn, the same whenever the run is done again."""
        order = list(self.present)
        random.Random(f"{self.plan.seed}/{self.crew.generation}/{self.case.name}/{turn}").shuffle(order)
        return order

    def _judge_all(self, ready: ReadyCase) -> None:
        seed = secrets.randbits(64)
        after = ready.expectations_after(seed)
        for participant in list(self.present):
            with self._dropping(participant):
                question = Judge(after=_if_judged(participant, after))
                answer = self.crew.workers[participant.key].ask("judge", question, self.plan.timeout_seconds)
                self._record("judged", participant, {**answer, "seed": seed})

    def _leave_out(self) -> None:
        """What was timed of the case in this generation does not count: some rows would have more turns than others."""
        for participant in self.plan.taking_part(self.case):
            fields = {"kind": TIME_BUDGET, "reason": "the time given by --max-time was used up", "skipped": True}
            self._record("failure", participant, fields)

    @contextmanager
    def _dropping(self, participant: Participant) -> Iterator[None]:
        """A worker that fails leaves the case, with a record; the others go on."""
        try:
            yield
        except WorkerError as error:
            self.present.remove(participant)
            self._record("failure", participant, {"kind": error.kind, "reason": str(error), "skipped": False})
            self.progress.note(f"{participant.key}, {self.case.name}: {error}")

    def _record(self, event: str, participant: Participant, fields: Mapping[str, Any]) -> None:
        about = {"participant": participant.key, "case": self.case.name, "generation": self.crew.generation}
        self.crew.journal.write(event, **about, **fields)


def _if_judged(participant: Participant, expectations: Path) -> Path | None:
    """None for who is not judged: a limit, and what computes no step or is known."""
    return expectations if participant.role is Role.ROW else None
