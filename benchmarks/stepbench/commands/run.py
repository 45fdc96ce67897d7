"""run: check, time and report rows on cases, in turns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.choice_of_rows import chosen_rows, required_rows
from stepbench.commands.options import (
    DATA_FILES,
    CountedFromZero,
    Header,
    KeepIndex,
    KernelFiles,
    Require,
    Rows,
    Target,
    ZeroBased,
    reading_of,
)
from stepbench.commands.terminal import (
    console,
    errors,
    options_of,
    progress_bar,
    say,
    sentences,
    split_list,
    whole_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from stepbench.run.choices import Choices
    from stepbench.run.plan import Plan
    from stepkernels.interface import Implementation

STOPPED = 130  # the exit status of a shell's command that Ctrl-C ended
ANSWERED = ("size", "dtype", "fastest", "time of a step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a run."""

    preset: Annotated[str, typer.Option(help="quick, standard, full, or marks (what the fused rows are held to).")] = (
        "quick"
    )
    rows: Rows = None
    sizes: Annotated[str | None, typer.Option(help="Synthetic sizes, rows x columns, as in 1000x20,20000x50.")] = None
    data: Annotated[
        str | None, typer.Option(help=f"Real data, comma-separated: breast-cancer, digits-parity, or {DATA_FILES}.")
    ] = None
    target: Target = None
    header: Header = None
    keep_index: KeepIndex = None
    zero_based: ZeroBased = CountedFromZero.AUTO
    ops: Annotated[str | None, typer.Option(help="Operations: forward,backward,gradient,update,step,train.")] = None
    dtypes: Annotated[str | None, typer.Option(help="float32,float64.")] = None
    optimizer: Annotated[str | None, typer.Option(help="gd,adam.")] = None
    threads: Annotated[
        str | None, typer.Option(help="Thread budgets, as in 1,2. Default: all this process may use.")
    ] = None
    cold: Annotated[bool, typer.Option("--cold", help="Time each case also with its data out of every cache.")] = False
    max_time: Annotated[
        float | None, typer.Option(help="Minutes after which nothing further is begun; --resume goes on.")
    ] = None
    timeout: Annotated[float, typer.Option(help="Seconds a row may take to answer before it is ended.")] = 300.0
    seed: Annotated[int, typer.Option(help="Seed of the data and of the order of turns.")] = 0
    kernel: KernelFiles = None
    require: Require = ""
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the cases, memory and time it would take.")] = False
    resume: Annotated[Path | None, typer.Option(help="Finish this interrupted run.")] = None
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: a new one under reports/runs.")] = None
    open_report: Annotated[bool, typer.Option("--open", help="Open the report when done.")] = False


@options_of(Options)
@sentences
def run(asked: Options) -> None:
    """Check, time, report: every row on every case, in turns, into a folder with a report.

    No timing without agreement: a row whose numbers are wrong is recorded as wrong, never timed.
    Exit status 0: everything ran. 1: a row failed, or a required one was missing. 2: bad usage.
    """
    from stepbench.cases.datasets import notes_on, register_files
    from stepbench.run import session
    from stepbench.run.choices import plan_run

    datasets = register_files(split_list(asked.data), asked.target, reading_of(asked))
    for note in notes_on(datasets):
        say(note)
    if asked.resume is not None:
        plan = session.resume(asked.resume, progress_bar)
        required = required_rows(asked.require, [each.row for each in plan.participants])
        _finish(asked.resume, plan, required, asked)
    chosen = chosen_rows(asked.rows, asked.kernel or [])
    choices = _choices(asked, chosen, datasets)
    required = required_rows(asked.require, chosen)
    plan = plan_run(choices)
    if asked.dry_run:
        console.print(plan_table(plan))
        raise typer.Exit
    folder = session.create_folder(asked.out)
    try:
        session.start(plan, folder, progress_bar)
    except KeyboardInterrupt:
        say(f"Stopped. What was measured is kept; go on with: stepbench run --resume {folder}", on=errors)
        _render(folder)
        raise typer.Exit(STOPPED) from None
    _finish(folder, plan, required, asked)


def _choices(asked: Options, chosen: list[Implementation], datasets: list[str]) -> Choices:
    """What was asked, validated. Raises `ProblemError`, or Typer's `BadParameter`."""
    from stepbench.cases.parsing import parse_choices, parse_ops, parse_optimizers
    from stepbench.run.choices import Choices, preset_named
    from stepkernels.problem import DTYPES

    return Choices(
        preset=preset_named(asked.preset),
        rows=chosen,
        named=asked.rows is not None,
        sizes=[*split_list(asked.sizes), *datasets] or None,
        ops=parse_ops(asked.ops) if asked.ops else None,
        dtypes=parse_choices("dtype", asked.dtypes, DTYPES) if asked.dtypes else None,
        optimizers=parse_optimizers(asked.optimizer) if asked.optimizer else None,
        threads=whole_numbers(asked.threads) if asked.threads else None,
        cold=asked.cold,
        seed=asked.seed,
        max_seconds=None if asked.max_time is None else 60.0 * asked.max_time,
        timeout_seconds=asked.timeout,
    )


def _finish(folder: Path, plan: Plan, required: list[str], asked: Options) -> None:
    """Render, print the answer, and end with the exit status the records deserve."""
    from stepbench.run.outcome import exit_status, left_out

    page = _render(folder)
    status, reasons = exit_status(folder, plan, required)
    if sentence := left_out(folder):
        say(sentence, style="yellow")
    for reason in reasons:
        say(reason, style="red", on=errors)
    if asked.open_report:
        typer.launch(str(page))
    raise typer.Exit(status)


def _render(folder: Path) -> Path:
    """Write the report of whatever was recorded; print its answer, and what the run's time went to."""
    import stepreports

    page = stepreports.write_report(folder)
    for line in stepreports.answer_lines(folder):
        say(line.replace("`", ""))
    console.print(answer_table(stepreports.answer_table(folder)))
    if overhead := stepreports.overhead_sentence(folder):
        say(overhead)
    say(f"Report: {page}")
    return page


def answer_table(lines: Sequence[Mapping[str, str]]) -> Table:
    """The fastest row at each size; the ratios are in the report, which has the room."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    heads = [head for head in ANSWERED if lines and head in lines[0]]
    for head in heads:
        table.add_column(head, no_wrap=head != "fastest")
    for line in lines:
        table.add_row(*(Text(line[head].replace("`", "")) for head in heads))
    return table


def plan_table(plan: Plan) -> RenderableType:
    """What a run would do, before it does it."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from stepbench.run.estimate import memory_bytes, run_seconds
    from stepbench.run.participants import Role
    from stepreports.telling.text import duration

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("case", "rows", "memory"):
        table.add_column(column, justify="left" if column == "case" else "right")
    for case in plan.cases:
        rows = sum(participant.role is Role.ROW for participant in plan.taking_part(case))
        table.add_row(Text(case.name), str(rows), f"{memory_bytes(plan, case) / 2**20:,.0f} MiB")
    absent = [Text(f"{skip.row}: {skip.reason}", style="yellow") for skip in plan.skips if skip.case is None]
    capped = sum(skip.case is not None for skip in plan.skips)
    summary = (
        f"{len(plan.cases)} cases, {plan.generations} generation(s) of {plan.turns} turns, "
        f"{len(plan.participants)} processes at a time; about {duration(run_seconds(plan))}"
        + (f"; {capped} combinations of row and case are left out with a reason" if capped else "")
    )
    return Group(table, Text(summary, style="bold"), *absent)
