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
        str, typer.Option(help="What computes (see `stepbench list`); auto: the fastest on the CPU.")
    ] = "auto",
    optimizer: Annotated[str, typer.Option(help="lbfgs, gd or adam.")] = "lbfgs",
    steps: Annotated[
        int | None, typer.Option(help="At most so many, by default 1000. With batches: epochs, 100, or 10 on disk.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of gd (default: just under 1/L) and adam (default: 0.001).")
    ] = None,
    l2: Annotated[float, typer.Option(help="Strength of the penalty: l2/2·‖w‖² is added to the mean loss.")] = 1e-3,
    tol: Annotated[float, typer.Option(help="Done when no element of the gradient is larger.")] = 1e-4,
    batch_size: Annotated[int | None, typer.Option(help="Rows a step of gd or adam looks at. Default: all.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64. Default: the data's own.")] = None,
    held_out: Annotated[float, typer.Option(help="Share of the rows kept aside to score the model.")] = 0.25,
    standardize: Annotated[bool, typer.Option(help="Columns to zero mean and unit variance.")] = True,
    on_disk: Annotated[
        bool | None,
        typer.Option(
            "--on-disk/--in-memory", help="Read an .npy file in blocks. Default: if it fills half the memory."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the rows held out and the order of batches.")] = 0,
    out: Annotated[Path | None, typer.Option(help="The model, .npz; its figures go beside it.")] = None,
    force: Force = False,
) -> None:
    """Train a classifier: a model, its cost curve and ROC curve, and its score on rows held out."""
    from stepbench import training, training_view

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
    model: Annotated[Path, typer.Argument(help="A model that `stepbench train` wrote.")],
    data: Data,
    out: Annotated[Path | None, typer.Option(help="Write the predictions here. Default: standard output.")] = None,
    force: Force = False,
) -> None:
    """Classes and probabilities of the rows of a table, as CSV; a score too where the table has the labels."""
    from stepbench import training, training_view
    from stepreports.files import write_whole

    if out is not None:
        training_view.require_absent([out], force=force)
    predictions = training.predict(model, data)
    if out is None:
        sys.stdout.write(predictions.to_csv())
    else:
        write_whole(out, predictions.to_csv())
    if predictions.score is not None:  # not on standard output, which is CSV
        errors.print(training_view.score_line(predictions.score), highlight=False, markup=False, soft_wrap=True)


@sentences
def learn(
    language: Annotated[str, typer.Option("--lang", help="en (English) or zh (Simplified Chinese).")] = "en",
    out: Annotated[Path | None, typer.Option(help="The page. Default: stepbench-lesson-<lang>.html.")] = None,
) -> None:
    """Write the lesson: the step derived, drawn and taken apart on one page, with what it costs on this machine."""
    from stepbench import lesson

    path = lesson.write_lesson(out or Path(f"stepbench-lesson-{language}.html"), language, progress_bar)
    console.print(f"Lesson: {path}", soft_wrap=True)
