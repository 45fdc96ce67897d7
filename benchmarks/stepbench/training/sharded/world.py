"""A rank that torchrun started: how it meets the others, and what all of them must agree on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Any, TypeVar

from torch.distributed.rendezvous import rendezvous

from stepbench.machine.dies_with_parent import die_with
from stepbench.machine.threads import default_budget
from stepkernels.arrays.torch_ranks.ranks import (
    MEETING_SECONDS,
    WAITING_SHARE,
    Ranks,
    RanksLostError,
    first_line,
    on_loopback,
    require_distributed,
)
from stepkernels.arrays.torch_ranks.roll_call import STOPPED, Lost
from stepkernels.problem import ProblemError

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"

T = TypeVar("T")


def join(timeout_seconds: float, meeting_seconds: float = MEETING_SECONDS) -> Ranks:
    """Meet the other ranks, as the variables say that torchrun sets.

    Raises `ProblemError` where one of them is missing or the ranks do not meet in time.
    """
    require_distributed()
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise ProblemError(
            f"{' and '.join(missing)} must be set for a rank; `torchrun --nproc-per-node 2 -m stepbench train DATA` "
            "sets them all."
        )
    if STARTED_BY_TORCHRUN in os.environ:
        die_with(os.getppid())
    alone = os.environ.get("LOCAL_WORLD_SIZE") == os.environ["WORLD_SIZE"]
    share_threads(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    try:
        store, rank, count = next(rendezvous("env://", timeout=timedelta(seconds=meeting_seconds)))
        with on_loopback() if alone else nullcontext():
            return Ranks(
                store,
                rank,
                count,
                timeout_seconds=timeout_seconds,
                idle_seconds=WAITING_SHARE * timeout_seconds,
                meeting_seconds=meeting_seconds,
            )
    except RanksLostError as lost:
        raise ProblemError(f"The ranks did not meet within {meeting_seconds:g} s. {lost}") from None
    except (RuntimeError, ValueError) as error:
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise ProblemError(f"The ranks cannot meet at {place}: {first_line(error)}.") from None


def share_threads(local_ranks: int) -> None:
    """Let Numba's pool be this rank's share of the processors, unless the user has said how large it is to be.

    torchrun does so for OpenMP's. Numba reads the variable as it is loaded, which comes later.
    """
    os.environ.setdefault("NUMBA_NUM_THREADS", str(max(1, default_budget() // local_ranks)))


def all_or_none(ranks: Ranks, action: Callable[[], T]) -> T:
    """What the action returns here, once it has succeeded on every rank.

    Raises on all of them the `ProblemError` of the first rank on which it was raised.
    """
    result: list[T] = []
    fault: str | None = None
    try:
        result.append(action())
    except ProblemError as error:
        fault = str(error)
    faults = ranks.all_told(fault)
    for rank, told in enumerate(faults):
        if told is not None:
            raise ProblemError(told if all(each == told for each in faults) else f"Rank {rank}: {told}")
    return result[0]


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
    """Why this rank is told to stop: another that was lost; None where all the others answer."""
    ranks.leave("it was stopped")
    with suppress(RuntimeError):
        if lost := ranks.roll.lost(ranks.timeout_seconds / 10):
            return RanksLostError(f"Lost {' and '.join(map(str, lost))}. Rank {ranks.rank} ends, too.", tuple(lost))
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
