"""What torchrun, or whatever sets the same variables, tells a process that it started as one of several ranks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stepbench.machine.dies_with_parent import die_with
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"
STORE_OF_TORCHRUN = "TORCHELASTIC_USE_AGENT_STORE"


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
    """The store at which the ranks meet, this rank, and how many there are. Where torchrun is, this ends with it.

    torchrun keeps the store, or rank 0 does. Raises `ProblemError` where a variable is missing or wrong, or where the
    store is not to be had in time.
    """
    from stepkernels.arrays.torch_ranks.ranks import first_line, open_store

    address, port, rank, count = place_and_rank()
    if STARTED_BY_TORCHRUN in os.environ:
        die_with(os.getppid())
    keeps = rank == 0 and os.environ.get(STORE_OF_TORCHRUN) != "True"
    try:
        return open_store(address, port, count, meeting_seconds, keeps=keeps), rank, count
    except RuntimeError as error:
        from stepbench.machine.network import fault_of_place

        nobody = "" if keeps else " Rank 0 has to be there, and no firewall between."
        why = fault_of_place(address, port, keeps=keeps) or f"{first_line(error)}.{nobody}"
        raise ProblemError(f"The ranks cannot meet at {address}:{port} (MASTER_ADDR and MASTER_PORT): {why}") from None


def place_and_rank() -> tuple[str, int, int, int]:
    """The address and port at which ranks meet, this one's number, and how many there are.

    Raises `ProblemError` where a variable is missing or no such number.
    """
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise ProblemError(
            f"{' and '.join(missing)} must be set for a rank; `torchrun --nproc-per-node 2 -m stepbench …` sets them "
            "all."
        )
    numbers = {name: os.environ[name] for name in ("RANK", "WORLD_SIZE", "MASTER_PORT")}
    for name, text in numbers.items():
        if not (text.isdecimal() and int(text) < 2**16):
            raise ProblemError(f"{name} is {text!r:.40}; it must be a number from 0 to {2**16 - 1}.")
    rank, count, port = map(int, numbers.values())
    if rank >= count:
        raise ProblemError(f"RANK is {rank} and WORLD_SIZE is {count}; ranks are counted from 0.")
    return os.environ["MASTER_ADDR"], port, rank, count
