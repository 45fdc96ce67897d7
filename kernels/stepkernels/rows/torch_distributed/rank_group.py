"""The ranks of this machine: this process is the first of them, the others are its children.

They are a pool, as threads are: started once, and given the rows of one problem after another. They end with this
process, however that ends, for their standard input then does.
"""

from __future__ import annotations

import atexit
import itertools
import os
import subprocess
import sys
from contextlib import nullcontext, suppress
from dataclasses import dataclass

import torch

from stepkernels.arrays.torch_ranks.orders import Leading, LedStep, Order
from stepkernels.arrays.torch_ranks.ranks import (
    MEETING_SECONDS,
    Ranks,
    RanksLostError,
    first_line,
    on_loopback,
    open_store,
)
from stepkernels.problem import Config, Problem, ProblemError
from stepkernels.rows.torch_distributed.dealing import Deal, bind_share, hand_out
from stepkernels.rows.torch_distributed.rank_process import PROGRAM

ADDRESS = "127.0.0.1"
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
LEAVING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class GroupKind:
    """Which ranks are asked for. `meeting` is where those that are started elsewhere come to, of this host."""

    count: int
    device: str
    timeout_seconds: float
    meeting: tuple[str, int] | None = None


class RankGroup:
    """So many ranks, this process among them, and the workspaces that they have."""

    def __init__(self, kind: GroupKind) -> None:
        self.kind, count = kind, kind.count
        self.process = os.getpid()
        self.keys = itertools.count()
        self.children: list[subprocess.Popen[bytes]] = []
        address, port = kind.meeting or (ADDRESS, 0)
        try:
            store = open_store(address, port, count, MEETING_SECONDS, keeps=True)
        except RuntimeError as error:
            raise ProblemError(f"The ranks cannot meet at {address}:{port}: {first_line(error)}.") from None
        try:
            with on_loopback() if kind.meeting is None else nullcontext():
                here = range(1, count) if kind.meeting is None else ()
                self.children += [self._start(rank, store.port) for rank in here]
                self.ranks = Ranks(store, 0, count, timeout_seconds=kind.timeout_seconds, device=kind.device)
        except BaseException:
            self._end_children()
            raise
        self.leading = Leading(self.ranks)

    def bind(self, problem: Problem, config: Config, share: str, *, clocked: bool = False) -> LedStep:
        key = next(self.keys)
        with self.leading.give(Order.BIND, key):
            deal = self.ranks.tell_object(Deal.of(problem, config, share, clocked=clocked))
            rows = hand_out(self.ranks, problem)
            return LedStep(self.leading, key, bind_share(self.ranks, deal, rows))

    def serves(self, kind: GroupKind) -> bool:
        """Whether these are the ranks asked for, and all of them are there."""
        lives = self.ranks.over is None and all(child.poll() is None for child in self.children)
        return kind == self.kind and lives and self.process == os.getpid()

    def end(self) -> None:
        """End the ranks. In a process that was forked from the one they belong to, nothing."""
        if self.process != os.getpid():
            return
        try:
            with suppress(RanksLostError), self.leading.ended():
                pass
        finally:
            self.ranks.leave()
            self._end_children()

    def _start(self, rank: int, port: int) -> subprocess.Popen[bytes]:
        """A rank that waits for orders."""
        threads = max(1, torch.get_num_threads() // self.kind.count)
        environment = {
            **os.environ,
            **dict.fromkeys(POOLS, str(threads)),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONSAFEPATH": "1",
        }
        if self.kind.device == "cuda":
            environment["CUDA_VISIBLE_DEVICES"] = visible_gpu(rank)
        kind = self.kind
        arguments = (ADDRESS, str(port), str(rank), str(kind.count), kind.device, str(kind.timeout_seconds))
        return subprocess.Popen([sys.executable, PROGRAM, *arguments], env=environment, stdin=subprocess.PIPE)

    def _end_children(self) -> None:
        """Let those that were told end by themselves; kill the rest."""
        for child in self.children:
            assert child.stdin is not None
            child.stdin.close()
        for child in self.children:
            try:
                child.wait(LEAVING_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def visible_gpu(rank: int) -> str:
    """The name of the GPU that has this number among those that this process sees."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return listed.split(",")[rank] if listed else str(rank)


_group: RankGroup | None = None


def group_of(kind: GroupKind) -> RankGroup:
    """The ranks of this process: those that are there, or new ones in their place.

    A process has one group: workspaces of another number of ranks end with theirs. Raises `ProblemError` for a number
    of ranks that cannot be.
    """
    global _group  # noqa: PLW0603 - as a pool of threads, it is the process's
    if kind.count < 1:
        raise ProblemError(f"ranks is {kind.count}; there must be at least 1.")
    if kind.device == "cuda" and kind.meeting is None and kind.count > torch.cuda.device_count():
        gpus = torch.cuda.device_count()
        raise ProblemError(f"ranks is {kind.count}; this machine has {gpus} GPUs, one for each rank.")
    if _group is None or not _group.serves(kind):
        end_group()
        _group = RankGroup(kind)
    return _group


@atexit.register
def end_group() -> None:
    """End the ranks that there are."""
    global _group
    ending, _group = _group, None
    if ending is not None:
        ending.end()
