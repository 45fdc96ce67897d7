"""One case of one generation: every participant binds it and agrees, and takes its turns, which are judged.

Whatever goes wrong with a worker is a record; the others go on.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from stepbench.cases.case import Case
from stepbench.proof.clocks import PipeCost
from stepbench.proof.distances import EVENT as DISTANCE
from stepbench.proof.distances import distance_of
from stepbench.proof.points import random_point
from stepbench.run.crew import Crew
from stepbench.run.looking import look_at
from stepbench.run.participants import Participant
from stepbench.run.plan import TIME_BUDGET
from stepbench.run.processes import WorkerError
from stepbench.run.progress import Progress
from stepbench.run.scratch import ReadyCase, Scratch
from stepbench.run.time_limit import OutOfTimeError, TimeLimit
from stepbench.run.visit import Fields, Visitor
from stepreports.records.turn_order import order_of_turn

JUDGED_TURNS = 3  # of a generation, on average; one at least


@dataclass(slots=True)
class Turn:
    """One turn: where its rounds begin, and whether they are looked at, which is drawn once the first is over."""

    number: int
    seed: int
    chance: float
    watched: bool
    _chosen: bool | None = field(default=None)

    def is_chosen(self) -> bool:
        if self._chosen is None:
            self._chosen = happens(self.chance)
        return self._chosen


def happens(chance: float) -> bool:
    return secrets.SystemRandom().random() < chance


class OneCase:
    """The case, and who is still in it."""

    def __init__(self, case: Case, crew: Crew, progress: Progress, time_limit: TimeLimit) -> None:
        self.case, self.crew, self.progress, self.time_limit = case, crew, progress, time_limit
        self.plan = crew.plan
        self.turns = self.plan.number_of_turns(case)
        self.present = self.plan.taking_part(case)
        self.visitors: dict[str, Visitor] = {}
        self.judged: Counter[str] = Counter()  # rounds of each participant

    def run(self, scratch: Scratch) -> None:
        """All of it, or a record for everyone that there was no time left.

        Raises `OutOfTimeError` in a generation beyond those that every case has: it is cut off, and nothing is missing.
        """
        try:
            self.time_limit.require_time()
            ready = {kept: self._ready(scratch, kept) for kept in self.plan.storages(self.case)}
            self._bind_all(ready)
            for turn in self._drawn_turns():
                self._take_turn(turn, ready[None])
            self._finish_all()
        except OutOfTimeError:
            if self.crew.generation >= self.plan.generations:
                raise
            self._leave_out()

    def _ready(self, scratch: Scratch, storage: str | None) -> ReadyCase:
        """The case in this storage; in the first generation it is found out what the storage costs in accuracy."""
        ready = scratch.ready(self.case, self.plan.traits, storage)
        if storage is not None and self.crew.generation == 0:
            self.progress.describe(f"{self.case.name}: how far an X in {storage} is from the unrounded one")
            told = distance_of(self.case, storage, self.plan.seed)
            self.crew.journal.write(DISTANCE, at=self.case.name, storage=storage, distance=told._asdict())
        return ready

    def _bind_all(self, ready: Mapping[str | None, ReadyCase]) -> None:
        """Everyone binds, one or two at a time; then each finds its pace, alone."""
        pipe = PipeCost()
        for participant in list(self.present):
            with self._dropping(participant):
                worker = self.crew.worker(participant, self.case)
                its_own = ready[participant.storage]
                self.visitors[participant.key] = Visitor(
                    participant, worker, self.case, its_own, self.plan.timeout_seconds, pipe,
                    least_watches=self.plan.watched_turns // 2,
                )  # fmt: skip
        bound = self._bound()
        for participant in list(self.present):
            with self._dropping(participant):
                pace = self.visitors[participant.key].find_pace()
                self._record("bound", participant, bound[participant.key] | pace)

    def _bound(self) -> dict[str, Fields]:
        """The fields of `bound` of all who could be bound."""
        binders, found = ThreadPoolExecutor(self.plan.binds_at_once), {}
        try:
            binding = [(each, binders.submit(self._bind, each)) for each in self.present]
            for participant, bound in binding:
                with self._dropping(participant):
                    found[participant.key] = bound.result()
        finally:
            binders.shutdown(wait=False, cancel_futures=True)  # whoever is still binding ends with its worker
        return found

    def _bind(self, participant: Participant) -> Fields:
        self.time_limit.require_time()
        self.progress.describe(f"{participant.key}: bind and check {self.case.name}")
        return self.visitors[participant.key].bind(len(self._turns_of(participant)))

    def _drawn_turns(self) -> Iterator[Turn]:
        watched = secrets.SystemRandom().sample(range(self.turns), min(self.plan.watched_turns, self.turns))
        for number in range(self.turns):
            chance = JUDGED_TURNS / self.turns
            yield Turn(number=number, seed=secrets.randbits(64), chance=chance, watched=number in watched)

    def _take_turn(self, turn: Turn, ready: ReadyCase) -> None:
        self.progress.describe(f"turn {turn.number + 1} of {self.turns}: {self.case.name}")
        point = random_point(ready.problem, ready.config, turn.seed)
        for place, participant in enumerate(self._order_of(turn.number)):
            self.time_limit.require_time()
            with self._dropping(participant):
                visitor = self.visitors[participant.key]
                timed, judged = visitor.round(point, partial(self._is_chosen, participant, turn))
                self._record("round", participant, {**timed, "turn": turn.number, "order": place})
                if judged:
                    self._record("judged", participant, {**judged, "turn": turn.number, "seed": turn.seed})
                    self.judged[participant.key] += 1
                watched = turn.watched or self._takes_few_turns(participant)
                if watched and visitor.is_judged and not visitor.is_watched_enough:
                    self._record("watched", participant, {**look_at(visitor, point), "turn": turn.number})

    def _is_chosen(self, participant: Participant, turn: Turn) -> bool:
        """Whether its round is looked at: as those of all or, if it takes few turns, by its own lot; at least once."""
        last_chance = turn.number == self.turns - 1 and not self.judged[participant.key]
        own_lot = self._takes_few_turns(participant) and happens(JUDGED_TURNS / len(self._turns_of(participant)))
        return last_chance or own_lot or turn.is_chosen()

    def _turns_of(self, participant: Participant) -> range:
        return self.plan.turns_of(participant, self.case)

    def _takes_few_turns(self, participant: Participant) -> bool:
        return len(self._turns_of(participant)) < self.turns

    def _order_of(self, turn: int) -> list[Participant]:
        taking = {each.key: each for each in self.present if turn in self._turns_of(each)}
        order = order_of_turn(self.plan.seed, self.crew.generation, self.case.name, turn, list(taking))
        return [taking[key] for key in order]

    def _finish_all(self) -> None:
        for participant in list(self.present):
            with self._dropping(participant):
                self._record("left", participant, self.visitors[participant.key].finish())

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
