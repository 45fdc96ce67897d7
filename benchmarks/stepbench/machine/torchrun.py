"""What torchrun, or whatever sets the same variables, tells a process that it started as one of several ranks."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from stepbench.machine.dies_with_parent import die_with
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"
STORE_OF_TORCHRUN, RESTARTS = "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT"
RANKS_HERE, HOSTS = "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE"  # which torchrun sets, and not everybody else


def is_a_rank() -> bool:
    """Whether this process was started as one of several ranks."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def ranks_here() -> int:
    """How many of the ranks are on this machine."""
    return int(os.environ.get(RANKS_HERE, "1"))


def all_are_here() -> bool:
    """Whether no rank is on another machine."""
    return os.environ.get(RANKS_HERE) == os.environ["WORLD_SIZE"]


def hosts() -> int:
    """On how many hosts the ranks are; where nobody says, as many as have ranks like this one."""
    told = os.environ.get(HOSTS, "")
    return int(told) if told.isdecimal() and int(told) > 0 else -(-int(os.environ["WORLD_SIZE"]) // ranks_here())


def meet_store(meeting_seconds: float) -> tuple[Store, int, int]:
    """The store at which the ranks meet, this rank, and how many there are. Where torchrun is, this ends with it.

    torchrun keeps the store, or rank 0 does. It keeps it also when it starts all ranks anew: what those before wrote
    there is not theirs. Raises `ProblemError` where a variable is missing or wrong, or where the store is not to be had
    in time.
    """
    from torch.distributed import PrefixStore  # type: ignore[attr-defined]

    from stepkernels.arrays.torch_ranks.ranks import first_line, open_store

    address, port, rank, count = place_and_rank()
    if STARTED_BY_TORCHRUN in os.environ:
        die_with(os.getppid())
    keeps = rank == 0 and os.environ.get(STORE_OF_TORCHRUN) != "True"
    try:
        kept = open_store(address, port, count, meeting_seconds, keeps=keeps)
    except RuntimeError as error:
        from stepbench.machine.network import fault_of_place

        nobody = "" if keeps else " Rank 0 has to be there, and no firewall between."
        why = fault_of_place(address, port, keeps=keeps) or f"{first_line(error)}.{nobody}"
        raise ProblemError(f"The ranks cannot meet at {address}:{port} (MASTER_ADDR and MASTER_PORT): {why}") from None
    store = PrefixStore(f"start-{os.environ.get(RESTARTS, '0')}", kept)
    if RANKS_HERE not in os.environ:
        with suppress(RuntimeError):  # not all come in time: whoever waits for them next says who
            os.environ[RANKS_HERE] = str(counted_here(store, rank, count, meeting_seconds))
    return store, rank, count


def counted_here(store: Store, rank: int, count: int, meeting_seconds: float) -> int:
    """How many of the ranks are on this machine, as each tells. Raises `RuntimeError` where not all come in time."""
    from stepkernels.arrays.torch_ranks.roll_call import this_machine

    keys = [f"machine/{each}" for each in range(count)]
    store.set(keys[rank], this_machine())
    store.wait(keys, timedelta(seconds=meeting_seconds))
    return sum(store.get(key).decode() == this_machine() for key in keys)


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
    rank, count, port = (_number(name) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
    if rank >= count:
        raise ProblemError(f"RANK is {rank} and WORLD_SIZE is {count}; ranks are counted from 0.")
    if RANKS_HERE in os.environ and not 1 <= _number(RANKS_HERE) <= count:
        raise ProblemError(f"{RANKS_HERE} is {ranks_here()}, of {count} ranks; it must be from 1 to {count}.")
    return os.environ["MASTER_ADDR"], port, rank, count


def _number(name: str) -> int:
    text = os.environ[name]
    if not (text.isdecimal() and int(text) < 2**16):
        raise ProblemError(f"{name} is {text!r:.40}; it must be a number from 0 to {2**16 - 1}.")
    return int(text)
