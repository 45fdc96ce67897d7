"""Two hosts: network namespaces of this machine, joined by a virtual cable. Whoever is root can make them on Linux.

They are two networks, each with a loopback address of its own, and one machine in all else: the same files, processes
and host name.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from stepbench.machine.child_processes import DIES_WITH_PARENT

INTERFACE = "veth0"
PORT = 29511  # nobody has it in a network of its own
Meeting = Callable[[tuple["Host", "Host"], int], list[object]]
ENDING_SECONDS = 40.0  # for processes that have said all they had to say, on a machine that has other things to do


class NoNamespacesError(RuntimeError):
    """Why no network namespaces can be made here."""


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace, and the address of its end of the cable."""

    namespace: str
    address: str

    def cable(self, state: str) -> None:
        """Set its end "up" or "down"."""
        ip("-n", self.namespace, "link", "set", INTERFACE, state)


def ip(*arguments: str) -> None:
    try:
        subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True, timeout=20)
    except FileNotFoundError:
        raise NoNamespacesError("there is no program ip (iproute2)") from None
    except subprocess.CalledProcessError as error:
        raise NoNamespacesError(f"ip {' '.join(arguments)}: {error.stderr.strip()}") from None


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Raises `NoNamespacesError` where they cannot be made."""
    hosts = tuple(Host(f"stepbench-{os.getpid()}-{k}", f"10.77.0.{k}") for k in (1, 2))
    first, second = hosts
    try:
        for host in hosts:
            ip("netns", "add", host.namespace)
        ip("link", "add", INTERFACE, "netns", first.namespace, "type", "veth",
           "peer", "name", INTERFACE, "netns", second.namespace)  # fmt: skip
        for host in hosts:
            ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", INTERFACE)
            ip("-n", host.namespace, "link", "set", "lo", "up")
            host.cable("up")
        yield first, second
    finally:
        for host in hosts:
            with suppress(NoNamespacesError):
                ip("netns", "delete", host.namespace)


class Launched:
    """torchrun on one of the hosts, which starts one rank there. The first keeps the meeting place."""

    def __init__(
        self, hosts: tuple[Host, Host], number: int, meeting: Sequence[object], *arguments: object, **variables: str
    ) -> None:
        command = [
            sys.executable, "-m", DIES_WITH_PARENT, os.getpid(), "program", "ip", "netns", "exec",
            hosts[number].namespace, sys.executable, "-m", "torch.distributed.run", "--nnodes", 2,
            "--nproc-per-node", 1, "--max-restarts", 0, *meeting, "-m", "stepbench", *arguments,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            list(map(str, command)), env={**os.environ, **variables}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def rank(self) -> psutil.Process:
        """The process that it has started, once it is there."""
        ends = time.monotonic() + ENDING_SECONDS
        while time.monotonic() < ends:
            with suppress(psutil.NoSuchProcess, StopIteration):
                below = psutil.Process(self.process.pid).children(recursive=True)
                return next(each for each in below if "RANK" in each.environ() and "stepbench" in each.cmdline())
            time.sleep(0.1)
        raise AssertionError(f"torchrun has started no rank: {self.end()}")

    def told(self, within: float) -> tuple[str, str]:
        """What it and its rank have said, on standard output and in errors, when both have ended by themselves."""
        return self.process.communicate(timeout=within + ENDING_SECONDS)

    def end(self) -> tuple[str, str]:
        """Kill it and its rank. What they have said."""
        with suppress(psutil.NoSuchProcess):
            for each in psutil.Process(self.process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(ValueError):  # of pipes that were read to their ends
            return self.process.communicate(timeout=ENDING_SECONDS)
        return "", ""


def by_rendezvous(hosts: tuple[Host, Host], number: int) -> list[object]:
    """How torchrun's own store lets the hosts find one another, and numbers them."""
    first, own = hosts[0].address, hosts[number].address
    return [
        "--rdzv-backend", "c10d", "--rdzv-id", "stepbench", "--rdzv-endpoint", f"{first}:{PORT}",
        "--rdzv-conf", f"is_host={number == 0}", "--local-addr", own,
    ]  # fmt: skip


def by_number(hosts: tuple[Host, Host], number: int) -> list[object]:
    """The hosts as whoever starts them has numbered them."""
    return ["--node-rank", number, "--master-addr", hosts[0].address, "--master-port", PORT]


@contextmanager
def launched(
    hosts: tuple[Host, Host], *arguments: object, meeting: Meeting = by_rendezvous, **variables: str
) -> Iterator[tuple[Launched, Launched]]:
    """The same command on both hosts; nothing of it is left."""
    first, second = (Launched(hosts, number, meeting(hosts, number), *arguments, **variables) for number in range(2))
    try:
        yield first, second
    finally:
        first.end()
        second.end()


def has_ended(process: psutil.Process) -> bool:
    """Whether it is gone, or is kept by nobody but its parent."""
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True
