"""run and report: time the rows, and turn records into answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.options import DATA_FILES, KernelFiles, Require, Rows, Target
from stepbench.commands.rows import chosen_rows, required_rows
from stepbench.commands.terminal import console, errors, progress_bar, sentences, split_list, whole_numbers

if TYPE_CHECKING:
    from stepbench.run.plan import Plan


@sentences
def run(
    preset: Annotated[
        str, typer.Option(help="quick, standard, full, or marks (what the fused rows are held to).")
    ] = "quick",
    rows: Rows = None,
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
    max_time: Annotated[
        float | None, typer.Option(help="Minutes after which nothing further is begun; --resume goes on.")
    ] = None,
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
    from stepbench.cases.case import parse_choices, parse_ops, parse_optimizers
    from stepbench.cases.datasets import register_files
    from stepbench.listing import plan_table
    from stepbench.run import session
    from stepkernels.problem import DTYPES

    datasets = register_files(split_list(data), target)
    if resume is not None:
        plan = session.resume(resume, progress_bar)
        rows_of_run = [each.row for each in plan.participants]
        _report_run(resume, plan, required_rows(require, rows_of_run), open_report)
    chosen = chosen_rows(rows, kernel or [])
    choices = session.Choices(
        preset=session.preset_named(preset),
        rows=chosen,
        named=rows is not None,
        sizes=[*split_list(sizes), *datasets] or None,
        ops=parse_ops(ops) if ops else None,
        dtypes=parse_choices("dtype", dtypes, DTYPES) if dtypes else None,
        optimizers=parse_optimizers(optimizer) if optimizer else None,
        threads=whole_numbers(threads) if threads else None,
        cold=cold,
        seed=seed,
        max_seconds=None if max_time is None else 60.0 * max_time,
        timeout_seconds=timeout,
    )
    required = required_rows(require, chosen)
    plan = session.plan_run(choices)
    if dry_run:
        console.print(plan_table(plan))
        raise typer.Exit
    folder = session.create_folder(out)
    try:
        session.start(plan, folder, progress_bar)
    except KeyboardInterrupt:
        errors.print(f"Stopped. What was measured is kept; go on with: stepbench run --resume {folder}", soft_wrap=True)
        _render(folder)
        raise typer.Exit(130) from None
    _report_run(folder, plan, required, open_report)


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


def _report_run(folder: Path, plan: Plan, required: list[str], open_report: bool) -> None:
    """Render, print the answer, and end with the exit status the records deserve."""
    from stepbench.run.outcome import exit_status, left_out

    page = _render(folder)
    status, reasons = exit_status(folder, plan, required)
    if sentence := left_out(folder):
        console.print(sentence, style="yellow", markup=False, highlight=False, soft_wrap=True)
    for reason in reasons:
        errors.print(reason, style="red", markup=False, highlight=False, soft_wrap=True)
    if open_report and page:
        typer.launch(str(page))
    raise typer.Exit(status)


def _render(folder: Path) -> Path | None:
    """Write the report of whatever was recorded; print its answer, and what the run's time went to."""
    import stepreports
    from stepbench.listing import answer_table
    from stepreports.records.overhead import overhead_of

    page: Path = stepreports.write_report(folder)
    for line in stepreports.answer_lines(folder):
        console.print(line.replace("`", ""), highlight=False, markup=False, soft_wrap=True)
    console.print(answer_table(stepreports.answer_table(folder)))
    if overhead := overhead_of(folder):
        console.print(overhead.sentence, highlight=False, soft_wrap=True)
    console.print(f"Report: {page}", soft_wrap=True)
    return page


def _gate(runs: list[Path], percent: float) -> None:
    import stepreports

    if len(runs) != 2:
        raise typer.BadParameter("--fail-slower compares exactly two runs: the base, then the new one.")
    result = stepreports.comparison.gate(runs[0], runs[1], percent)
    for line in result.lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)


def _percentage(text: str) -> float:
    try:
        return float(text.rstrip("% "))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a percentage; write it as in 10%.") from None
