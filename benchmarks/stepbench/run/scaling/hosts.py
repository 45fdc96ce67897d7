"""Several hosts from one command: torchrun here, as the first of them, and on each of the others by ssh.

A file names them, the first of them this one, by an address that the others reach it at. Nothing of the network is
ours: `ssh`, or what is given in its place and takes a line for a shell as its last argument, starts torchrun there,
and torchrun does the rest.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, Self

from stepbench.machine.child_processes import ChildProcess, program
from stepbench.machine.children import environment_of_child
from stepbench.run.scaling.far_ranks import free_port
from stepkernels.problem import ProblemError

HOST = "{host}"
PASSED_ON = ("GLOO_SOCKET_IFNAME", "PYTHONPATH")  # ssh passes none on
MOST_SLOTS = 1024
LOOK_SECONDS = 0.2  # between two looks whether a command has ended
ENDING_SECONDS = 3.0  # for the first host to end by itself, and say why, when another has
REMEMBERED = 100  # lines
TORCHRUN = "torch/distributed/elastic/"  # in the first line of what torchrun tells of ranks that failed


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
        address = not words[0].startswith("-") and words[0].isprintable()
        if len(words) > 2 or not address or not (slots.isdecimal() and 1 <= int(slots) <= MOST_SLOTS):
            raise ProblemError(
                f"Line {number} of {path} is {line.strip()!r:.60}; write a host and its number of ranks."
            )
        found.append(HostLine(words[0], int(slots)))
    if len({host.address for host in found}) < max(2, len(found)):
        raise ProblemError(f"{path} must name two hosts or more, each once, the first of them this one.")
    return found


def run_on_hosts(hosts: Sequence[HostLine], start: str, arguments: Sequence[str]) -> int:
    """Run a command of ours on all hosts; the exit status of the first, which says what became of it.

    Raises `ProblemError` for a useless `start`, and for a host whose command failed, where the others were ended.
    """
    reach = [command_that_reaches(host.address, start) for host in hosts[1:]]
    port = free_port(hosts[0].address)
    with ExitStack() as started:
        first = started.enter_context(_launched(_torchrun(0, hosts, port, arguments), sys.stderr.fileno()))
        others = {
            host.address: started.enter_context(Listened([*command, _line(_torchrun(number, hosts, port, arguments))]))
            for number, (host, command) in enumerate(zip(hosts[1:], reach, strict=True), 1)
        }
        while first.alive:
            for address, other in others.items():
                if not other.child.alive and other.child.returncode:
                    return _first_or_lost(first, address, other)
            time.sleep(LOOK_SECONDS)
        return first.wait()


def command_that_reaches(address: str, start: str) -> list[str]:
    """The words of `start` for one host. Raises `ProblemError` where they run nothing, or do not say where."""
    told = f"--by is {start!r:.80}"
    if HOST not in start:
        raise ProblemError(f"{told}; it must have {HOST} where the host belongs, as in ssh {HOST}.")
    try:
        words = [word.replace(HOST, address) for word in shlex.split(start)]
    except ValueError as error:
        reason = str(error).rstrip(".").lower()
        raise ProblemError(f"{told}, which cannot be taken apart as a shell does ({reason}); mend it.") from None
    if not shutil.which(words[0]):
        raise ProblemError(f"{told}, and there is no program {words[0]!r:.80} here; install it, or name another.")
    return words


def _first_or_lost(first: ChildProcess, address: str, other: Listened) -> int:
    """The exit status of the first host, where it ends by itself. Raises `ProblemError` where it waits for another."""
    try:
        return first.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        raise ProblemError(
            f"On {address} the command ended with exit status {other.child.returncode}, and all others were ended. Its "
            f"last words: {other.last_words()}"
        ) from None


class Listened:
    """A command for another host, whose errors are shown here, and remembered."""

    def __init__(self, command: Sequence[str]) -> None:
        self.child = _launched(command, subprocess.PIPE)
        self.words: deque[str] = deque(maxlen=REMEMBERED)
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.end()
        self.listener.join(ENDING_SECONDS)

    def last_words(self) -> str:
        """The last line before torchrun tells what it knows of the ranks that it ended."""
        self.listener.join(ENDING_SECONDS)
        told = takewhile(lambda line: TORCHRUN not in line, self.words)
        return next(reversed([*told]), "it said nothing.")

    def _listen(self) -> None:
        """Until nobody has the other end: some leave a process behind that keeps a connection, and it."""
        errors = self.child.process.stderr
        assert errors is not None
        for line in errors:
            with suppress(OSError):  # of whoever reads no more: the other end must not wait for that
                os.write(sys.stderr.fileno(), line)
            if words := line.decode("utf-8", "replace").strip():
                self.words.append(words)


def _launched(command: Sequence[str], errors: int) -> ChildProcess:
    return ChildProcess(program(*command), environment_of_child(), stdout=sys.stdout.fileno(), stderr=errors)


def _torchrun(number: int, hosts: Sequence[HostLine], port: int, arguments: Sequence[str]) -> list[str]:
    """Torchrun for one of the hosts."""
    return [
        sys.executable, "-m", "torch.distributed.run",
        "--nnodes", str(len(hosts)), "--node-rank", str(number), "--nproc-per-node", str(hosts[number].slots),
        "--master-addr", hosts[0].address, "--master-port", str(port),
        "-m", "stepbench", *arguments,
    ]  # fmt: skip


def _line(command: Sequence[str]) -> str:
    """A command as a line for the shell of another host, in this folder, with what ssh does not pass on."""
    variables = [f"{name}={os.environ[name]}" for name in PASSED_ON if name in os.environ]
    return f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(['env', *variables, *command])}"
