"""The command line. A command imports what it needs when it runs; bad input is one sentence and exit status 2."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from stepbench.plan import Plan
    from stepbench.progress import TerminalProgress
    from stepkernels.interface import Implementation

USAGE_ERROR = 2

app = typer.Typer(
    name="stepbench",
    help="One training step of logistic regression in every technique: proven to agree, then timed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
console = Console()
errors = Console(stderr=True)

P = ParamSpec("P")
R = TypeVar("R")

RowList = Annotated[str | None, typer.Option("--rows", help="Only these rows, comma-separated (see `stepbench list`).")]
Require = Annotated[
    str, typer.Option("--require", help="Rows that must run, comma-separated: one that cannot is a failure.")
]
KernelFiles = Annotated[
    list[Path] | None, typer.Option("--kernel", help="A kernel file of your own, with IMPLEMENTATION and bind().")
]


DATA_FILES = "a file (.csv, .parquet, .npy, .npz, .svmlight)"
Data = Annotated[str, typer.Argument(help=f"breast-cancer, digits-parity, or {DATA_FILES}.", metavar="DATA")]
Target = Annotated[str | None, typer.Option(help="The column to learn, in a file. Default: its last.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Turn bad input into its sentence and exit status 2."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from stepbench.journal import JournalError
        from stepkernels.problem import ProblemError
        from stepreports.records import RecordError

        try:
            return command(*args, **kwargs)
        except (ProblemError, JournalError, RecordError) as error:
            errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(USAGE_ERROR) from None

    return wrapped


@app.command("list")
@sentences
def list_rows(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Every row: device, operations, dtypes, and whether it can run here or why not."""
    from stepbench.listing import row_facts, row_table
    from stepkernels.catalog import CATALOG

    facts = [row_facts(row) for row in CATALOG.values()]
    if as_json:
        sys.stdout.write(json.dumps({"rows": facts}, indent=1) + "\n")
    else:
        console.print(row_table(facts))


@app.command()
@sentences
def show(row: Annotated[str, typer.Argument(help="A row's name.")]) -> None:
    """One row: what it supports, its documentation and its source."""
    from stepbench.listing import row_source
    from stepkernels.catalog import rows_named

    console.print(row_source(rows_named([row])[0]))


@app.command()
@sentences
def check(
    rows: Annotated[list[str] | None, typer.Argument(help="Rows to check; all of them without any.")] = None,
    kernel: KernelFiles = None,
    require: Require = "",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Run GPU rows in their simulators, and compile CUDA sources, on the CPU.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Repeat the check that printed this seed.")] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the whole report here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Append a table, one line a row, to this file.")] = None,
) -> None:
    """Numerical agreement with the truth, on ordinary, extreme and planted data. With --kernel alone, of that kernel.

    Exit status 0: every row that ran agrees. 1: one disagrees, or a required one could not run. 2: bad usage.
    """
    from stepbench import checking
    from stepbench.listing import verdict_line
    from stepbench.progress import TerminalProgress

    named = None if not rows and not kernel else ",".join(rows or [])
    chosen = _chosen_rows(named, kernel or [])
    required = _required(require, chosen)
    with TerminalProgress("Checking", len(chosen), console) as bar:

        def finished(report: checking.RowReport) -> None:
            console.print(verdict_line(report), soft_wrap=True)
            bar.advance()

        result = checking.check(chosen, simulate=simulate, require=frozenset(required), seed=seed, finished=finished)
    console.print(f"Seed {result.seed}; --seed repeats this check.", style="dim")
    if json_path:
        json_path.write_text(result.to_json(), encoding="utf-8")
    if markdown:
        with markdown.open("a", encoding="utf-8") as file:
            file.write("\n".join(result.markdown_lines()) + "\n")
    raise typer.Exit(result.exit_code)


