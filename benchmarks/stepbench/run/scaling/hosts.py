"""Several hosts from one command: torchrun here, as the first of them, and on each of the others by ssh.

A file names them, the first of them this one, by an address that the others reach it at. Nothing of the network is
ours: `ssh`, or what is given in its place and takes a line for a shell as its last argument, starts torchrun there,
and torchrun does the rest.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from stepbench.machine.child_processes import ChildProcess, program
from stepbench.machine.children import environment_of_child
from stepbench.run.scaling.far_ranks import free_port
from stepkernels.problem import ProblemError

HOST = "{host}"
PASSED_ON = ("GLOO_SOCKET_IFNAME", "PYTHONPATH")  # ssh passes none on
MOST_SLOTS = 1024


class HostLine(NamedTuple):
    """A host, and how many ranks it takes."""

    address: str
    slots: int


def hosts_of(path: Path) -> list[HostLine]:
    """The hosts in a file, `ADDRESS [RANKS]` a line; a # begins a comment. Raises `ProblemError`."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ProblemError(f"The hosts in {path} cannot be read: {reason}.") from None
    found = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        slots = words[1] if len(words) > 1 else "1"
        if len(words) > 2 or words[0].startswith("-") or not (slots.isdecimal() and 1 <= int(slots) <= MOST_SLOTS):
            raise ProblemError(
                f"Line {number} of {path} is {line.strip()!r:.60}; write a host and its number of ranks."
            )
        found.append(HostLine(words[0], int(slots)))
    if len({host.address for host in found}) < max(2, len(found)):
        raise ProblemError(f"{path} must name two hosts or more, each once, the first of them this one.")
    return found


def run_on_hosts(hosts: Sequence[HostLine], start: str, arguments: Sequence[str]) -> int:
    """Run a command of ours on all hosts; the exit status of the first. Raises `ProblemError` for a useless `start`."""
    if HOST not in start:
        raise ProblemError(f"--by is {start!r:.80}; it must have {HOST} where the host belongs, as in ssh {HOST}.")
    port = free_port(hosts[0].address)
    with ExitStack() as started:
        first, *_ = [
            started.enter_context(_launched(number, hosts, port, start, arguments)) for number in range(len(hosts))
        ]
        return first.wait()


def _launched(number: int, hosts: Sequence[HostLine], port: int, start: str, arguments: Sequence[str]) -> ChildProcess:
    """Torchrun on one of the hosts."""
    there = hosts[number]
    command = [
        sys.executable, "-m", "torch.distributed.run",
        "--nnodes", str(len(hosts)), "--node-rank", str(number), "--nproc-per-node", str(there.slots),
        "--master-addr", hosts[0].address, "--master-port", str(port),
        "-m", "stepbench", *arguments,
    ]  # fmt: skip
    if number:
        variables = [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
        line = f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(['env', *variables, *command])}"
        command = [*(word.replace(HOST, there.address) for word in shlex.split(start)), line]
    return ChildProcess(
        program(*command), environment_of_child(), stdout=sys.stdout.fileno(), stderr=sys.stderr.fileno()
    )
