"""Ranks on this machine, started as torchrun starts them: `python -m …launching RANKS ARGUMENT…`.

A process of its own, which torch's launcher takes over with its signals. The ranks are `python -m stepbench` with the
arguments; when one fails the launcher ends the others, and this process ends with the status of the first.
"""

from __future__ import annotations

import logging
import math
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from stepbench.machine.child_processes import ChildProcess, module
from stepbench.machine.children import environment_of_child
from stepbench.machine.threads import default_budget

FAILED, USAGE = 1, 2


def run_ranks(count: int, arguments: Sequence[str], timeout_seconds: float) -> int:
    """Run this command on so many ranks; the exit status. Nothing that was started is left behind.

    When one has ended, the others have the time to find that out by themselves and say so.
    """
    threads = str(max(1, default_budget() // count))
    environment = environment_of_child(
        {
            "OMP_NUM_THREADS": threads,
            "NUMBA_NUM_THREADS": threads,
            "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": str(math.ceil(timeout_seconds)),
        }
    )
    command = module(__name__, str(count), *arguments)
    with ChildProcess(command, environment, stdout=sys.stdout.fileno(), stderr=sys.stderr.fileno()) as launcher:
        return launcher.wait()


def main(count: str, *arguments: str) -> int:
    """Start the ranks and wait for them."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)  # it tells of failures what the ranks tell better
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=int(count),
        run_id="stepbench",
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "stepbench", *arguments)
    except ChildFailedError as failed:
        return status_of(failed.failures)
    return 0


def status_of(failures: Mapping[int, Any]) -> int:
    """2 where a rank refused its input, else 1; ranks that a signal has ended are told, in case no other is left."""
    statuses = {rank: int(failure.exitcode) for rank, failure in sorted(failures.items())}
    for rank, status in statuses.items():
        if status < 0 and -status != signal.SIGTERM:
            sys.stderr.write(f"Rank {rank} was ended by {signal.Signals(-status).name}.\n")
    return USAGE if USAGE in statuses.values() else FAILED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
