"""train, predict and learn: models from the rows, and the lesson."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.options import Data, Force, Target
from stepbench.commands.terminal import console, errors, progress_bar, sentences


@sentences
def train(
    data: Data,
    target: Target = None,
    row: Annotated[
        str, typer.Option(help="The implementation that computes (see `stepbench list`); auto: the fastest on the CPU.")
    ] = "auto",
    optimizer: Annotated[str, typer.Option(help="lbfgs (the soonest at the optimum), gd or adam.")] = "lbfgs",
    steps: Annotated[
        int | None,
        typer.Option(help="Stop after so many. Default: 1000; with --batch-size, 100 epochs; on disk, 10 epochs."),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Of gd (default: the largest with which the cost is sure to fall) or adam (default: 0.001)."),
    ] = None,
    l2: Annotated[float, typer.Option(help="Penalty on large weights: l2/2·‖w‖² is added to the mean loss.")] = 1e-3,
    tol: Annotated[float, typer.Option(help="Stop when no element of the gradient is larger.")] = 1e-4,
    batch_size: Annotated[int | None, typer.Option(help="Rows in each step of gd or adam. Default: all.")] = None,
    dtype: Annotated[str | None, typer.Option(help="Compute in float32 or float64. Default: as the data are.")] = None,
    held_out: Annotated[
        float, typer.Option(help="Share of the rows that are not learned from, but kept to score the model.")
    ] = 0.25,
    standardize: Annotated[bool, typer.Option(help="First bring every column to zero mean and unit variance.")] = True,
    on_disk: Annotated[
        bool | None,
        typer.Option(
            "--on-disk/--in-memory",
            help="Leave an .npy file on disk and learn from a block of rows at a time, with gd or adam. "
            "Default: if it would fill half the free memory.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides which rows are held out, and the order of batches.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="The model's file. Default: DATA-model.npz in this folder. The two figures go beside it."),
    ] = None,
    force: Force = False,
) -> None:
    """Train a classifier (logistic regression) to tell two classes apart.

    Writes the model, figures of its cost and its ROC curve, and says how well it does on rows held out.

    DATA is a table of numbers with one more column, the target, that holds two classes.

    The columns of an .npy file are called 0, 1, 2, …; an .npz file holds X, and y beside it.
    """
    from stepbench.training.fitting import fitting as training
    from stepbench.training.fitting import outputs as training_view

    model = out or training_view.default_model(data)
    training_view.require_absent(list(training_view.files_of(model).values()), force=force)
    wanted = training.Training(
        target=target, row=row, optimizer=optimizer, steps=steps, learning_rate=learning_rate, l2=l2, tol=tol,
        batch_size=batch_size, dtype=dtype, held_out=held_out, standardize=standardize, on_disk=on_disk, seed=seed,
    )  # fmt: skip
    with training_view.live_cost(console) as report:
        trained = training.train(data, wanted, report)
    written = training_view.write_files(trained, model)
    for line in [*training_view.training_lines(trained), f"Written: {', '.join(map(str, written))}"]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


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
    from stepbench.training.fitting import fitting as training
    from stepbench.training.fitting import outputs as training_view

    if out is not None:
        training_view.require_absent([out], force=force)
    predictions = training.predict(model, data)
    if out is None:
        sys.stdout.write(predictions.to_csv())
    else:
        training_view.write_predictions(predictions, out)
    for line in training_view.prediction_lines(predictions):  # not on standard output, which is CSV
        errors.print(line, highlight=False, markup=False, soft_wrap=True)


@sentences
def learn(
    language: Annotated[str, typer.Option("--lang", help="en (English) or zh (Simplified Chinese).")] = "en",
    out: Annotated[Path | None, typer.Option(help="The page. Default: stepbench-lesson-<lang>.html.")] = None,
) -> None:
    """Write the lesson: the step derived, drawn and taken apart on one page, with what it costs on this machine."""
    from stepbench import lesson

    path = lesson.write_lesson(out or Path(f"stepbench-lesson-{language}.html"), language, progress_bar)
    console.print(f"Lesson: {path}", soft_wrap=True)
