"""What `train` and `predict` show and write: the live cost, the score in sentences, the files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from stepbench.progress import LINE_EVERY_SECONDS
from stepbench.training import Score, Trained
from stepbench.training_figures import cost_figure, roc_figure
from stepkernels.problem import ProblemError
from stepkernels.solvers import Report
from stepreports.axes import svg
from stepreports.files import write_whole

FIGURES = {"cost": cost_figure, "roc": roc_figure}


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


def files_of(model: Path) -> dict[str, Path]:
    """Where a training's files go: the model, and its figures beside it."""
    return {"model": model, **{name: model.with_name(f"{model.stem}-{name}.svg") for name in FIGURES}}


def default_model(source: str) -> Path:
    return Path(f"{Path(source).stem}-model.npz")


def require_absent(paths: Sequence[Path], *, force: bool) -> None:
    """Raise `ProblemError` for a file that would be overwritten, or a folder that is not there."""
    for path in paths:
        if path.exists() and not force:
            raise ProblemError(f"{path} exists already; --force overwrites it.")
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise ProblemError(
                f"{path} cannot be written: {'it' if path.is_dir() else 'its folder'} is no place for a file."
            )


def write_files(trained: Trained, model: Path) -> list[Path]:
    """The model, the cost curve and the ROC curve."""
    paths = files_of(model)
    trained.model.save(paths["model"])
    for name, figure in FIGURES.items():
        write_whole(paths[name], svg(figure(trained), letters_as_paths=True))
    return list(paths.values())


def training_lines(trained: Trained) -> list[str]:
    """What was done and what it is worth."""
    model, costs = trained.model, trained.costs
    first, second = model.classes
    fall = f"cost {costs[0]:.4f} to {costs[-1]:.4f}"
    return [
        f"{model.trained_on}: {trained.rows:,} rows × {len(model.w):,} columns, {first} against {second}.",
        *trained.notes,
        f"Trained with {model.optimizer} on {model.row}: {len(costs):,} iterations, {fall}.",
        f"Held out: {score_line(trained.score)}",
    ]


def score_line(score: Score) -> str:
    guess = f"always guessing the commoner class: {score.majority:.1%}"
    return f"{score.rows:,} rows, accuracy {score.accuracy:.1%} ({guess}), area under the ROC curve {score.auc:.4f}."
