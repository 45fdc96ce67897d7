"""doctor: what the machine can do, and whether the harness can be trusted on it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from stepbench.commands.doctor_on_ranks import examine
from stepbench.commands.places import require_writable
from stepbench.commands.terminal import console, options_of, progress_bar, say, sentences
from stepkernels.problem import ProblemError

ANSWERING_SECONDS = 60.0  # of a rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of the doctor."""

    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help="Also measure the harness itself, which takes minutes: steps of known duration, a row "
            "against itself, a row slowed on purpose. Exit status 1 where the machine is too noisy for it.",
        ),
    ] = False
    threads: Annotated[
        int | None, typer.Option(help="Measure with so many threads. Default: all this process may use.")
    ] = None
    json_path: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all of it here, as JSON.")] = (
        None
    )
    ranks: Annotated[
        int | None,
        typer.Option(
            help="Examine instead whether so many processes can train together: they meet, tell what they find, and "
            "talk. On several hosts: `torchrun … -m stepbench doctor`."
        ),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long a rank may take to come, or to answer. Default: 60."),
    ] = None


@options_of(Options)
@sentences
def doctor(asked: Options) -> None:
    """Examine the machine: its measured limits, and what would make timings unreliable; one line to paste.

    With --ranks, or under torchrun: whether ranks can train together, and if not, what to do. Exit status then 1, or 2
    where they do not even meet.
    """
    from stepbench.machine.torchrun import is_a_rank

    if asked.ranks is not None or is_a_rank():
        if asked.self_test or asked.threads is not None or asked.json_path is not None:
            raise ProblemError("Ranks are examined by themselves; leave out --self-test, --threads and --json.")
        examine(asked.ranks, ANSWERING_SECONDS if asked.timeout is None else asked.timeout)
        return
    if asked.timeout is not None:
        raise ProblemError("--timeout is for ranks; add --ranks 2, or more.")
    raise typer.Exit(0 if examine_machine(asked) else 1)


def examine_machine(asked: Options) -> bool:
    """Measure and tell; whether the harness passed its own test, where that was asked for."""
    from stepbench.machine.description import describe_machine
    from stepbench.machine.environment import refuse_variables
    from stepbench.machine.measured import measured_limits
    from stepbench.machine.threads import default_budget
    from stepbench.run.choices import require_threads
    from stepreports.records.files import write_json

    refuse_variables(os.environ)
    budget = default_budget() if asked.threads is None else asked.threads
    require_threads([budget])
    if asked.json_path:
        require_writable(asked.json_path)
    machine = describe_machine()
    with console.status("Measuring the limits of this machine"):
        limits = measured_limits(budget)
    tell(machine, limits)
    for sentence in tuned_sentences():
        say(sentence)
    figures = _self_test() if asked.self_test else None
    if asked.json_path:
        write_json(asked.json_path, {"machine": machine, "limits": limits, "self_test": figures})
    return figures is None or bool(figures["passed"])


def _self_test() -> dict[str, Any]:
    """Run the harness's self-test, print its figures and return them."""
    from stepbench.evidence import self_test as harness

    with progress_bar(harness.units_of_work()) as bar:
        figures = harness.run(bar).to_json()
    for sentence in harness.sentences(figures):
        say(sentence)
    return figures


def tuned_sentences() -> list[str]:
    """By which plans the rows that are tuned to a machine go here, or that nobody has tuned them."""
    from stepkernels.catalog import CATALOG

    rows = [row for row in CATALOG.values() if row.unavailable() is None and row.library == "numba"]
    found = [f"{row.name}, tuned to this machine: {told}" for row in rows for told in row.tuned()]
    return found or ["The fused rows are not tuned to this machine, and go by their defaults; see stepbench tune."]


def paste_line(machine: dict[str, Any], limits: dict[str, Any]) -> str:
    """Everything a bug report needs, in one line."""
    from stepreports.records.machines import in_full

    memory, fma = limits["read_gb_per_s"][-1][1], limits["fma_gflops"]
    versions = " ".join(f"{name} {version}" for name, version in machine["versions"].items())
    gpus = ", ".join(gpu["model"] for gpu in machine["gpus"]) or "no GPU"
    return (
        f"{in_full(machine['cpu'], machine)}, {limits['threads']} threads, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, {gpus}, "
        f"read {memory:.0f} GB/s, {fma['float32']:.0f}/{fma['float64']:.0f} GFLOP/s, {machine['system']}, "
        f"Python {machine['python']}, {versions}"
    )


def tell(machine: dict[str, Any], limits: dict[str, Any]) -> None:
    """Print all of it; the last line is the one to paste."""
    from stepbench.machine.measured import warnings_for

    for line in machine_lines(machine):
        say(line)
    say("\nReading, GB/s")
    console.print(bandwidth_table(limits))
    for line in limit_lines(limits):
        say(line)
    say("")
    for sentence in warnings_for(machine):
        say(f"! {sentence}", style="yellow")
    say(paste_line(machine, limits), whole=True)


def machine_lines(machine: dict[str, Any]) -> list[str]:
    """What is known of the machine, a line a fact."""
    from stepreports.telling.machine_facts import facts_of

    told = {name: value for name, value in machine.items() if name != "versions" and value not in (None, [], {})}
    return [f"{name}: {value}" for name, value in facts_of(told) if value != "not known"]


def bandwidth_table(limits: dict[str, Any]) -> Table:
    """How fast sets of each size are read."""
    bandwidth = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("working set", "one thread", f"best of 1 and {limits['threads']}"):
        bandwidth.add_column(name, justify="right")
    one, best = limits["read_gb_per_s_one_thread"], limits["read_gb_per_s"]
    for (size, rate), (_, more) in zip(one, best, strict=True):
        bandwidth.add_row(_binary(size), f"{rate:.3g}", f"{more:.3g}")
    return bandwidth


def limit_lines(limits: dict[str, Any]) -> list[str]:
    """The other limits that were measured."""
    from stepbench.machine.measured import knee_bytes

    return [
        f"caches end, as measured, at {_binary(knee_bytes(limits['read_gb_per_s']))}",
        f"streaming triad {limits['triad_gb_per_s']:.3g} GB/s",
        *(f"multiply-add {dtype} {rate:.3g} GFLOP/s" for dtype, rate in limits["fma_gflops"].items()),
        f"an empty compiled call {limits['empty_call_seconds'] * 1e9:.0f} ns",
        f"waking the thread pool {limits['pool_wake_seconds'] * 1e6:.2g} µs",
        f"the clock's resolution {limits['clock_resolution_seconds'] * 1e9:.0f} ns",
    ]


def _binary(size: int) -> str:
    return f"{size // 2**20} MiB" if size >= 2**20 else f"{size // 2**10} KiB"
