"""Rung 16, more than one process: the rows of X shared among the ranks of torch.distributed, on one host or on many.

For data that no single memory holds. Every rank keeps a contiguous share of the rows and takes the gradient of it as
numba_fused/ does, on a GPU as cupy_fused/ does, so X is read once. Then the ranks tell one another n + 2 numbers each,
add them in the same order, and update: all have the same bits, and the parameters never travel.

The pass over X is divided by the number of ranks; what they tell one another is not. Below a few megabytes of X the
step is bound by that, some tenths of a millisecond on one host, and one process is faster; far above it, by each rank's
own memory. On one machine threads (numba-fused-parallel) do the same with less to say to one another.

This process is rank 0, which the others follow; they are started with the first problem, one for each thread of this
process (or each GPU) unless `ranks` says how many, kept for the next, and end with this process. Each rank has one
share of the threads.
"""

from __future__ import annotations

import torch

from stepkernels.arrays.torch_ranks.orders import LedStep
from stepkernels.problem import Config, Problem
from stepkernels.rows.torch_distributed.rank_group import GroupKind, group_of

MOST_RANKS = 16  # unless asked for: each is a process that has loaded torch
TIMEOUT_SECONDS = 120.0  # among others, for a rank to compile in


def default_ranks(device: str) -> int:
    """One for each thread, or each GPU, that this process may use."""
    found = torch.cuda.device_count() if device == "cuda" else torch.get_num_threads()
    return max(1, min(found, MOST_RANKS))


def bind(
    problem: Problem,
    config: Config,
    device: str,
    share: str,
    ranks: int | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    *,
    clocked: bool = False,
    meeting: tuple[str, int] | None = None,
) -> LedStep:
    """Send each rank its rows. `share` is the module of the row that takes the gradient of them.

    With `clocked` the ranks note how long they compute, and `LedStep.computing_seconds` tells. A rank that does not
    answer within the time ends the operation with `RanksLostError`. With `meeting`, an address of this host and a port,
    the others are not started here: wherever they run, as `rank_process.py`, they are waited for there.
    """
    count = default_ranks(device) if ranks is None else ranks
    meeting = None if meeting is None else (meeting[0], meeting[1])
    return group_of(GroupKind(count, device, timeout_seconds, meeting)).bind(problem, config, share, clocked=clocked)
