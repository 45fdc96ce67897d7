"""What can be asked of a training, and what becomes of what it has learned."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.options import CountedFromZero, Data, Force, Header, KeepIndex, Target, ZeroBased, reading_of
from stepbench.commands.places import require_absent, require_writable
from stepbench.commands.terminal import say

if TYPE_CHECKING:
    from stepbench.cases.reading import Reading
    from stepbench.training.fitting import Trained
    from stepbench.training.settings import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a training."""

    data: Data
    target: Target = None
    row: Annotated[
        str, typer.Option(help="The implementation that computes (see `stepbench list`); auto: the fastest on the CPU.")
    ] = "auto"
    optimizer: Annotated[
        str, typer.Option(help="auto (the soonest at the optimum: newton-cholesky or lbfgs), gd or adam.")
    ] = "auto"
    steps: Annotated[
        int | None,
        typer.Option(help="Stop after so many. Default: 1000; with --batch-size, 100 epochs; on disk, 10 epochs."),
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Of gd (default: the largest with which the cost is sure to fall) or adam (default: 0.001)."),
    ] = None
    l2: Annotated[float, typer.Option(help="Penalty on large weights: l2/2·‖w‖² is added to the mean loss.")] = 1e-3
    tol: Annotated[float, typer.Option(help="Stop when no element of the gradient is larger.")] = 1e-4
    batch_size: Annotated[int | None, typer.Option(help="Rows in each step of gd or adam. Default: all.")] = None
    dtype: Annotated[str | None, typer.Option(help="Compute in float32 or float64. Default: as the data are.")] = None
    storage: Annotated[
        str | None,
        typer.Option(help="Round the features to float16, bfloat16 or int8 and keep them so; computes in float32."),
    ] = None
    held_out: Annotated[
        float, typer.Option(help="Share of the rows that are not learned from, but kept to score the model.")
    ] = 0.25
    standardize: Annotated[bool, typer.Option(help="First bring every column to zero mean and unit variance.")] = True
    on_disk: Annotated[
        bool | None,
        typer.Option(
            "--on-disk/--in-memory",
            help="Leave an .npy file on disk and learn from a block of rows at a time, with gd or adam. "
            "Default: if its copies would not fit in memory. On ranks: Parquet files too, and any optimizer.",
        ),
    ] = None
    seed: Annotated[int, typer.Option(help="Decides which rows are held out, and the order of batches.")] = 0
    out: Annotated[
        Path | None,
        typer.Option(help="The model's file. Default: DATA-model.npz in this folder. The two figures go beside it."),
    ] = None
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the scores and the coefficients here, as JSON.")
    ] = None
    ranks: Annotated[
        int | None,
        typer.Option(
            help="Share the rows of an .npy file, or of Parquet files (a folder or a pattern in quotes), among so many "
            "processes. On several hosts: `torchrun … -m stepbench train DATA`.",
        ),
    ] = None
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="A rank that does not answer for so long ends the training on all.")
    ] = 60.0
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Keep the state of a training on ranks here, every second or, if that is longer, step."
        ),
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the state in --checkpoint.")] = False
    force: Force = False
    header: Header = None
    keep_index: KeepIndex = None
    zero_based: ZeroBased = CountedFromZero.AUTO

    @property
    def reading(self) -> Reading:
        return reading_of(self)


def require_one_process(asked: Options) -> None:
    """Raise `ProblemError` for options that only ranks know."""
    from stepkernels.problem import ProblemError

    if asked.checkpoint is not None or asked.resume:
        raise ProblemError("--checkpoint and --resume are for a training on ranks; add --ranks 1, or more.")


def settings_of(asked: Options) -> Training:
    from stepbench.training.settings import Training

    return Training(**{each.name: getattr(asked, each.name) for each in fields(Training)})


def require_places(asked: Options, model: Path) -> None:
    """Raise `ProblemError` where a file of the training cannot be written, or is there already."""
    from stepbench.training import outputs

    require_writable(model)
    for path in [*outputs.files_of(model).values(), *filter(None, [asked.json_path])]:
        require_writable(path)
        require_absent(path, force=asked.force)


def tell(trained: Trained, asked: Options, written: list[Path]) -> None:
    """Write the JSON, and say what was learned and what was written."""
    from stepbench.training import outputs, worth
    from stepreports.records.files import write_json

    files = [*written, *([write_json(asked.json_path, worth.as_json(trained))] if asked.json_path else [])]
    for line in [*outputs.training_lines(trained), f"Written: {', '.join(map(str, files))}"]:
        say(line)
