"""Ends what a run started when the run itself was killed: `python guardian.py DESCRIPTOR MARK`.

It is started with the first child process and ended with the last.

A child process of ours dies with its parent, but what a kernel has started does not, wherever it has gone since. It
can be told by its environment: everything below us carries a mark. The guardian watches a socket whose other end only
the runner holds. Once that end is closed, by whatever ended the runner, it kills all that carries the mark.

While rows are timed it is stopped like everybody else. On Linux the system continues it when the runner dies, and it
finds the socket closed; elsewhere it is not stopped, and sleeps on the socket. It imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
PROCESSES = Path("/proc")
ROUNDS, ROUND_SECONDS = 100, 0.02  # until nobody is found twice: a process may be starting another as it is killed


def main(descriptor: int, mark: str) -> None:
    """Watch, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)
    with socket.socket(fileno=descriptor) as watched, contextlib.suppress(OSError):
        watched.send(b"w")  # from here on it may be stopped
        while watched.recv(1):
            pass
    end_all(mark)


def end_all(mark: str) -> None:
    """Kill every process with the mark, until twice in a row there is none."""
    quiet = 0
    for _ in range(ROUNDS):
        found = list(marked(mark))
        for process in found:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        quiet = 0 if found else quiet + 1
        if quiet == 2:
            return
        time.sleep(ROUND_SECONDS)


def marked(mark: str) -> Iterator[int]:
    """The processes whose environment has the mark."""
    return _by_files(mark) if (PROCESSES / "self/environ").exists() else _by_psutil(mark)


def _by_files(mark: str) -> Iterator[int]:
    for entry in PROCESSES.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes():
                    yield int(entry.name)


def _by_psutil(mark: str) -> Iterator[int]:
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if any(mark in f"{name}={value}" for name, value in process.environ().items()):
                yield process.pid


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
