"""A rank that follows: `python rank_process.py ADDRESS PORT RANK COUNT DEVICE SECONDS`, as `rank_group` starts it.

It does what rank 0 orders. When its standard input ends, rank 0 is gone, and it ends
without a word: whoever lives tells of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from stepkernels.arrays.torch_ranks.orders import obey
from stepkernels.arrays.torch_ranks.ranks import MEETING_SECONDS, Ranks, RanksLostError, open_store
from stepkernels.arrays.torch_ranks.sharded_step import ShardedStep
from stepkernels.problem import ProblemError
from stepkernels.rows.torch_distributed.dealing import bind_share, take

PROGRAM = __file__


def end_with_standard_input() -> None:
    """Wait for its end, and end this process in the middle of whatever it does."""
    while os.read(0, 4096):  # not by sys.stdin, whose lock would outlive the rank
        pass
    os._exit(1)


def main(address: str, port: str, rank: str, count: str, device: str, seconds: str) -> None:
    """Join the ranks, and obey."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is rank 0's business
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    timeout = float(seconds)
    try:
        store = open_store(address, int(port), int(count), MEETING_SECONDS)
    except RuntimeError:  # nobody keeps one there: rank 0 has not come, or is gone
        os._exit(1)
    try:
        ranks = Ranks(store, int(rank), int(count), timeout_seconds=timeout, device=device)
        obey(ranks, {}, lambda: told_share(ranks))
        ranks.leave()
    except (RanksLostError, ProblemError):  # of rank 0, which says what it refuses
        os._exit(1)


def told_share(ranks: Ranks) -> ShardedStep:
    """A workspace of the problem that rank 0 tells of."""
    deal = ranks.tell_object(None)
    return bind_share(ranks, deal, take(ranks, deal))


if __name__ == "__main__":
    main(*sys.argv[1:])
