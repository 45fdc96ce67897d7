"""A rank that torchrun started: how it meets the others, and what all of them must agree on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from typing import Any, TypeVar

from stepbench.cases.free_memory import memory_in_sentences
from stepbench.machine.threads import default_budget
from stepbench.machine.torchrun import all_are_here, meet_store, ranks_here
from stepkernels.arrays.torch_ranks.ranks import (
    MEETING_SECONDS,
    WAITING_SHARE,
    Ranks,
    RanksLostError,
    on_loopback,
)
from stepkernels.arrays.torch_ranks.roll_call import STOPPED, Lost
from stepkernels.problem import ProblemError

SLOWEST_READING = 20e6  # bytes a second: of a network's disk, shared with others

T = TypeVar("T")


def join(timeout_seconds: float, meeting_seconds: float = MEETING_SECONDS) -> Ranks:
    """Meet the other ranks, as the variables say that torchrun sets.

    Raises `ProblemError` where one of them is missing or the ranks do not meet in time.
    """
    store, rank, count = meet_store(meeting_seconds)
    share_threads(ranks_here())
    try:
        with on_loopback() if all_are_here() else nullcontext():
            return Ranks(
                store,
                rank,
                count,
                timeout_seconds=timeout_seconds,
                idle_seconds=WAITING_SHARE * timeout_seconds,
                meeting_seconds=meeting_seconds,
            )
    except RanksLostError as lost:
        raise ProblemError(
            f"The ranks did not meet, for which they have {meeting_seconds:g} s. {lost} Start `stepbench doctor` "
            "in the same way: it says why."
        ) from None


def preparing_seconds(read_bytes: float) -> float:
    """How long a rank may take to compile, and then to read data of which all files have so many bytes.

    All of them, although a rank reads its share alone: the ranks may have one disk.
    """
    return MEETING_SECONDS + read_bytes / SLOWEST_READING


def share_threads(local_ranks: int) -> None:
    """Let Numba's pool be this rank's share of the processors, unless the user has said how large it is to be.

    torchrun does so for OpenMP's. Numba reads the variable as it is loaded, which comes later.
    """
    os.environ.setdefault("NUMBA_NUM_THREADS", str(max(1, default_budget() // local_ranks)))


def all_or_none(ranks: Ranks, action: Callable[[], T]) -> T:
    """What the action returns here, once it has succeeded on every rank.

    Raises on all of them the `ProblemError` of the first rank on which it was raised.
    """
    result, fault = attempted(ranks, action)
    faults = ranks.all_told(fault)
    for rank, told in enumerate(faults):
        if told is not None:
            raise ProblemError(told if all(each == told for each in faults) else f"Rank {rank}: {told}")
    return result[0]


def decided(ranks: Ranks, action: Callable[[], T], follow: Callable[[], object] = lambda: None) -> T | None:
    """What the action returns on rank 0; None on the others, which follow meanwhile.

    Raises on all of them the `ProblemError` that was raised on rank 0.
    """
    result: list[T] = []
    fault = None
    if ranks.rank == 0:
        result, fault = attempted(ranks, action)
    else:
        follow()
    if (told := ranks.tell_object(fault)) is not None:
        raise ProblemError(told)
    return result[0] if result else None


def attempted(ranks: Ranks, action: Callable[[], T]) -> tuple[list[T], str | None]:
    """What an action returns, in a list, or why it cannot be done: bad input, memory or a file that is not to be had.

    Raises `ProblemError` where the ranks are no more, and nobody is left to hear of it.
    """
    try:
        with memory_in_sentences("this rank"):
            return [action()], None
    except (ProblemError, OSError) as error:
        fault = str(error)
        if isinstance(error, OSError):
            fault = f"{error.filename or 'A file'} cannot be used: {error.strerror or error}."
        if ranks.over is not None:
            raise ProblemError(fault) from None
        return [], fault


def require_alike(ranks: Ranks, facts: Mapping[str, Any]) -> None:
    """Raise `ProblemError`, on all ranks, where a rank has other facts than rank 0: its data, versions or settings."""
    told = ranks.all_told(dict(facts))
    for rank, others in enumerate(told):
        for name, value in told[0].items():
            if others.get(name) != value:
                raise ProblemError(
                    f"Rank {rank} has other {name} than rank 0: {others.get(name)}, not {value}. All ranks must have "
                    "the same."
                )


def lost_now(ranks: Ranks) -> RanksLostError | None:
    """Why this rank is told to stop: another that was lost, or would not go on; None where neither is so."""
    ranks.leave("it was stopped")
    with suppress(RuntimeError):
        if lost := ranks.roll.lost(ranks.timeout_seconds / 10):
            return RanksLostError(f"Lost {' and '.join(map(str, lost))}. Rank {ranks.rank} ends, too.", tuple(lost))
        if refused := ranks.roll.refusal(ranks.timeout_seconds / 10):
            return RanksLostError(f"Rank {refused[0]}: {refused[1]}")
    return None


def hear_no_more() -> None:
    """Ignore what is sent to end this process, which is ending and has something to say first."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def end_stopped(lost: tuple[Lost, ...]) -> None:
    """Kill the ranks that are stopped on this machine: they would be there when all others have ended."""
    for each in lost:
        if each.process is not None and each.what == STOPPED:
            with suppress(OSError):
                os.kill(each.process, signal.SIGKILL)
