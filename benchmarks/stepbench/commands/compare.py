"""compare: two or more versions of a kernel in the same turns, and whether the later ones are faster or slower."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.choice_of_commits import DEFAULT_ROWS, folders_of, kernels_of_commits, rows_of_commits
from stepbench.commands.choice_of_versions import Sides, versions_of_files
from stepbench.commands.each_commit import commits_of, fill_in
from stepbench.commands.options import Dtypes, Ops, Optimizers, Threads, chosen_cases
from stepbench.commands.places import folder_given, require_writable
from stepbench.commands.terminal import (
    errors,
    options_of,
    percentage,
    progress_bar,
    say,
    sentences,
    split_list,
)
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from stepbench.run.commits.repository import Repository
    from stepbench.run.plan import Plan
    from stepreports.comparison.compared import Compared
    from stepreports.comparison.versions import Question

FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a comparison."""

    base: Annotated[
        str | None, typer.Argument(metavar="BASE", help="A commit, branch or tag: what is compared with.")
    ] = None
    head: Annotated[str | None, typer.Argument(metavar="HEAD", help="What is compared. Default: the working tree.")] = (
        None
    )
    kernel: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.py", help="A kernel file in both commits; without BASE, one of two files or more."),
    ] = None
    rows: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,…", help=f"In a checkout of stepbench, rows of both commits. Default: {DEFAULT_ROWS}."
        ),
    ] = None
    each: Annotated[
        str | None,
        typer.Option(
            metavar="A..B",
            help="Instead of BASE and HEAD: compare every commit after A up to B with A, one run each, and tell the "
            "history. What was compared before is kept, and --max-time is of each.",
        ),
    ] = None
    same_environment: Annotated[
        bool,
        typer.Option(
            "--same-environment",
            help="Run both with the libraries installed here, also where the commits ask for others. Default: then "
            "each has an environment of its own, which is kept.",
        ),
    ] = False
    sizes: Annotated[
        str | None,
        typer.Option(help="Rows x columns, as in 1000x20,20000x50. Default: breast-cancer,20000x50,100000x100."),
    ] = None
    ops: Ops = None
    dtypes: Dtypes = None
    optimizer: Optimizers = None
    threads: Threads = None
    fail_slower: Annotated[
        str, typer.Option(metavar="PERCENT", help="How much longer than the base is still allowed, as in 5%.")
    ] = "5%"
    max_time: Annotated[
        float, typer.Option(help="Minutes after which nothing further is begun, however much is not clear by then.")
    ] = 2.0
    seed: Annotated[int, typer.Option(help="Seed of the data and of the order of turns.")] = 0
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every answer here, as JSON.")
    ] = None
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Append a summary for a pull request, in Markdown, to this file."),
    ] = None
    out: Annotated[str | None, typer.Option(help="The run's folder. Default: a new one, as of `stepbench run`.")] = None


@options_of(Options)
@sentences
def compare(asked: Options) -> None:
    """Tell whether a version of a kernel is faster or slower than another, on this machine, however noisy it is.

    Two files: stepbench compare --kernel before.py --kernel after.py

    A file in two commits of any git repository: stepbench compare main --kernel path/to/kernel.py

    Rows in two commits of stepbench's own: stepbench compare main --rows numba-fused

    Every commit of a range, and where the time changed: stepbench compare --each v1.0..main --rows numba-fused

    Both are proven to agree with the truth and take turns of milliseconds in one run, so that they meet the same noise.
    The base is timed twice: what it differs from itself by is no difference. It goes on until all is clear.

    Exit status 0: nothing is slower than allowed. 1: something is, beyond doubt, or a version fails. 2: bad usage.
    With --each 1 is only that a commit could not be compared.
    """
    from stepbench.run.session import RunEndedError

    try:
        passed = _each_compared(asked, asked.each) if asked.each is not None else not _compared(asked).failed
    except RunEndedError as error:
        say(str(error), style="red", on=errors)
        raise typer.Exit(FAILED) from None
    raise typer.Exit(0 if passed else FAILED)


def _each_compared(asked: Options, told: str) -> bool:
    """Compare each commit of a range with its first; whether all could be compared."""
    if unmeant := [name for name, given in (("BASE", asked.base), ("--json", asked.json_path),
                                            ("--markdown", asked.markdown)) if given]:  # fmt: skip
        raise ProblemError(f"{unmeant[0]} does not go with --each A..B; `stepbench history` writes what its runs say.")
    kernels = asked.kernel or []
    found = commits_of(told, kernels[0] if kernels else Path(), partial(_compared_paths, kernels))
    names = ("rows", "sizes", "ops", "dtypes", "optimizer", "threads", "seed")
    settings = {"kernels": [str(found.repository.path_of(file)) for file in kernels]}

    def compare_one(base: str, commit: str, folder: Path) -> Sequence[str]:
        return _compared(replace(asked, each=None, base=base, head=commit, out=str(folder))).faults

    given = {name: getattr(asked, name) for name in names}
    return fill_in(found, folder_given("--out", asked.out), settings | given, compare_one)


