"""scale: the step on several ranks, beside the best that one process does on this machine."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.options import Dtypes
from stepbench.commands.places import folder_given, require_writable
from stepbench.commands.terminal import errors, options_of, progress_bar, say, sentences, split_list, whole_numbers

if TYPE_CHECKING:
    from stepbench.run.scaling.scale_question import ScaleQuestion
    from stepreports.comparison.scaling_report.scaled import Scaled

USUAL_RANKS = 4
SIZES, SHARES = "20000x50,100000x100", "50000x100"
FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a scaling."""

    row: Annotated[str, typer.Option(metavar="ROW", help="Takes the gradient of a rank's rows, in one thread.")] = (
        "numba-fused"
    )
    ranks: Annotated[
        str | None,
        typer.Option(
            metavar="N,…",
            help="Among how many processes the rows are shared. Default: 1,2,4; under torchrun, up to all it started.",
        ),
    ] = None
    sizes: Annotated[
        str | None,
        typer.Option(
            help=f"Rows x columns: of the whole ({SIZES} unless given) or, with --weak, of a rank's share ({SHARES})."
        ),
    ] = None
    dtypes: Dtypes = None
    weak: Annotated[
        bool, typer.Option("--weak", help="Keep a rank's share the same; one rank with one share is always timed.")
    ] = False
    base: Annotated[
        str,
        typer.Option(
            metavar="ROW,…", help="Rows of one process; all is held to the fastest, which may use all processors."
        ),
    ] = "numba-fused,numba-fused-parallel"
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Within which a rank that is lost ends the step on the others.")
    ] = 120.0
    hosts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Hosts for the ranks, ADDRESS RANKS a line, this one first, by an address that the others reach.",
        ),
    ] = None
    by: Annotated[
        str, typer.Option(metavar="COMMAND", help="With --hosts: what runs a line of a shell on another host.")
    ] = "ssh {host}"
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything that is told here, as JSON.")
    ] = None
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append a summary in Markdown to this file.")
    ] = None
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="The folder of the result. Default: a new one, as of a run.")
    ] = None


@options_of(Options)
@sentences
def scale(asked: Options) -> None:
    """Show what sharing the rows among several processes buys, and what it costs, beside the best single process.

    Strong scaling: one problem, more ranks. Weak scaling, with --weak: more ranks, and as many rows more.

    Each number of ranks is a group of processes that takes turns with single processes, proven to agree. The page says
    from how many ranks on they are faster, how efficient, how long they wait for one another, and what a plain model
    predicts for more of them.

    Exit status 0: everything was timed. 1: something failed; the rest is shown. 2: bad usage.
    """
    from stepbench.machine.environment import refuse_variables
    from stepbench.machine.torchrun import is_a_rank, place_and_rank
    from stepbench.run.scaling.scale_question import require_askable, require_scalable

    refuse_variables(os.environ)
    if asked.hosts is not None and not is_a_rank():
        from stepbench.run.scaling.hosts import hosts_of, run_on_hosts

        hosts = hosts_of(asked.hosts)
        require_scalable(question_of(asked, sum(host.slots for host in hosts)))
        raise typer.Exit(run_on_hosts(hosts, asked.by, sys.argv[1:]))
    if not is_a_rank():
        raise typer.Exit(FAILED if timed(asked, question_of(asked)).failed else 0)
    from stepbench.run.scaling.far_ranks import follow, joined, meetings

    *_, count = place_and_rank()
    question = question_of(asked, count)
    require_askable(question)
    with joined(asked.timeout) as world:
        if world.rank:
            follow(world, asked.timeout)
            return
        with meetings(world, question.ranks) as places:
            found = timed(asked, replace(question, hosts=world.hosts, meetings=places))
    raise typer.Exit(FAILED if found.failed else 0)


def timed(asked: Options, question: ScaleQuestion) -> Scaled:
    """Time it, and write and say what is found."""
    from stepbench.run.run_folder import made, new_folder
    from stepbench.run.scaling.scale_question import require_scalable
    from stepbench.run.scaling.scale_timed import time_scale, units_of_work
    from stepreports.comparison.scaling_report.scale_page import write_scale

    require_scalable(question)
    for path in filter(None, (asked.json_path, asked.markdown)):
        require_writable(path)
    folder = new_folder(folder_given("--out", asked.out))
    with made(folder):
        with progress_bar(units_of_work(question)) as bar:
            record = time_scale(question, bar)
        found, page = write_scale(folder, record)
    tell(found, asked)
    say(f"Scaling: {page}")
    return found


def question_of(asked: Options, most: int | None = None) -> ScaleQuestion:
    """What those options come to, of `most` ranks at the most. Raises `ProblemError`, or Typer's `BadParameter`."""
    from stepbench.cases.parsing import parse_choices, parse_size
    from stepbench.run.scaling.scale_question import ScaleQuestion
    from stepkernels.problem import DTYPES, ProblemError

    ranks = sorted(set(whole_numbers(asked.ranks))) if asked.ranks is not None else usual_ranks(most or USUAL_RANKS)
    if asked.weak and ranks:
        ranks = sorted({1, *ranks})
    if most is not None and ranks[-1:] > [most]:
        raise ProblemError(f"--ranks is {asked.ranks}, and torchrun has started {most}; start more, or ask for fewer.")
    return ScaleQuestion(
        row=asked.row,
        ranks=ranks,
        sizes=[
            parse_size(size)
            for size in split_list((SHARES if asked.weak else SIZES) if asked.sizes is None else asked.sizes)
        ],
        dtypes=("float64",) if asked.dtypes is None else parse_choices("dtype", asked.dtypes, DTYPES),
        bases=list(dict.fromkeys(split_list(asked.base))),
        weak=asked.weak,
        timeout_seconds=asked.timeout,
    )


def usual_ranks(most: int) -> list[int]:
    """1, 2, 4 and so on, and the most."""
    doubled = [2**k for k in range(most.bit_length()) if 2**k < most]
    return [*doubled, most]


def tell(found: Scaled, asked: Options) -> None:
    """Say it, and write what was asked for elsewhere."""
    from stepreports.comparison.scaling_report import scale_told
    from stepreports.records.files import append_whole, write_json

    for line in [*scale_told.answers(found), *scale_told.how(found)]:
        say(line.replace("`", ""))
    for line in scale_told.failures(found):
        say(line, style="red", on=errors)
    if asked.json_path:
        write_json(asked.json_path, scale_told.as_json(found))
    if asked.markdown:
        append_whole(asked.markdown, scale_told.in_markdown(found))
