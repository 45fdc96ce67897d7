"""Who is lost, when a step cannot be finished: every rank that is left says that it is here, in the ranks' store.

An error of the network names an address, not a rank. A rank that has ended on this machine is told at once, by its
process; one that is stopped, or on a host that cannot be reached, by its silence.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

LOOK_SECONDS = 0.05
ANSWERING_SHARE = 1.25  # of the time to wait for others: within which the store must have answered
PROCESSES = Path("/proc")
T = TypeVar("T")
STOPPED, ENDED = "is stopped", "has ended"


@dataclass(frozen=True, slots=True)
class Lost:
    """A rank that does not answer: its process where that is on this machine, else None, and what became of it."""

    rank: int
    process: int | None
    what: str

    def __str__(self) -> str:
        where = f" (process {self.process})" if self.process else ""
        return f"rank {self.rank}{where}, which {self.what}"


class RollCall:
    """The roll of the ranks, kept in their store: each writes itself down as it joins, and as it leaves."""

    def __init__(self, store: Store, rank: int, count: int) -> None:
        self.store, self.rank, self.count = store, rank, count
        self.here = this_machine()

    def join(self) -> None:
        self.store.set(f"roll/{self.rank}", f"{os.getpid()} {self.here}")

    def leave(self, refusal: str = "") -> None:
        """Say that this rank is no longer of them, but is there: nobody has to look for it.

        `refusal`: why it does no more, where that is no fault of another.
        """
        self.store.set(f"here/{self.rank}", refusal)

    def wait_for_all(self, most: timedelta) -> None:
        """Return when every rank is on the roll. Raises `RuntimeError` where one does not come in time."""
        self.store.wait([f"roll/{rank}" for rank in range(self.count)], most)

    def lost(self, wait_seconds: float) -> list[Lost]:
        """The ranks that have not left within the time; those whose processes are known to be gone, without waiting.

        Raises `RuntimeError` where the store itself is gone, or on a host that cannot be reached.
        """
        return within(ANSWERING_SHARE * wait_seconds, lambda: self._lost(wait_seconds))

    def refusal(self, wait_seconds: float) -> tuple[int, str] | None:
        """The first rank that does no more, and why, of ranks that all have left. Raises `RuntimeError` as `lost`."""
        told = within(wait_seconds, lambda: [self.store.get(f"here/{rank}").decode() for rank in range(self.count)])
        return next(((rank, why) for rank, why in enumerate(told) if why), None)

    def _lost(self, wait_seconds: float) -> list[Lost]:
        ends = time.monotonic() + wait_seconds
        while True:
            silent = [rank for rank in range(self.count) if not self.store.check([f"here/{rank}"])]
            found = [self._found(rank) for rank in silent]
            gone = [each for each in found if each.what == ENDED]
            if gone or not silent:
                return gone
            if time.monotonic() > ends:
                return [each for each in found if each.what == STOPPED] or found
            time.sleep(LOOK_SECONDS)

    def _found(self, rank: int) -> Lost:
        """What is known of a rank that has said nothing yet."""
        if not self.store.check([f"roll/{rank}"]):
            return Lost(rank, None, "never came")
        process, machine = self.store.get(f"roll/{rank}").decode().split(" ", 1)
        if machine != self.here:
            return Lost(rank, None, "does not answer, on another host")
        return Lost(rank, int(process), what_became_of(int(process)) or "does not answer")


def within(seconds: float, action: Callable[[], T]) -> T:
    """What the action returns or raises. Raises `RuntimeError` where it takes longer, and leaves it to itself.

    torch waits for the answer of a store as long as TCP does: on a host that is out of reach, a quarter of an hour.
    """
    found: list[T] = []
    raised: list[Exception] = []

    def act() -> None:
        try:
            found.append(action())
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not found:
        raise RuntimeError(f"the store of the ranks does not answer within {seconds:g} s")
    return found[0]


def this_machine() -> str:
    """A name for this system and its numbers of processes: the same for two ranks only if they can see each other."""
    with suppress(OSError):
        boot = (PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(PROCESSES / 'self/ns/pid').readlink()}"
    return os.uname().nodename


def what_became_of(process: int) -> str | None:
    """That it "has ended" or "is stopped"; None for a process that goes on."""
    if (PROCESSES / "self").exists():
        try:
            state = (PROCESSES / str(process) / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return ENDED
        return {"Z": ENDED, "X": ENDED, "T": STOPPED, "t": STOPPED}.get(state)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return ENDED
    except PermissionError:
        pass
    return None
