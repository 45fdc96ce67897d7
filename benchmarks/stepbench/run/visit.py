"""Visits to one worker on one case: it is bound and paced, does its rounds, and is watched meanwhile.

A visit wakes the worker, lets it warm up, puts it at the point of the turn, asks for nothing once, which is what the
asking takes, and then for a round. The round's calls are drawn; so is, once the round is over, whether to look at what
came of it.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from stepbench.cases.case import ROUND_SECONDS, Case
from stepbench.executor.wire import NoAnswer
from stepbench.machine import process_state
from stepbench.proof.clocks import PipeCost, believed_seconds
from stepbench.proof.conduct import Watched
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
from stepkernels.interface import Op
from stepkernels.reference import Point

WARM_UP_SECONDS = 2e-3  # after waiting: caches, clock frequency and sleeping pools come back within one to two ms
MOST_WARM_UP_SECONDS = 0.03  # beyond, an operation takes so long that it warms up as it goes
SPREAD = 0.25  # of the calls of a round, drawn evenly about their mean
RESETS = 3
MOST_CALLS = 4**10
NOTED_SECONDS = 0.06  # of telling what it holds, for it to be work that was put off: a pool's threads spin for 26 ms
NOTED_TIMES = 3  # in a row, since a busy machine may take as long once
UNTIMED_SHARE = 0.05  # of a round, that standing at its start may take, or an empty visit: neither is timed
MOST_POINTS, MOST_WATCHED_SECONDS = 32, 0.5
IDEMPOTENT = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT)

Fields = dict[str, Any]


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

    @property
    def is_judged(self) -> bool:
        return self.participant.role is Role.ROW

    @property
    def traits(self) -> Traits:
        return Traits.of(self.participant.row)

    def bind(self, rounds: int) -> Fields:
        """Bind it, make its first call and prove one operation. Returns the fields of `bound`, all but its pace."""
        process_state.reset_peak_memory(self.worker.process.pid)
        with self.worker.awake():
            config = WireConfig.of(self.ready.config)
            bound = self._ask(
                Bind(
                    case=self.case.name,
                    data=str(self.ready.data),
                    config=config,
                    rounds=rounds,
                    x_offset_bytes=self.worker.layout.x_offset_bytes,
                ),
                Bound,
            )
            begun = self._ask(Begin(), Begun)
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
            self._prepare(point, calls)
            empty = self._ask(Repeat("operations", 0), Repeated)
            rounded = self._ask(Round(calls), Rounded)
            back = secrets.randbelow(min(calls, self.case.copies))
            held = self._ask(Hold(back), Held) if self.is_judged and is_chosen() else None
        self.pipe.add(empty.seconds)
        fields = self._round_fields(rounded, calls, empty.seconds)
        made = 1 + (calls - 1 - back) // self.case.copies
        return fields, self._judged(held, point, made) if held else None

    @property
    def is_watched_enough(self) -> bool:
        """A slow operation shows in a few looks what it does, and takes long to look at."""
        return self.watches >= self.least_watches and self.watched_seconds > MOST_WATCHED_SECONDS

    def watch(self, point: Point) -> Fields:
        """Loops beside the rounds, which tell work that is put off and answers that are remembered."""
        began, calls = time.perf_counter(), min(self.mean_calls, calls_within(ROUND_SECONDS, self.per_call))
        with self.worker.awake():
            self._prepare(point, calls)  # with a warm-up, so that a pool's threads still spin, as they do after a round
            idle = self._ask(Hold(), Held)
            taken = self._loops(("waiting", "snapshots", "snapshots twice"), calls)
            fresh = self._fresh_seconds(min(calls, MOST_POINTS)) if self.case.op in IDEMPOTENT else None
        self.watches += 1
        self.watched_seconds += time.perf_counter() - began
        return Watched(
            operation_seconds=taken["waiting"],
            late_seconds=2.0 * taken["snapshots"] - taken["waiting"] - taken["snapshots twice"],
            fresh_seconds=fresh,
            idle_seconds=_busy_seconds(idle),
            changed=self._what_changed(),
            snapshot_seconds=taken["snapshots twice"] - taken["snapshots"],
        ).to_json()

    def finish(self) -> Fields:
        """No more of this case."""
        with self.worker.awake():
            finished = self._ask(Finish(), Finished)
        peak = process_state.peak_memory_bytes(self.worker.process.pid)
        return {"device_state": finished.message.device_state, "peak_memory_bytes": peak}

    def _ask(self, question: Question, answer: type[Any]) -> Answer[Any]:
        return self.worker.ask(question, answer, self.timeout)

    def _prepare(self, point: Point, calls: int) -> Answer[Ready]:
        warm_up = calls_within(WARM_UP_SECONDS, self.per_call) if self.per_call < MOST_WARM_UP_SECONDS else 0
        return self._ask(Prepare(warm_up, calls, WirePoint.of(point)), Ready)

    def _prove_once(self) -> Agreement | None:
        """No agreement, no timing: one operation from a point drawn now."""
        if not self.is_judged:
            return None
        point = self._point()
        self._ask(Prepare(0, 1, WirePoint.of(point)), Ready)
        self._ask(Repeat("operations", 1), Repeated)
        return self._agreement(self._ask(Hold(), Held).message, point, 1, "before")

    def _settle(self) -> None:
        """What a call takes, by the last of some growing loops: enough to choose the calls of a round.

        After each it is asked what it holds, so that a row which only notes what to do is found out while that is
        little.
        """
        calls, seconds = 1, 0.0
        idle = _busy_seconds(self._ask(Hold(), Held)) if self.is_judged else 0.0
        while seconds < ROUND_SECONDS and calls < MOST_CALLS:
            seconds = min(self._loop("operations", calls) for _ in range(2))
            self.per_call = seconds / calls
            if self.is_judged:
                self._require_done(calls, seconds, idle)
            calls *= 4

    def _require_done(self, calls: int, seconds: float, idle: float) -> None:
        """Raise `WorkerError` where telling what so many operations led to takes longer than they did."""
        for _ in range(NOTED_TIMES):
            holding = _busy_seconds(self._ask(Hold(), Held))
            if holding <= max(NOTED_SECONDS, 5.0 * idle, 2.0 * seconds):
                return
            self._loop("operations", calls)
        raise self.worker.ended(
            "implausible",
            f"{calls:,} operations took {seconds * 1e3:.3g} ms, and telling what they led to {holding * 1e3:.3g} ms: "
            "the work is not done when synchronize returns",
        )

    def _resetting_seconds(self) -> float:
        """What it takes to stand at a point: work that could be done ahead of the round, and is not timed."""
        resetting = []
        for _ in range(RESETS):
            resetting.append(self._ask(Prepare(0, 1, WirePoint.of(self._point())), Ready).seconds)
            self.pipe.add(self._ask(Repeat("operations", 0), Repeated).seconds)
        return max(0.0, median(resetting) - self.pipe.usual)

    def _loops(self, loops: Sequence[Loop], calls: int) -> dict[Loop, float]:
        """Seconds of an operation in each of the loops, taken in an order drawn anew."""
        order = secrets.SystemRandom().sample(loops, len(loops))
        return {loop: self._loop(loop, calls) / calls for loop in order}

    def _loop(self, loop: Loop, calls: int, points: list[WirePoint] | None = None) -> float:
        return _busy_seconds(self._ask(Repeat(loop, calls, points or []), Repeated))

    def _fresh_seconds(self, calls: int) -> float:
        """An operation at a point not seen before, without what it takes to stand there."""
        points = [[WirePoint.of(self._point()) for _ in range(calls)] for _ in range(2)]
        operating, standing = self._loop("points", calls, points[0]), self._loop("points only", calls, points[1])
        return (operating - standing) / calls

    def _what_changed(self) -> str | None:
        """Of where and how the process may run."""
        processors = process_state.processors_of(self.worker.process.pid)
        if processors is not None and len(processors) > self.case.threads:
            return f"it runs on {len(processors)} processors, on a budget of {self.case.threads}"
        if process_state.priority_of(self.worker.process.pid) != process_state.priority_of(0):
            return "it changed the priority of its process"
        return None

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
        agreement = self._agreement(held.message, point, calls, "in")
        unseen = self.ready.judge.unseen_steps(point, calls, self.traits)
        return {"agreement": agreement.errors, "unseen_steps": unseen, "holding_seconds": _busy_seconds(held)}

    def _agreement(self, held: Held, point: Point, calls: int, when: str) -> Agreement:
        """Raises `WorkerError` for a row that disagrees."""
        judge, trains = self.ready.judge, Op.TRAIN in self.participant.row.ops and self.case.op == Op.TRAIN
        try:
            agreement = judge.judge(held.snapshot(), point, calls, self.traits, trains=trains)
        except NoAnswer as error:
            raise self.worker.ended("disagreement", f"what it holds cannot be read: {error}") from None
        if not agreement.agrees:
            raise self.worker.ended("disagreement", f"wrong {when} timing: {agreement.reason}")
        return agreement

    def _point(self) -> Point:
        return random_point(self.ready.problem, self.ready.config, secrets.randbits(64))

    def _believed(self, answer: Answer[Any], told: float) -> float:
        return believed_seconds(told, answer.seconds, self.pipe.usual)


def _busy_seconds(answer: Answer[Any]) -> float:
    """The seconds of an answer in which the process was at work, by the clock that shows less.

    On a busy machine it waits for a processor, and a pool that still spins uses some; work that was put off shows in
    both.
    """
    return min(answer.seconds, answer.processor_seconds or answer.seconds)


def calls_within(seconds: float, per_call: float) -> int:
    """The fewest calls, at least one, that fill so many seconds; one where it is not known what a call takes."""
    return max(1, math.ceil(seconds / per_call)) if per_call > 0.0 else 1