@app.command()
@sentences
def run(
    preset: Annotated[
        str, typer.Option(help="quick, standard, full, or marks (what the fused rows are held to).")
    ] = "quick",
    rows: RowList = None,
    sizes: Annotated[str | None, typer.Option(help="Synthetic sizes, rows x columns, as in 1000x20,20000x50.")] = None,
    data: Annotated[
        str | None, typer.Option(help=f"Real data, comma-separated: breast-cancer, digits-parity, or {DATA_FILES}.")
    ] = None,
    target: Target = None,
    ops: Annotated[str | None, typer.Option(help="Operations: forward,backward,gradient,update,step,train.")] = None,
    dtypes: Annotated[str | None, typer.Option(help="float32,float64.")] = None,
    optimizer: Annotated[str | None, typer.Option(help="gd,adam.")] = None,
    threads: Annotated[
        str | None, typer.Option(help="Thread budgets, as in 1,2. Default: all this process may use.")
    ] = None,
    cold: Annotated[bool, typer.Option("--cold", help="Time each case also with its data out of every cache.")] = False,
    max_time: Annotated[float | None, typer.Option(help="Minutes after which no further case is begun.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds a row may take to answer before it is ended.")] = 300.0,
    seed: Annotated[int, typer.Option(help="Seed of the data and of the order of turns.")] = 0,
    kernel: KernelFiles = None,
    require: Require = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the cases, memory and time it would take.")] = False,
    resume: Annotated[Path | None, typer.Option(help="Finish this interrupted run.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: a new one under reports/runs.")] = None,
    open_report: Annotated[bool, typer.Option("--open", help="Open the report when done.")] = False,
) -> None:
    """Check, time, report: every row on every case, in turns, into a folder with a report.

    No timing without agreement: a row whose numbers are wrong is recorded as wrong, never timed.
    Exit status 0: everything ran. 1: a row failed, or a required one was missing. 2: bad usage.
    """
    from stepbench import session
    from stepbench.cases import parse_choices, parse_ops, parse_optimizers
    from stepbench.datasets import register_files
    from stepbench.listing import plan_table
    from stepkernels.problem import DTYPES

    datasets = register_files(_split(data), target)
    if resume is not None:
        plan = session.resume(resume, _progress)
        rows_of_run = [each.row for each in plan.participants]
        _report_run(resume, plan, _required(require, rows_of_run), open_report)
    chosen = _chosen_rows(rows, kernel or [])
    choices = session.Choices(
        preset=session.preset_named(preset),
        rows=chosen,
        named=rows is not None,
        sizes=[*_split(sizes), *datasets] or None,
        ops=parse_ops(ops) if ops else None,
        dtypes=parse_choices("dtype", dtypes, DTYPES) if dtypes else None,
        optimizers=parse_optimizers(optimizer) if optimizer else None,
        threads=_whole_numbers(threads) if threads else None,
        cold=cold,
        seed=seed,
        max_seconds=None if max_time is None else 60.0 * max_time,
        timeout_seconds=timeout,
    )
    required = _required(require, chosen)
    plan = session.plan_run(choices)
    if dry_run:
        console.print(plan_table(plan))
        raise typer.Exit
    folder = session.create_folder(out)
    try:
        session.start(plan, folder, _progress)
    except KeyboardInterrupt:
        errors.print(f"Stopped. What was measured is kept; go on with: stepbench run --resume {folder}", soft_wrap=True)
        _render(folder)
        raise typer.Exit(130) from None
    _report_run(folder, plan, required, open_report)


@app.command()
@sentences
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; the first is the base of a comparison.")],
    fail_slower: Annotated[
        str | None, typer.Option(help="Exit 1 when the last run is slower than the first beyond this, as in 10%.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of a report over several runs.")] = None,
) -> None:
    """Render a run's report again from its records alone, or compare several runs."""
    import stepreports

    if fail_slower is not None:
        _gate(runs, _percentage(fail_slower))
    elif len(runs) == 1:
        console.print(f"Report: {stepreports.write_report(runs[0])}", soft_wrap=True)
    else:
        path = stepreports.compare_report(runs, out or Path("stepbench-comparison"))
        console.print(f"Report: {path}", soft_wrap=True)


