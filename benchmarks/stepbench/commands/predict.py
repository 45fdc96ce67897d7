"""predict: the classes of the rows of a table, by a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.options import CountedFromZero, Data, Force, Header, KeepIndex, ZeroBased, reading_of
from stepbench.commands.places import require_absent, require_writable
from stepbench.commands.terminal import errors, options_of, say, sentences, write_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a prediction."""

    model: Annotated[Path, typer.Argument(help="A file that `stepbench train` wrote.", metavar="MODEL")]
    data: Data
    out: Annotated[Path | None, typer.Option(help="Write the predictions here. Default: standard output.")] = None
    threshold: Annotated[
        float, typer.Option(help="Take a row for the second class where its probability is above this.")
    ] = 0.5
    force: Force = False
    header: Header = None
    keep_index: KeepIndex = None
    zero_based: ZeroBased = CountedFromZero.AUTO


@options_of(Options)
@sentences
def predict(asked: Options) -> None:
    """Predict the class of each row of a table, and the probability of the second class, as CSV.

    The second class is that which `stepbench train` names second, and the predictions' header names.

    DATA needs the columns that MODEL was trained on, by name, in any order; columns without names, as many.

    It is read as the data that MODEL learned from, unless an option says otherwise.

    Where it holds the classes too, standard error says how many were predicted right.
    """
    from stepbench.cases.free_memory import memory_in_sentences
    from stepbench.training import outputs, predicting

    if asked.out is not None:
        require_writable(asked.out)
        require_absent(asked.out, force=asked.force)
    with memory_in_sentences(asked.data):
        predictions = predicting.predict(asked.model, asked.data, reading_of(asked), asked.threshold)
    if asked.out is None:
        write_data(predictions.to_csv())
    else:
        outputs.write_predictions(predictions, asked.out)
    for line in outputs.prediction_lines(predictions):  # not on standard output, which is CSV
        say(line, on=errors)
