"""Ranks that torchrun started, on this host or on others: rank 0 times, the others follow.

Rank 0 is as without them, but the groups that take turns do not start their ranks themselves: for each number of ranks
there is a port of rank 0's host, at which the group meets. Every other rank keeps a process ready for each group that
it belongs to, and starts the next when a group has ended, for each of a run's processes is a new group. The store that
torchrun keeps tells them where, and when all is over.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from stepbench.machine.children import environment_of_child
from stepbench.machine.threads import pool_variables
from stepbench.machine.torchrun import all_are_here, hosts, meet_store
from stepbench.run.scaling.scale_question import GROUP
from stepkernels.arrays.torch_ranks.ranks import on_loopback
from stepkernels.catalog import CATALOG
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

MEMBER = f"{CATALOG[GROUP].module}.rank_process"  # the program of a rank, as the row starts it here
MEETINGS, OVER = "stepbench-scale-meetings", "stepbench-scale-over"
LOOK_SECONDS = 0.5  # between two looks whether a group has ended, or all
MOST_SECONDS = 24 * 3600.0  # of a whole scaling
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class World:
    """One rank among those that torchrun started, on so many hosts."""

    store: Store
    rank: int
    count: int
    hosts: int


@contextmanager
def joined(meeting_seconds: float) -> Iterator[World]:
    """The ranks that torchrun started; when rank 0's block ends, the others are told. Raises `ProblemError`."""
    store, rank, count = meet_store(meeting_seconds)
    world = World(store, rank, count, hosts=hosts())
    if not all_are_here():
        yield world
        return
    with on_loopback():
        yield world


@contextmanager
def meetings(world: World, counts: Sequence[int]) -> Iterator[Mapping[int, Address]]:
    """By the number of ranks, where its group meets, told to all; at the end, that all is over. On rank 0."""
    address = os.environ["MASTER_ADDR"]
    found = {count: (address, free_port(address)) for count in counts if count > 1}
    world.store.set(MEETINGS, json.dumps({str(count): place for count, place in found.items()}))
    try:
        yield found
    finally:
        with suppress(RuntimeError):  # of ranks that are gone, and cannot hear
            world.store.set(OVER, "over")
            heard = [f"{OVER}-{rank}" for rank in range(1, world.count)]
            world.store.wait(heard, timedelta(seconds=20 * LOOK_SECONDS))


def free_port(address: str) -> int:
    """A port of this host that nobody listens at now. Raises `ProblemError` for an address that is not this host's."""
    try:
        family = socket.getaddrinfo(address, None)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.bind((address, 0))
            return int(server.getsockname()[1])
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "each part of a name has 1 to 63 letters"
        raise ProblemError(
            f"{address:.80} is not an address of this host ({reason}), where rank 0 is; name one with torchrun's "
            "--master-addr or --rdzv-endpoint, or first in the file of --hosts."
        ) from None


def follow(world: World, timeout_seconds: float) -> None:
    """Keep a process ready for each group that this rank belongs to, until all is over.

    Raises `ProblemError` where rank 0 is gone.
    """
    try:
        world.store.wait([MEETINGS], timedelta(seconds=MOST_SECONDS))
        told: dict[str, Any] = json.loads(world.store.get(MEETINGS))
        members = [
            Member(world.rank, int(count), str(address), int(port), timeout_seconds)
            for count, (address, port) in told.items()
            if int(count) > world.rank
        ]
        try:
            while not world.store.check([OVER]):
                for member in members:
                    member.be_there()
                time.sleep(LOOK_SECONDS)
        finally:
            for member in members:
                member.end()
        world.store.set(f"{OVER}-{world.rank}", "heard")
    except RuntimeError:  # of a store that is gone
        raise ProblemError(
            f"Rank 0 is gone, and with it what all ranks are told. Rank {world.rank} ends, too."
        ) from None


class Member:
    """The rank in a group of so many, as one process after the other."""

    def __init__(self, rank: int, count: int, address: str, port: int, timeout_seconds: float) -> None:
        self.arguments = (address, str(port), str(rank), str(count), "cpu", str(timeout_seconds))
        self.process: subprocess.Popen[bytes] | None = None

    def be_there(self) -> None:
        """Start it, or the next when it has ended; it ends with its standard input, and so with this process."""
        if self.process is None or self.process.poll() is not None:
            environment = environment_of_child(pool_variables(1))
            command = [sys.executable, "-m", MEMBER, *self.arguments]
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
