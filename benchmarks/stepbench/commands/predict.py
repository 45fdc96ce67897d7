"""predict: the classes of the rows of a table, by a trained model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.options import Data, Force
from stepbench.commands.terminal import errors, say, sentences


@sentences
def predict(
    model: Annotated[Path, typer.Argument(help="A file that `stepbench train` wrote.", metavar="MODEL")],
    data: Data,
    out: Annotated[Path | None, typer.Option(help="Write the predictions here. Default: standard output.")] = None,
    force: Force = False,
) -> None:
    """Predict the class of each row of a table, and the probability of the second class, as CSV.

    DATA needs the columns that MODEL was trained on, by name, in any order.

    Where it holds the classes too, standard error says how many were predicted right.
    """
    from stepbench.training import outputs, predicting

    if out is not None:
        outputs.require_absent([out], force=force)
    predictions = predicting.predict(model, data)
    if out is None:
        sys.stdout.write(predictions.to_csv())
    else:
        outputs.write_predictions(predictions, out)
    for line in outputs.prediction_lines(predictions):  # not on standard output, which is CSV
        say(line, on=errors)
