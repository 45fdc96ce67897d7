"""Threads that go through all steps of one compiled call together and meet at a barrier after each.

Waking the threads of a pool takes microseconds, for every step anew; a barrier of threads that are awake takes 0.3 µs.
It is the processor's form of a persistent kernel with a barrier of the grid, and needs what that needs: every member
must be running, or come to run. The threads of an operating system do, the tasks of Numba's pool need not; so a team
has threads of its own, and for the time of a run a processor for each: the system puts threads that wake together on
one processor and takes some 30 ms to part them, and until then they meet by turns (569×30: 8.6 µs a step, 2.5 µs once
parted). Who waits for long yields its processor, so that a team larger than the processors it is given comes through
as well.
"""

# mypy: disable-error-code="no-untyped-call,import-untyped,untyped-decorator"

from __future__ import annotations

import os
import platform
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from weakref import WeakSet

from llvmlite import ir
from numba import types

from stepkernels.problem import Array
from stepkernels.rows.numba_fused.cache_lines import LINE, aligned
from stepkernels.simd import compiled
from stepkernels.simd.llvm import INT32, INT64, Builder, Value, call, intrinsic, pointer_to

SPINS = 2_000  # some 50 µs, longer than members differ by while all of them run
DISBANDED = 2**62  # more arrivals than anybody waits for


@intrinsic
def _arrive(typing: Any, arrivals: Any) -> Any:  # noqa: ARG001
    """Counts an arrival; what was written before is seen by whoever sees the count."""

    def codegen(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
        pointer = pointer_to(context, builder, signature.args[0], values[0], INT64(0), INT64)
        builder.atomic_rmw("add", pointer, INT64(1), "acq_rel")
        return context.get_dummy_value()

    return types.void(arrivals), codegen


@intrinsic
def _arrived(typing: Any, arrivals: Any) -> Any:  # noqa: ARG001
    """How many have arrived."""

    def codegen(context: Any, builder: Builder, signature: Any, values: Any) -> Value:
        pointer = pointer_to(context, builder, signature.args[0], values[0], INT64(0), INT64)
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(arrivals), codegen


@intrinsic
def _pause(typing: Any) -> Any:  # noqa: ARG001
    """Tells an x86 processor that this is a loop that waits."""

    def codegen(context: Any, builder: Builder, _signature: Any, _values: Any) -> Value:
        if platform.machine() in {"x86_64", "AMD64"}:
            call(builder, "llvm.x86.sse2.pause", ir.VoidType())
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def _yield_processor(typing: Any) -> Any:  # noqa: ARG001
    """Lets another thread run: POSIX's sched_yield."""

    def codegen(context: Any, builder: Builder, _signature: Any, _values: Any) -> Value:
        call(builder, "sched_yield", INT32)
        return context.get_dummy_value()

    return types.void(), codegen


@compiled
def meet(arrivals_out: Array, expected: int) -> None:
    """Arrive, and wait until as many have arrived as expected: `members` more at each meeting."""
    _arrive(arrivals_out)
    spins = 0
    while _arrived(arrivals_out) < expected:
        spins += 1
        if spins < SPINS:
            _pause()
        else:
            _yield_processor()


def _processors() -> list[int]:
    """Those the calling thread may run on; none where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


class Run:
    """One run of a team: the gate where all begin, the processors they go to for its time, and what went wrong."""

    def __init__(self, work: Callable[[int], None], members: int, arrivals: Array) -> None:
        self.work, self.arrivals = work, arrivals
        self.gate = threading.Barrier(members)
        self.processors = _processors()
        # A random one, so that teams side by side do not all choose the same ones.
        self.first = random.randrange(len(self.processors) or 1)
        self.errors: list[BaseException] = []

    def take_part(self, member: int) -> None:
        """The work of one member, in its thread."""
        try:
            if self.processors:
                os.sched_setaffinity(0, [self.processors[(self.first + member) % len(self.processors)]])
            self.gate.wait()
            self.work(member)
        except threading.BrokenBarrierError:
            pass  # somebody else has an error to tell
        except BaseException as error:  # whatever it is, the others must not wait for this one
            self.errors.append(error)
            self.gate.abort()
            self.arrivals[0] = DISBANDED

    def leave(self) -> None:
        """Give the calling thread its processors back."""
        if self.processors:
            os.sched_setaffinity(0, self.processors)


_teams: WeakSet[Team] = WeakSet()


def _forked() -> None:
    """Threads do not come along to a child: there, each team gets others."""
    for team in list(_teams):
        team.others = team.threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Team:
    """So many threads, the calling one among them. `arrivals` is what their compiled code meets by."""

    def __init__(self, members: int) -> None:
        self.members = members
        self.arrivals = aligned((LINE // 8,), "int64")
        self.others = self.threads()
        _teams.add(self)

    def threads(self) -> ThreadPoolExecutor:
        """As many as there are other members: started when first called for, and each gets one call of a run."""
        return ThreadPoolExecutor(max(self.members - 1, 1))

    def run(self, work: Callable[[int], None]) -> None:
        """Call work(0) here and work(1), … in other threads, begun together; returns when all have.

        Raises what `work` raised in any of them, or `RuntimeError` where a thread could not be started.
        """
        self.arrivals[:] = 0
        run = Run(work, self.members, self.arrivals)
        begun: list[Future[None]] = []
        try:
            begun.extend(self.others.submit(run.take_part, member) for member in range(1, self.members))
            run.take_part(0)
        except BaseException:
            run.gate.abort()
            self.others.shutdown(wait=False)
            self.others = self.threads()  # the old ones may hold a call that no thread was started for
            raise
        finally:
            wait(begun)
            run.leave()
        if run.errors:
            raise run.errors[0]