def _compared_paths(kernels: Sequence[Path], repository: Repository) -> list[PurePosixPath]:
    """What lies in a commit that can make it faster or slower."""
    if kernels:
        return folders_of([repository.path_of(file) for file in kernels])
    from stepbench.run.commits.catalogue import KERNELS, METADATA

    return [KERNELS, METADATA]


def _compared(asked: Options) -> Compared:
    """Plan a run of the versions, carry it out and tell of it."""
    from stepbench.run import session
    from stepbench.run.run_folder import new_folder
    from stepbench.run.until_clear import UntilClear

    allowance = percentage(asked.fail_slower) / 100
    for path in filter(None, (asked.json_path, asked.markdown)):
        require_writable(path)
    folder = new_folder(folder_given("--out", asked.out))
    sides = _sides(asked)
    if not sides.rows:
        _tell_faults(sides.faults)
        raise typer.Exit(FAILED)
    plan = _plan(asked, sides)
    question = _question(plan, sides, allowance)
    bar = partial(progress_bar, title="Comparing", most_seconds=plan.max_seconds)
    session.start(plan, folder, bar, UntilClear(question, folder, plan.max_seconds))
    return _told(folder, plan, sides, question, asked)


def _sides(asked: Options) -> Sides:
    """What is compared: two files, a file in two commits, or rows in two commits. Raises `ProblemError`."""
    kernels, base = asked.kernel or [], asked.base
    if asked.rows is not None and (kernels or base is None):
        raise ProblemError("--rows are of two commits of stepbench: give BASE, and no --kernel.")
    if base is None:
        return versions_of_files(kernels)
    if kernels:
        return kernels_of_commits(kernels, base, asked.head)
    return rows_of_commits(asked.rows, base, asked.head, same_environment=asked.same_environment)


def _plan(asked: Options, sides: Sides) -> Plan:
    """What is timed: cases as of a quick run, generations as many as it may take. Raises `ProblemError`."""
    from stepbench.cases.presets import PRESETS
    from stepbench.run.choices import Choices, plan_run
    from stepbench.run.participants import with_control
    from stepbench.run.plan import QUICK
    from stepbench.run.until_clear import MOST_GENERATIONS

    plan = plan_run(
        Choices(
            preset=PRESETS[QUICK],
            rows=sides.rows,
            named=True,
            by_name=[row.name for row in sides.rows],
            sizes=None if asked.sizes is None else split_list(asked.sizes),
            seed=asked.seed,
            max_seconds=60.0 * asked.max_time,
            **chosen_cases(asked),
        )
    )
    homes = sides.homes
    taking_part = tuple(replace(each, home=homes.get(each.row.name)) for each in with_control(plan.participants))
    return replace(plan, participants=taking_part, generations=MOST_GENERATIONS)


def _question(plan: Plan, sides: Sides, allowance: float) -> Question:
    from stepbench.run.until_clear import LOOKS
    from stepreports.comparison.versions import Question

    return Question(allowance=allowance, cases=len(plan.cases), pairs=sides.pairs, looks=LOOKS)


def _told(folder: Path, plan: Plan, sides: Sides, question: Question, asked: Options) -> Compared:
    """Say what each case says, and write it down: in the run's folder, and where it was asked for."""
    from stepbench.run.outcome import exit_status, never_timed
    from stepreports.comparison.compared import compared
    from stepreports.comparison.verdicts_report import write_verdicts
    from stepreports.comparison.version_lines import as_json, how, pull_request
    from stepreports.comparison.version_lines import sentences as told_in
    from stepreports.records.files import append_whole, write_json
    from stepreports.render import write_report

    _, reasons = exit_status(folder, plan)
    faults = [*sides.faults, *reasons, *filter(None, [never_timed(folder)])]
    found = compared(folder, sides.versions, question, faults)
    for line in [*told_in(found), *how(found), *_unfinished(found, asked)]:
        say(line.replace("`", ""))
    _tell_faults(found.faults)
    write_report(folder)
    page = write_verdicts(found, folder)
    if asked.json_path:
        write_json(asked.json_path, as_json(found))
    if asked.markdown:
        append_whole(asked.markdown, pull_request(found))
    say(f"Report: {page}")
    return found


def _unfinished(found: Compared, asked: Options) -> list[str]:
    """What more time might still tell."""
    if all(each.answer.is_clear for each in found.answered):
        return []
    return [f"Not everything is clear after {asked.max_time:g} minutes at most; --max-time gives it longer."]


def _tell_faults(faults: Sequence[str]) -> None:
    for fault in faults:
        say(fault, style="red", on=errors)
