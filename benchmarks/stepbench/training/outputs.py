"""What `train` and `predict` show and write: the live cost, the score in sentences, the files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from stepbench.cases.file_names import name_of_all
from stepbench.run.progress import LINE_EVERY_SECONDS
from stepbench.training.fitting import Trained
from stepbench.training.predicting import Predictions
from stepbench.training.scores import Score
from stepbench.training.worth import coefficient_lines, score_lines
from stepkernels.classifier.solution import Report
from stepreports.records.files import write_whole
from stepreports.telling.text import counted

FIGURES = ("cost", "roc")


@contextmanager
def live_cost(console: Console) -> Iterator[Report]:
    """A line that follows the cost on a terminal; elsewhere, a line now and then."""
    last_line = time.monotonic()

    def report(iteration: int, cost: float) -> None:
        nonlocal last_line
        line = f"iteration {iteration:,}: cost {cost:.6f}"
        if console.is_terminal:
            status.update(line)
        elif time.monotonic() - last_line > LINE_EVERY_SECONDS:
            last_line = time.monotonic()
            console.print(line, highlight=False, soft_wrap=True)

    with console.status("Reading …") as status:
        yield report


@contextmanager
def no_cost() -> Iterator[Report]:
    """A report that nobody sees: the ranks beside the first have the same."""
    yield lambda _iteration, _cost: None


def files_of(model: Path) -> dict[str, Path]:
    """Where a training's files go: the model, and its figures beside it."""
    return {"model": model, **{name: model.with_name(f"{model.stem}-{name}.svg") for name in FIGURES}}


def default_model(source: str) -> Path:
    """In the working folder, by the name of the data: a file, a data set, or the folder of many files."""
    path = Path(source)
    name = name_of_all(path)
    return Path(f"{path.stem if name is None else name or 'data'}-model.npz")


def write_files(trained: Trained, model: Path) -> list[Path]:
    """The model, and then the figures, so that none of them costs a training. Raises `OSError`."""
    trained.model.save(model)
    return [model, *write_figures(trained, model)]


def write_figures(trained: Trained, model: Path) -> list[Path]:
    """The cost curve and the ROC curve, beside the model's file. Raises `OSError`."""
    from stepbench.training.curves import cost_figure, roc_figure  # Matplotlib, which only one of many ranks needs
    from stepreports.figures.axes import svg

    paths = files_of(model)
    for name, figure in zip(FIGURES, (cost_figure, roc_figure), strict=True):
        write_whole(paths[name], svg(figure(trained), letters_as_paths=True))
    return [paths[name] for name in FIGURES]


def write_predictions(predictions: Predictions, path: Path) -> None:
    """As CSV. Raises `OSError`."""
    write_whole(path, predictions.to_csv())


def training_lines(trained: Trained) -> list[str]:
    """What was done and what it is worth."""
    model, costs = trained.model, trained.costs
    first, second = model.classes
    fall = f", cost {costs[0]:.4f} to {costs[-1]:.4f}" if len(costs) else "; the start, all zeros, is an optimum"
    size = f"{counted(trained.rows, 'row')} × {counted(len(model.w), 'column')}"
    return [
        f"{model.trained_on}: {size}, {first} against {second}.",
        *trained.notes,
        f"Trained with {model.optimizer} on {model.row}: {counted(len(costs), trained.iteration)}{fall}.",
        f"Held out: {score_line(trained.score)}",
        *score_lines(trained.score, model),
        *coefficient_lines(model),
    ]


def prediction_lines(predictions: Predictions) -> list[str]:
    """How good the predictions are, as far as the table tells, and what else there is to say."""
    score = predictions.score
    told = [score_line(score), *score_lines(score, predictions.model)] if score else []
    return [*told, *predictions.notes]


def score_line(score: Score) -> str:
    guess = f"always guessing the commoner class: {score.majority:.1%}"
    accuracy = f"{counted(score.rows, 'row')}, accuracy {score.accuracy:.1%}"
    return f"{accuracy} ({guess}), log loss {score.log_loss:.4f}, area under the ROC curve {score.auc:.4f}."
