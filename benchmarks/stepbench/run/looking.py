"""A look at a worker beside its rounds: loops that tell work that is put off and answers that are remembered."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from functools import partial

from stepbench.machine import process_state
from stepbench.proof.conduct import Watched
from stepbench.run.visit import Fields, Visitor
from stepbench.worker.messages import Held, Hold, Loop, WirePoint
from stepkernels.interface import Op
from stepkernels.reference import Point

MOST_POINTS = 32
IDEMPOTENT = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT)


def look_at(visitor: Visitor, point: Point) -> Fields:
    """The fields of `watched`. Raises `WorkerError` where what it holds disagrees."""
    began = time.perf_counter()
    seen = _seen(visitor, point)
    visitor.watches += 1
    visitor.watched_seconds += time.perf_counter() - began
    visitor.snapshot_seconds = max(0.0, seen.snapshot_seconds or 0.0)
    return seen.to_json()


def _seen(visitor: Visitor, point: Point) -> Watched:
    calls = visitor.calls_of_a_look
    with visitor.worker.awake():
        visitor.prepare(point, calls)  # with a warm-up, so that a pool's threads still spin, as they do after a round
        idle = visitor.ask(Hold(), Held).busy_seconds
        taken = _loops(visitor, ("waiting", "snapshots", "snapshots twice"), calls)
        fresh = _fresh_seconds(visitor, point, min(calls, MOST_POINTS)) if visitor.case.op in IDEMPOTENT else None
    return Watched(
        operation_seconds=taken["waiting"],
        late_seconds=2.0 * taken["snapshots"] - taken["waiting"] - taken["snapshots twice"],
        fresh_seconds=fresh,
        idle_seconds=idle,
        changed=_what_changed(visitor),
        snapshot_seconds=taken["snapshots twice"] - taken["snapshots"],
    )


def _loops(visitor: Visitor, loops: Sequence[Loop], calls: int) -> dict[Loop, float]:
    """Seconds of an operation in each of the loops, taken in an order drawn anew."""
    order = secrets.SystemRandom().sample(loops, len(loops))
    return {loop: visitor.loop(loop, calls) / calls for loop in order}


def _fresh_seconds(visitor: Visitor, point: Point, calls: int) -> float:
    """An operation at a point not seen before, without what leads there.

    It is led there by updates of its own, which disturb it little: after a reset, the code and the data of an honest
    operation are no longer in the caches, and one of 20 µs takes twice as long. It cannot have remembered where they
    lead, and what it holds in the end is judged.
    """
    if Op.UPDATE not in visitor.participant.row.ops:
        return _fresh_after_resets(visitor, calls)
    seconds: dict[Loop, float] = {}
    loops: tuple[Loop, Loop] = ("moving", "moves only")
    for loop in secrets.SystemRandom().sample(loops, len(loops)):
        visitor.prepare(point, calls)
        seconds[loop] = visitor.loop(loop, calls)
        if loop == "moving":
            moves = 1 + (calls - 1) // visitor.case.copies
            judging = partial(visitor.ready.judge.judge_moved, start=point, moves=moves, traits=visitor.traits)
            visitor.agreed(visitor.ask(Hold(), Held).message, "beside", judging)
    return (seconds["moving"] - seconds["moves only"]) / calls


def _fresh_after_resets(visitor: Visitor, calls: int) -> float:
    """The same of a row that has no update."""
    points = [[WirePoint.of(visitor.drawn_point()) for _ in range(calls)] for _ in range(2)]
    operating = visitor.loop("points", calls, points[0])
    standing = visitor.loop("points only", calls, points[1])
    return (operating - standing) / calls


def _what_changed(visitor: Visitor) -> str | None:
    """Of where and how the process may run."""
    processors = process_state.processors_of(visitor.worker.process.pid)
    if processors is not None and len(processors) > visitor.case.threads:
        return f"it runs on {len(processors)} processors, on a budget of {visitor.case.threads}"
    if process_state.priority_of(visitor.worker.process.pid) != process_state.priority_of(0):
        return "it changed the priority of its process"
    return None
