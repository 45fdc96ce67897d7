"""A row's own process: `python -m stepbench.worker FD THREADS`, started by the runner.

It pins itself to the thread budget before any library loads, loads its row, and runs the suite under pytest at the
runner's turnstile, over the socket that is file descriptor FD.
"""

from __future__ import annotations

import gc
import socket
import sys
import time
from dataclasses import fields
from typing import TYPE_CHECKING

from stepbench.machine.threads import pin_to_budget

if TYPE_CHECKING:
    from stepkernels.interface import Implementation


def main(descriptor: int, threads: int) -> int:
    pin_to_budget(threads)
    # Only now: a library sizes its pools when it is loaded.
    from stepbench.worker.channel import Channel
    from stepbench.worker.messages import Started
    from stepbench.worker.runner_turnstile import RunnerTurnstile
    from stepkernels.interface import Implementation

    turnstile = RunnerTurnstile(Channel(socket.socket(fileno=descriptor)))
    orders = turnstile.orders()
    known = {each.name for each in fields(Implementation)}  # another version's may have fewer
    row = Implementation.from_json({name: value for name, value in orders.row.items() if name in known})
    try:
        seconds = import_seconds(row)
    except BaseException as error:
        turnstile.failed("error", f"could not be loaded: {type(error).__name__}: {error}")
        return 1
    import pytest

    from stepbench.worker.suite import FOLDER
    from stepbench.worker.suite.plugin import SuitePlugin
    from stepkernels.probe import library_version

    gc.collect()
    gc.freeze()  # libraries stay: the collector, which goes through everything before each case, need not see them
    turnstile.answer(Started(import_seconds=seconds, library_version=library_version(row.library)))
    plugin = SuitePlugin([(row, case) for case in orders.cases], turnstile)
    return int(pytest.main([str(FOLDER), "-q", "--no-header", "--no-summary"], plugins=[plugin]))


def import_seconds(row: Implementation) -> float:
    """Import the row's module and library, and tell how long that took."""
    start = time.perf_counter()
    row.load()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
