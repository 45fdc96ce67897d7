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
from contextlib import suppress

import torch

from stepkernels.arrays.torch_ranks.orders import Leading, LedStep, Order
from stepkernels.arrays.torch_ranks.ranks import MEETING_SECONDS, Ranks, RanksLostError, on_loopback, open_store
from stepkernels.problem import Config, Problem, ProblemError
from stepkernels.rows.torch_distributed.dealing import Deal, bind_share, hand_out
from stepkernels.rows.torch_distributed.rank_process import PROGRAM

ADDRESS = "127.0.0.1"
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
LEAVING_SECONDS = 5.0


class RankGroup:
    """So many ranks, this process among them, and the workspaces that they have."""

    def __init__(self, count: int, device: str, timeout_seconds: float) -> None:
        self.count, self.device, self.timeout_seconds = count, device, timeout_seconds
        self.process = os.getpid()
        self.keys = itertools.count()
        self.children: list[subprocess.Popen[bytes]] = []
        store = open_store(ADDRESS, 0, count, MEETING_SECONDS, keeps=True)
        try:
            with on_loopback():
                self.children += [self._start(rank, store.port) for rank in range(1, count)]
                self.ranks = Ranks(store, 0, count, timeout_seconds=timeout_seconds, device=device)
        except BaseException:
            self._end_children()
            raise
        self.leading = Leading(self.ranks)

    def bind(self, problem: Problem, config: Config, share: str) -> LedStep:
        key = next(self.keys)
        with self.leading.give(Order.BIND, key):
            deal = self.ranks.tell_object(Deal.of(problem, config, share))
            rows = hand_out(self.ranks, problem)
            return LedStep(self.leading, key, bind_share(self.ranks, deal, rows))

    def serves(self, count: int, device: str, timeout_seconds: float) -> bool:
        """Whether these are the ranks asked for, and all of them are there."""
        asked = (count, device, timeout_seconds) == (self.count, self.device, self.timeout_seconds)
        lives = self.ranks.over is None and all(child.poll() is None for child in self.children)
        return asked and lives and self.process == os.getpid()

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
        threads = max(1, torch.get_num_threads() // self.count)
        environment = {
            **os.environ,
            **dict.fromkeys(POOLS, str(threads)),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONSAFEPATH": "1",
        }
        if self.device == "cuda":
            environment["CUDA_VISIBLE_DEVICES"] = visible_gpu(rank)
        arguments = (ADDRESS, str(port), str(rank), str(self.count), self.device, str(self.timeout_seconds))
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


def group_of(count: int, device: str, timeout_seconds: float) -> RankGroup:
    """The ranks of this process: those that are there, or new ones in their place.

    A process has one group: workspaces of another number of ranks end with theirs. Raises `ProblemError` for a number
    of ranks that cannot be.
    """
    global _group  # noqa: PLW0603 - as a pool of threads, it is the process's
    if count < 1:
        raise ProblemError(f"ranks is {count}; there must be at least 1.")
    if device == "cuda" and count > torch.cuda.device_count():
        raise ProblemError(f"ranks is {count}; this machine has {torch.cuda.device_count()} GPUs, one for each rank.")
    if _group is None or not _group.serves(count, device, timeout_seconds):
        end_group()
        _group = RankGroup(count, device, timeout_seconds)
    return _group


@atexit.register
def end_group() -> None:
    """End the ranks that there are."""
    global _group
    ending, _group = _group, None
    if ending is not None:
        ending.end()
