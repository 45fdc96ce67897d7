"""The processes that take a step together, on torch.distributed: gloo among CPUs, NCCL between GPUs.

Three groups of the same ranks, which differ in how long they wait: while they prepare, as long as reading and compiling
may take; for orders, as long as there are none; for values, no longer than a rank may take, so that one that is lost
ends the step on all of them.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed as dist

from stepkernels.arrays.torch_ranks.roll_call import Lost, RollCall
from stepkernels.problem import Array, ProblemError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store, TCPStore, Work

NO_LIMIT_SECONDS = 30 * 24 * 3600.0
MEETING_SECONDS = 120.0
LOOPBACK = ("lo", "lo0")  # the interface of 127.0.0.1, on Linux and on macOS
INTERFACE = "GLOO_SOCKET_IFNAME"

AWAKE_SECONDS = 0.02
yield_processor = getattr(os, "sched_yield", partial(time.sleep, 0.0))  # Windows has no other way to say so

# Of the time that a rank may take: how much of it the others wait for its sums, and then for its word. The rest is for
# the end of the processes.
WAITING_SHARE, ROLL_CALL_SHARE = 0.7, 0.2


class RanksLostError(RuntimeError):
    """Ranks that do not answer, in a sentence; `lost` are those, as far as they are known."""

    def __init__(self, sentence: str, lost: tuple[Lost, ...] = ()) -> None:
        super().__init__(sentence)
        self.lost = lost


class Ranks:
    """All the ranks, as rank `rank` of `count` sees them.

    device           "cpu", or "cuda", where the sums travel by NCCL between the current devices
    timeout_seconds  within which a rank that is lost ends the step on all others
    idle_seconds     how long a rank waits for the next order
    meeting_seconds  for the ranks to start in, and then to prepare unless they `allow` more

    Making one waits until all ranks are there. Raises `ProblemError` in a process that has a process group already,
    and `RanksLostError` where they do not all meet in time.
    """

    def __init__(
        self,
        store: Store,
        rank: int,
        count: int,
        *,
        timeout_seconds: float,
        idle_seconds: float = NO_LIMIT_SECONDS,
        meeting_seconds: float = MEETING_SECONDS,
        device: str = "cpu",
    ) -> None:
        require_distributed(device)
        if dist.is_initialized():
            raise ProblemError(
                "This process belongs to a process group of torch.distributed already, and can belong to one only; "
                "destroy that one first (torch.distributed.destroy_process_group)."
            )
        self.rank, self.count, self.device, self.timeout_seconds = rank, count, device, timeout_seconds
        self.over: str | None = None  # why these are no ranks any more
        self._preparing: Any = None  # the group of all, until more time is allowed
        self._orders: Any = None
        self._values: Any = None
        self._sums: Any = None
        waiting, meeting, idle = (
            timedelta(seconds=seconds) for seconds in (WAITING_SHARE * timeout_seconds, meeting_seconds, idle_seconds)
        )
        self.roll = RollCall(store, rank, count)
        try:
            self.roll.join()
            self.roll.wait_for_all(meeting)
            dist.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=meeting)
            # Whoever gives an order waits for nobody; but what it gives it to may be stopped.
            self._orders = dist.new_group(backend="gloo", timeout=idle if rank else waiting)
            self._values = dist.new_group(backend="gloo", timeout=waiting)
            self._sums = dist.new_group(backend="nccl", timeout=waiting) if device == "cuda" else self._values
        except RuntimeError as error:
            raise self._lost(error, "as the ranks met") from None

    def allow(self, seconds: float) -> None:
        """Let every rank take so long to prepare, from now on. All ranks call it, with the same number."""
        with self._together("while they prepared"):
            self._preparing = dist.new_group(backend="gloo", timeout=timedelta(seconds=min(seconds, NO_LIMIT_SECONDS)))

    def in_turn(self) -> Iterator[int]:
        """The numbers of the ranks, each once all ranks are done with the one before."""
        for rank in range(self.count):
            yield rank
            with self._together("while they prepared"):
                dist.barrier(self._preparing)

    def gather(self, parts_out: list[torch.Tensor], sums: torch.Tensor) -> None:
        """Every rank's `sums`, in the order of the ranks: into tensors of the same shape and dtype.

        As within `_together`, written out here and for an order: both are in every step, whose pass over X has put the
        code of a generator out of the caches.
        """
        self._require_all()
        try:
            if self.device == "cpu":
                _await(self._sums.allgather([parts_out], [sums]))
            else:
                dist.all_gather(parts_out, sums, group=self._sums)
        except RuntimeError as error:
            raise self._lost(error, "in a step") from None

    def pass_order(self, order: torch.Tensor) -> None:
        """Rank 0's order, into the tensor of every other rank, which waits for it."""
        self._require_all()
        if self.count == 1:
            return
        try:
            _await(self._orders.broadcast(order, 0))
        except RuntimeError as error:
            raise self._lost(error, "between two steps") from None

    def tell(self, values: torch.Tensor) -> None:
        """Rank 0's values, into the tensors of all others."""
        with self._together("between two steps"):
            dist.broadcast(values, 0, group=self._values)

    def tell_object(self, value: Any) -> Any:
        """Rank 0's value, which the others get. It is pickled: for ranks that trust one another."""
        told = [value]
        with self._together("while they prepared"):
            dist.broadcast_object_list(told, 0, group=self._preparing)
        return told[0]

    def all_told(self, value: Any) -> list[Any]:
        """The value of each rank, in order, on every rank."""
        told: list[Any] = [None] * self.count
        with self._together("while they prepared"):
            dist.all_gather_object(told, value, group=self._preparing)
        return told

    def first_told(self, value: Any) -> list[Any]:
        """The value of each rank, in order, on rank 0; nothing on the others."""
        told: list[Any] = [None] * self.count if self.rank == 0 else []
        with self._together("while they prepared"):
            dist.gather_object(value, told or None, group=self._preparing)
        return told

    def send(self, values: Array, rank: int) -> None:
        """An array to one rank, which `receive`s it."""
        with self._together("while they prepared"):
            dist.send(torch.from_numpy(np.require(values, requirements=["C", "W"])), rank, group=self._preparing)

    def receive(self, values_out: Array, rank: int = 0) -> None:
        """What a rank sends to this one, into an array of the same shape and dtype."""
        with self._together("while they prepared"):
            dist.recv(torch.from_numpy(values_out), rank, group=self._preparing)

    def leave(self, why: str = "they were ended", refusal: str = "") -> None:
        """Be a rank no more. Whoever waits for this one learns of it, and of the refusal: the sentence of an error."""
        if self.over is None:
            self.over = why
            with suppress(RuntimeError):  # of a store that is gone
                self.roll.leave(refusal)
            # the connections last as long as the groups
            self._preparing = self._orders = self._values = self._sums = None
            if dist.is_initialized():
                dist.destroy_process_group()

    @contextmanager
    def _together(self, when: str) -> Iterator[None]:
        self._require_all()
        try:
            yield
        except RuntimeError as error:  # what torch.distributed raises of a network, a time limit or a peer
            raise self._lost(error, when) from None

    def _require_all(self) -> None:
        if self.over is not None:
            raise RanksLostError(f"The ranks of this workspace are no more: {self.over}. Bind the problem again.")

    def _lost(self, error: RuntimeError, when: str) -> RanksLostError | ProblemError:
        """Who is lost, or has refused to go on. Our own connections are closed first: whoever waits for us learns."""
        self.leave("one of them was lost")
        refused = None
        try:
            lost = tuple(self.roll.lost(ROLL_CALL_SHARE * self.timeout_seconds))
            if not lost:
                refused = self.roll.refusal(ROLL_CALL_SHARE * self.timeout_seconds)
        except RuntimeError:
            return RanksLostError(
                f"Lost {when}: rank 0, and with it the store of all ranks. Rank {self.rank} ends, too."
            )
        if refused is not None:
            return ProblemError(f"Rank {refused[0]}: {refused[1]}")
        if not lost:
            return RanksLostError(f"The ranks lost touch {when}, though all of them answer: {first_line(error)}.")
        who = " and ".join(map(str, lost))
        return RanksLostError(f"Lost {when}: {who}. Rank {self.rank} ends, too.", lost)


