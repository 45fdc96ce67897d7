"""What torchrun, or whatever sets the same variables, tells a process that it started as one of several ranks."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from stepbench.machine.dies_with_parent import die_with
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"


def is_a_rank() -> bool:
    """Whether this process was started as one of several ranks."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def ranks_here() -> int:
    """How many of the ranks are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def all_are_here() -> bool:
    """Whether no rank is on another machine."""
    return os.environ.get("LOCAL_WORLD_SIZE") == os.environ["WORLD_SIZE"]


def meet_store(meeting_seconds: float) -> tuple[Store, int, int]:
    """The store that torchrun keeps, this rank, and how many there are. This process ends with torchrun.

    Raises `ProblemError` where a variable is missing, or where the store is not to be had in time.
    """
    from torch.distributed.rendezvous import rendezvous

    from stepkernels.arrays.torch_ranks.ranks import first_line, require_distributed

    require_distributed()
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise ProblemError(
            f"{' and '.join(missing)} must be set for a rank; `torchrun --nproc-per-node 2 -m stepbench …` sets them "
            "all."
        )
    if STARTED_BY_TORCHRUN in os.environ:
        die_with(os.getppid())
    try:
        store, rank, count = next(rendezvous("env://", timeout=timedelta(seconds=meeting_seconds)))
    except (RuntimeError, ValueError) as error:
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise ProblemError(f"The ranks cannot meet at {place}: {first_line(error)}.") from None
    return store, rank, count
