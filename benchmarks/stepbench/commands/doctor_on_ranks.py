"""doctor, on ranks: whether they can meet and talk, and if not, what to do."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import typer

from stepbench.commands.terminal import errors, say
from stepbench.commands.train_on_ranks import require_world
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

    from stepbench.machine.round_trips import Talk

FAILED = 1
FIREWALL = "gloo connects each rank with each other, at ports of its choosing: no firewall may be between them."


def examine(ranks: int | None, timeout: float) -> None:
    """Start ranks as `train` does, or be one of them. Raises `ProblemError` where they do not meet."""
    from stepbench.machine.torchrun import is_a_rank
    from stepbench.training.sharded.launching import run_ranks
    from stepkernels.arrays.torch_ranks.ranks import require_distributed

    require_world(ranks, timeout)
    require_distributed()
    if is_a_rank():
        examine_as_rank(ranks, timeout)
        return
    assert ranks is not None
    raise typer.Exit(run_ranks(ranks, sys.argv[1:], timeout))


def examine_as_rank(asked: int | None, timeout: float) -> None:
    """The part of this rank; rank 0 tells what is found."""
    from stepbench.machine import rank_facts
    from stepbench.machine.round_trips import told_talk
    from stepbench.machine.torchrun import all_are_here, meet_store, place_and_rank

    address, port, rank, count = place_and_rank()
    if asked not in (None, count):
        raise ProblemError(f"--ranks is {asked}, and WORLD_SIZE says {count}; leave out --ranks under torchrun.")
    store, _, _ = meet_store(timeout)
    own = rank_facts.facts_here(rank, all_here=all_are_here())
    found = rank_facts.facts_of_all(store, own, count, timeout)
    apart, unlike = rank_facts.faults_of_addresses(found), rank_facts.faults_of_versions(found)
    if rank == 0:
        say(f"The {count} ranks meet at {address}:{port}.")
        for line in rank_facts.told_facts(found):
            say(line)
    talked = None if apart else talk_among(store, rank, count, timeout)
    if rank:
        return
    for line in told_talk(talked) if talked else ():
        say(line)
    for sentence in (*apart, *unlike):
        say(sentence, style="red", on=errors)
    if apart or unlike:
        raise typer.Exit(FAILED)
    say("They can train together.")


def talk_among(store: Store, rank: int, count: int, timeout: float) -> Talk:
    """Let the ranks talk by gloo. Ends this process where they cannot: torch would wait for what a lost rank owes."""
    from stepbench.machine.round_trips import talk
    from stepbench.machine.torchrun import all_are_here
    from stepkernels.arrays.torch_ranks.ranks import Ranks, RanksLostError, on_loopback

    try:
        with on_loopback() if all_are_here() else nullcontext():
            ranks = Ranks(store, rank, count, timeout_seconds=timeout, idle_seconds=timeout, meeting_seconds=timeout)
            found = talk(ranks)
            ranks.leave()
    except RanksLostError as lost:
        say(f"{lost} {FIREWALL}", style="red", on=errors)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(FAILED)
    return found
