"""train, on ranks: either starts them, or is one of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from stepbench.commands.places import folder_given, require_writable_folder
from stepbench.commands.terminal import console, errors, say
from stepbench.commands.training_options import Options, require_places, settings_of, tell
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from stepbench.training.model_file import Model
    from stepkernels.arrays.torch_ranks.ranks import Ranks

MOST_RANKS = 1024  # on one machine
ARROW_MEMORY = ("ARROW_DEFAULT_MEMORY_POOL", "system")  # as it is needed, not 1 GiB at first; read as Arrow is loaded


def train(asked: Options) -> None:
    """Start the ranks that --ranks asks for, or take this rank's part. Raises `ProblemError` as `train` does."""
    os.environ.setdefault(*ARROW_MEMORY)
    from stepbench.machine.torchrun import is_a_rank
    from stepbench.training.outputs import default_model

    model = asked.out or default_model(asked.data)
    require_world(asked.ranks, asked.timeout)
    if is_a_rank():
        take_part(asked, model)
        return
    from stepbench.training.sharded.launching import run_ranks

    assert asked.ranks is not None
    require_startable(asked, model)
    raise typer.Exit(run_ranks(asked.ranks, sys.argv[1:], asked.timeout))


def require_world(ranks: int | None, timeout: float) -> None:
    """Raise `ProblemError` for a number of ranks, or a time, that cannot be."""
    from stepbench.run.choices import require_seconds

    require_seconds(timeout, None)
    if ranks is not None and not 1 <= ranks <= MOST_RANKS:
        raise ProblemError(f"--ranks is {ranks}; it must be from 1 to {MOST_RANKS:,}.")


def require_startable(asked: Options, model: Path) -> None:
    """Raise `ProblemError` for what can be refused before any rank is started."""
    from stepbench.training.sharded.checkpoints import Going, require_going
    from stepbench.training.sharded.sharded_fit import require_shareable, settings_told
    from stepkernels.arrays.torch_ranks.ranks import require_distributed

    require_distributed()
    require_places(asked, model)
    folder = folder_given("--checkpoint", asked.checkpoint)
    if folder is not None:
        require_writable_folder(folder)
    require_shareable(wanted := settings_of(asked))
    require_going(Going(checkpoint=folder, resume=asked.resume), settings_told(wanted))


def take_part(asked: Options, model: Path) -> None:
    """The part of this rank: rank 0 shows the progress, writes the model and tells what it is worth."""
    from stepbench.run.stopping import Stopped
    from stepbench.training.sharded.world import end_stopped, hear_no_more, join, lost_now
    from stepkernels.arrays.torch_ranks.ranks import RanksLostError

    count = int(os.environ["WORLD_SIZE"]) if os.environ["WORLD_SIZE"].isdigit() else 0
    if asked.ranks not in (None, count):
        raise ProblemError(f"--ranks is {asked.ranks}, and WORLD_SIZE says {count}; leave out --ranks under torchrun.")
    ranks = join(asked.timeout)
    told: RanksLostError | None = None
    try:
        try:
            train_as_rank(asked, model, ranks)
        except RanksLostError as lost:
            told = lost
            hear_no_more()
        except ProblemError as refused:
            hear_no_more()  # the launcher ends all ranks when one has ended: each says first why
            ranks.leave("the training was refused", str(refused))  # before torch's threads go with the interpreter
            raise
        else:
            ranks.leave()
            return
    except Stopped:  # by the launcher, which ends all ranks when one has ended, in the middle of finding that out
        hear_no_more()
        told = told or lost_now(ranks)
        if told is None:
            raise
    end_stopped(told.lost)
    say(str(told), style="red", on=errors)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)  # torch would wait for what the lost rank owes; there is nothing left here to be done


def train_as_rank(asked: Options, model: Path, ranks: Ranks) -> None:
    from stepbench.cases.free_memory import memory_in_sentences
    from stepbench.training import outputs
    from stepbench.training.sharded.checkpoints import Going
    from stepbench.training.sharded.sharded_fit import train_on_ranks
    from stepbench.training.sharded.world import decided

    leads = ranks.rank == 0
    folder = folder_given("--checkpoint", asked.checkpoint)

    def require_all_places() -> None:
        require_places(asked, model)
        if folder is not None:
            require_writable_folder(folder)

    decided(ranks, require_all_places)
    going = Going(checkpoint=folder, resume=asked.resume)
    kept: list[Path] = []

    def keep(found: Model) -> None:
        found.save(model)
        kept.append(model)

    try:
        with outputs.live_cost(console) if leads else outputs.no_cost() as report, memory_in_sentences(asked.data):
            trained = train_on_ranks(asked.data, settings_of(asked), going, ranks, report, keep)
    except BaseException:
        if kept:
            say(f"The model was written before it could be scored: {model}.", on=errors)
        raise
    if trained is not None:
        tell(trained, asked, [*kept, *outputs.write_figures(trained, model)])
