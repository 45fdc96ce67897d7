"""train: a classifier from a table, and what it is worth."""

from __future__ import annotations

from stepbench.commands.terminal import console, options_of, sentences
from stepbench.commands.training_options import (
    Options,
    require_one_process,
    require_places,
    settings_of,
    tell,
)


@options_of(Options)
@sentences
def train(asked: Options) -> None:
    """Train a classifier (logistic regression) to tell two classes apart.

    Writes the model, figures of its cost and its ROC curve, and says how well it does on rows held out.

    DATA is a table of numbers with one more column, the target, that holds two classes.

    The columns of an .npy file are called 0, 1, 2, …; an .npz file holds X, and y beside it, which is the target.

    The classes of a .csv are its text as written: 01 and 1 are two, and None is one.
    """
    from stepbench.machine.torchrun import is_a_rank

    if asked.ranks is not None or is_a_rank():
        from stepbench.commands import train_on_ranks

        train_on_ranks.train(asked)
        return
    from stepbench.cases.free_memory import memory_in_sentences
    from stepbench.training import fitting, outputs

    model = asked.out or outputs.default_model(asked.data)
    require_one_process(asked)
    require_places(asked, model)
    with outputs.live_cost(console) as report, memory_in_sentences(asked.data):
        trained = fitting.train(asked.data, settings_of(asked), report)
    tell(trained, asked, outputs.write_files(trained, model))
