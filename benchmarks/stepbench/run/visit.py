"""Visits to one worker on one case: it is bound and paced, and does its rounds. `looking` is beside them.

A visit wakes the worker, lets it warm up, puts it at the point of the turn, asks for nothing once, which is what the
asking takes, and then for a round. The round's calls are drawn; so is, once the round is over, whether to look at what
came of it.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from stepbench.cases.case import ROUND_SECONDS, Case
from stepbench.executor.wire import NoAnswer
from stepbench.machine import process_state
from stepbench.proof.clocks import PipeCost, believed_seconds
from stepbench.proof.points import random_point
from stepbench.run.participants import Participant, Role
from stepbench.run.processes import Answer, Worker
from stepbench.run.scratch import ReadyCase
from stepbench.worker.messages import (
    Begin,
    Begun,
    Bind,
    Bound,
    Finish,
    Finished,
    Held,
    Hold,
    Loop,
    Prepare,
    Question,
    Ready,
    Repeat,
    Repeated,
    Round,
    Rounded,
    WireConfig,
    WirePoint,
)  # fmt: skip
from stepkernels.agreement import Agreement, Traits
from stepkernels.interface import Op, Snapshot
from stepkernels.reference import Point

WARM_UP_SECONDS = 2e-3  # after waiting: caches, clock frequency and sleeping pools come back within one to two ms
MOST_WARM_UP_SECONDS = 0.03  # beyond, an operation takes so long that it warms up as it goes
SPREAD = 0.25  # of the calls of a round, drawn evenly about their mean
RESETS, MOST_RESETS, SCATTERED = 3, 9, 1.5  # a pool's threads may be slow to wake, again and again
MOST_CALLS = 4**10
LOOK_CALLS = (20, 500)  # of a short operation in a loop of a look: a snapshot follows each
NOTED_SECONDS = 0.06  # of telling what it holds, for it to be work that was put off: a pool's threads spin for 26 ms
NOTED_TIMES = 3  # in a row, since a busy machine may take as long once
UNTIMED_SHARE = 0.05  # of a round, that standing at its start may take, or an empty visit: neither is timed
MOST_WATCHED_SECONDS = 0.5

Fields = dict[str, Any]
Judging = Callable[[Snapshot], Agreement]


@dataclass(slots=True)
class Visitor:
    """One participant of a case, from the runner's side. `least_watches` of a slow operation are enough."""

    participant: Participant
    worker: Worker
    case: Case
    ready: ReadyCase
    timeout: float
    pipe: PipeCost
    least_watches: int = 1
    per_call: float = math.nan
    mean_calls: int = 1
    watches: int = 0
    watched_seconds: float = 0.0
    snapshot_seconds: float = 0.0

    @property
    def is_judged(self) -> bool:
        return self.participant.role is Role.ROW

    @property
    def traits(self) -> Traits:
        return Traits.of(self.participant.row)

    @property
    def calls_of_a_look(self) -> int:
        """As many as fill the time of a round, short ones with a snapshot each, which the first look times."""
        fewest, most = LOOK_CALLS
        filling = calls_within(ROUND_SECONDS, self.per_call)
        with_snapshots = calls_within(ROUND_SECONDS, self.per_call + self.snapshot_seconds)
        return min(self.mean_calls, filling, max(with_snapshots, fewest), most)

    def bind(self, rounds: int) -> Fields:
        """Bind it, make its first call and prove one operation. Returns the fields of `bound`, all but its pace."""
        process_state.reset_peak_memory(self.worker.process.pid)
        with self.worker.awake():
            config = WireConfig.of(self.ready.config)
            bound = self.ask(
                Bind(
                    case=self.case.name,
                    data=str(self.ready.data),
                    config=config,
                    rounds=rounds,
                    x_offset_bytes=self.worker.layout.x_offset_bytes,
                ),
                Bound,
            )
            begun = self.ask(Begin(), Begun)
            agreement = self._prove_once()
        return {
            "bind_seconds": self._believed(bound, bound.message.seconds),
            "first_call_seconds": self._believed(begun, begun.message.seconds),
            "copy_to_device_seconds": bound.message.copy_to_device_seconds,
            "pools": begun.message.pools,
            "plan": begun.message.plan,
            "agreement": agreement.errors if agreement else None,
        }

    def find_pace(self) -> Fields:
        """How many calls make a round, with nothing else running. Returns the field of `bound` that says so."""
        with self.worker.awake():
            self._settle()
            resetting = self._resetting_seconds()
        untimed = max(resetting, self.pipe.usual)
        self.mean_calls = calls_within(max(ROUND_SECONDS, untimed / UNTIMED_SHARE), self.per_call)
        return {"iterations": self.mean_calls}

    def round(self, point: Point, is_chosen: Callable[[], bool]) -> tuple[Fields, Fields | None]:
        """One round from the point: its fields, and where it was chosen once it was over, those of its judgement."""
        calls = self._drawn_calls()
        with self.worker.awake():
            self.prepare(point, calls)
            empty = self.ask(Repeat("operations", 0), Repeated)
            rounded = self.ask(Round(calls), Rounded)
            back = secrets.randbelow(min(calls, self.case.copies))
            held = self.ask(Hold(back), Held) if self.is_judged and is_chosen() else None
        self.pipe.add(empty.seconds)
        fields = self._round_fields(rounded, calls, empty.seconds)
        made = 1 + (calls - 1 - back) // self.case.copies
        return fields, self._judged(held, point, made) if held else None

    @property
    def is_watched_enough(self) -> bool:
        """A slow operation shows in a few looks what it does, and takes long to look at."""
        return self.watches >= self.least_watches and self.watched_seconds > MOST_WATCHED_SECONDS

    def finish(self) -> Fields:
        """No more of this case."""
        with self.worker.awake():
            finished = self.ask(Finish(), Finished)
        peak = process_state.peak_memory_bytes(self.worker.process.pid)
        return {"device_state": finished.message.device_state, "peak_memory_bytes": peak}

    def ask(self, question: Question, answer: type[Any]) -> Answer[Any]:
        return self.worker.ask(question, answer, self.timeout)

    def prepare(self, point: Point, calls: int) -> Answer[Ready]:
        warm_up = calls_within(WARM_UP_SECONDS, self.per_call) if self.per_call < MOST_WARM_UP_SECONDS else 0
        return self.ask(Prepare(warm_up, calls, WirePoint.of(point)), Ready)

    def _prove_once(self) -> Agreement | None:
        """No agreement, no timing: one operation from a point drawn now."""
        if not self.is_judged:
            return None
        point = self.drawn_point()
        self.ask(Prepare(0, 1, WirePoint.of(point)), Ready)
        self.ask(Repeat("operations", 1), Repeated)
        return self.agreed(self.ask(Hold(), Held).message, "before", self._judging(point, 1))

    def _settle(self) -> None:
        """What a call takes, by the last of some growing loops: enough to choose the calls of a round.

        After each it is asked what it holds, so that a row which only notes what to do is found out while that is
        little.
        """
        calls, seconds = 1, 0.0
        idle = self.ask(Hold(), Held).busy_seconds if self.is_judged else 0.0
        while seconds < ROUND_SECONDS and calls < MOST_CALLS:
            seconds = min(self.loop("operations", calls) for _ in range(2))
            self.per_call = seconds / calls
            if self.is_judged:
                self._require_done(calls, seconds, idle)
            calls *= 4

    def _require_done(self, calls: int, seconds: float, idle: float) -> None:
        """Raise `WorkerError` where telling what so many operations led to takes longer than they did."""
        for _ in range(NOTED_TIMES):
            holding = self.ask(Hold(), Held).busy_seconds
            if holding <= max(NOTED_SECONDS, 5.0 * idle, 2.0 * seconds):
                return
            self.loop("operations", calls)
        raise self.worker.ended(
            "implausible",
            f"{calls:,} operations took {seconds * 1e3:.3g} ms, and telling what they led to {holding * 1e3:.3g} ms: "
            "the work is not done when synchronize returns",
        )

    def _resetting_seconds(self) -> float:
        """What it takes to stand at a point: work that could be done ahead of the round, and is not timed."""
        resetting: list[float] = []
        while len(resetting) < RESETS or (len(resetting) < MOST_RESETS and max(resetting) > SCATTERED * min(resetting)):
            resetting.append(self.ask(Prepare(0, 1, WirePoint.of(self.drawn_point())), Ready).seconds)
            self.pipe.add(self.ask(Repeat("operations", 0), Repeated).seconds)
        return max(0.0, median(resetting) - self.pipe.usual)

    def loop(self, loop: Loop, calls: int, points: list[WirePoint] | None = None) -> float:
        """The seconds that it was at work in the loop."""
        return self.ask(Repeat(loop, calls, points or []), Repeated).busy_seconds

    def _drawn_calls(self) -> int:
        """A number that nobody can know beforehand, about the mean; of few calls, at times one more."""
        spread = round(SPREAD * self.mean_calls)
        if spread == 0:
            return self.mean_calls + (secrets.randbelow(4) == 0)
        return self.mean_calls - spread + secrets.randbelow(2 * spread + 1)

    def _round_fields(self, rounded: Answer[Rounded], calls: int, empty: float) -> Fields:
        told, seen = rounded.message.seconds, rounded.seconds
        believed = believed_seconds(told, seen, self.pipe.usual)
        device_seconds = rounded.message.device_seconds
        return {
            "seconds": believed / calls,
            "device_seconds": device_seconds / calls if device_seconds is not None else None,
            "calls": calls,
            "told_seconds": told,
            "seen_seconds": seen,
            "empty_seconds": empty,
            "processor_seconds": rounded.processor_seconds,
            "resident_bytes": process_state.resident_bytes(self.worker.process.pid),
        }

    def _judged(self, held: Answer[Held], point: Point, calls: int) -> Fields:
        agreement = self.agreed(held.message, "in", self._judging(point, calls))
        unseen = self.ready.judge.unseen_steps(point, calls, self.traits)
        return {"agreement": agreement.errors, "unseen_steps": unseen, "holding_seconds": held.busy_seconds}

    def _judging(self, start: Point, calls: int) -> Judging:
        """Of so many operations of the case from `start`."""
        trains = Op.TRAIN in self.participant.row.ops and self.case.op == Op.TRAIN
        return partial(self.ready.judge.judge, start=start, calls=calls, traits=self.traits, trains=trains)

    def agreed(self, held: Held, when: str, judging: Judging) -> Agreement:
        """Raises `WorkerError` for a row that disagrees."""
        try:
            agreement = judging(held.snapshot())
        except NoAnswer as error:
            raise self.worker.ended("disagreement", f"what it holds cannot be read: {error}") from None
        if not agreement.agrees:
            raise self.worker.ended("disagreement", f"wrong {when} timing: {agreement.reason}")
        return agreement

    def drawn_point(self) -> Point:
        return random_point(self.ready.problem, self.ready.config, secrets.randbits(64))

    def _believed(self, answer: Answer[Any], told: float) -> float:
        return believed_seconds(told, answer.seconds, self.pipe.usual)


def calls_within(seconds: float, per_call: float) -> int:
    """The fewest calls, at least one, that fill so many seconds; one where it is not known what a call takes."""
    return max(1, math.ceil(seconds / per_call)) if per_call > 0.0 else 1