@app.command()
@sentences
def learn(
    language: Annotated[str, typer.Option("--lang", help="en (English) or zh (Simplified Chinese).")] = "en",
    out: Annotated[Path | None, typer.Option(help="The page. Default: stepbench-lesson-<lang>.html.")] = None,
) -> None:
    """Write the lesson: the step derived, drawn and taken apart on one page, with what it costs on this machine."""
    from stepbench import lesson

    path = lesson.write_lesson(out or Path(f"stepbench-lesson-{language}.html"), language, _progress)
    console.print(f"Lesson: {path}", soft_wrap=True)


@app.command()
@sentences
def doctor(
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Measure the harness itself: known times, A/A, an injected slow-down.")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="The thread budget to measure under.")] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write all of it here.")] = None,
) -> None:
    """Examine the machine: its measured limits, and what would make timings unreliable; one line to paste."""
    from stepbench import doctor as examine
    from stepbench.environment import describe_machine
    from stepbench.threads import default_budget

    machine = describe_machine()
    with console.status("Measuring the limits of this machine"):
        limits = examine.measured_limits(threads or default_budget())
    console.print(examine.examination(machine, limits))
    console.print(examine.paste_line(machine, limits), markup=False, highlight=False, soft_wrap=True)
    figures = _self_test() if self_test else None
    if json_path:
        found = {"machine": machine, "limits": limits, "self_test": figures}
        json_path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(0 if figures is None or figures["passed"] else 1)


@app.command()
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


@app.command()
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


def _self_test() -> dict[str, Any]:
    """Run the harness's self-test, print its figures and return them."""
    from stepbench import self_test as harness

    with _progress(harness.units_of_work()) as bar:
        figures = harness.run(bar).to_json()
    for sentence in harness.sentences(figures):
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return figures


def _chosen_rows(names: str | None, kernels: list[Path]) -> list[Implementation]:
    """The rows asked for and those of kernel files, whose names --rows may list too. Raises `ProblemError`."""
    from stepbench.checking.kernel_file import load_kernel
    from stepkernels.catalog import CATALOG, rows_named

    # A record holds no absolute path.
    own = [replace(load_kernel(path), module=os.path.relpath(path)) for path in kernels]
    chosen = list(CATALOG.values()) if names is None else rows_named(set(_split(names)) - {row.name for row in own})
    return [*chosen, *own]


def _required(names: str, chosen: list[Implementation]) -> list[str]:
    """The names of the rows that must run. Raises `ProblemError` for one that was not asked for."""
    from stepkernels.problem import ProblemError

    for name in _split(names):
        if name not in {row.name for row in chosen}:
            raise ProblemError(f"{name!r} is required but not among the rows asked for (see `stepbench list`).")
    return _split(names)


@contextmanager
def _progress(total: int) -> Iterator[TerminalProgress]:
    from stepbench.progress import TerminalProgress

    with TerminalProgress("Timing", total, console) as progress:
        yield progress


def _report_run(folder: Path, plan: Plan, required: list[str], open_report: bool) -> None:
    """Render, print the answer, and end with the exit status the records deserve."""
    from stepbench.verdict import exit_status

    page = _render(folder)
    status, reasons = exit_status(folder, plan, required)
    for reason in reasons:
        errors.print(reason, style="red", markup=False, highlight=False, soft_wrap=True)
    if open_report and page:
        typer.launch(str(page))
    raise typer.Exit(status)


def _render(folder: Path) -> Path | None:
    """Write the report of whatever was recorded, and print its answer."""
    import stepreports

    page: Path = stepreports.write_report(folder)
    for line in stepreports.answer_lines(folder):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"Report: {page}", soft_wrap=True)
    return page


def _gate(runs: list[Path], percent: float) -> None:
    import stepreports

    if len(runs) != 2:
        raise typer.BadParameter("--fail-slower compares exactly two runs: the base, then the new one.")
    result = stepreports.gate(runs[0], runs[1], percent)
    for line in result.lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)


def _percentage(text: str) -> float:
    try:
        return float(text.rstrip("% "))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a percentage; write it as in 10%.") from None


def _whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in _split(text)]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of whole numbers; write it as in 1,2.") from None


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def main() -> None:
    """The console script."""
    app()