def _await(work: Work) -> None:
    """Wait for what gloo's threads do, awake for as long as a step may take to come to it.

    A processor that has nothing to do is given back to the system, and on a virtual machine to its host: to have it
    again took up to two milliseconds, where the numbers travel in a tenth of one. Whoever else is ready goes first.
    """
    awake_until = time.perf_counter() + AWAKE_SECONDS
    while not work.is_completed() and time.perf_counter() < awake_until:
        yield_processor()
    work.wait()


def require_distributed(device: str = "cpu") -> None:
    """Raise `ProblemError` where this build of torch has no torch.distributed, or not what the device asks for."""
    if not dist.is_available():
        raise ProblemError(f"torch {torch.__version__} is built without torch.distributed; install one that has it.")
    if not dist.is_gloo_available():
        raise ProblemError(f"torch {torch.__version__} is built without gloo; install one that has it.")
    if device == "cuda" and not dist.is_nccl_available():
        raise ProblemError(f"torch {torch.__version__} is built without NCCL; install a CUDA build of torch.")


def open_store(address: str, port: int, count: int, timeout_seconds: float, *, keeps: bool = False) -> TCPStore:
    """The store by which the ranks meet: at an address, on a port, or kept by this process, then on any for port 0."""
    require_distributed()
    timeout = timedelta(seconds=timeout_seconds)
    return dist.TCPStore(  # type: ignore[attr-defined]
        address, port, count, is_master=keeps, timeout=timeout, wait_for_workers=False
    )


@contextmanager
def on_loopback() -> Iterator[None]:
    """Let gloo take the loopback interface, unless the user has named one: all ranks are on this machine.

    Without a name gloo takes the interface of what this host's name resolves to, which in a container may be none.
    """
    names = {name for _, name in socket.if_nameindex()}
    found = next((name for name in LOOPBACK if name in names), None)
    if INTERFACE in os.environ or found is None:
        yield
        return
    os.environ[INTERFACE] = found
    try:
        yield
    finally:
        del os.environ[INTERFACE]


def first_line(error: BaseException) -> str:
    """What an error of torch says first, without the place in its source and without the full stop."""
    line = str(error).strip().partition("\n")[0].rstrip(".")
    return line.partition("] ")[2].partition(". This is")[0] or line if line.startswith("[") else line
