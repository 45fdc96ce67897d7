"""tune: measure what the rows that are tuned to a machine do not know of this one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.terminal import console, errors, say, sentences

if TYPE_CHECKING:
    from stepkernels import Implementation

THREADS = "NUMBA_NUM_THREADS"
LIMIT_SECONDS = 600.0  # of the child process; on two cores it takes half a minute

Missing = Annotated[bool, typer.Option("--missing", help="Leave out the rows that were tuned here before.")]


@sentences
def tune(missing: Missing = False) -> None:
    """Measure how the fused rows read fastest on this machine, and keep it: half a minute, with nothing else running.

    What was measured is in a file of the user's cache, or in that which STEPBENCH_TUNING names, and every later run,
    check and fit goes by it; the report says which plan a row went by. Delete the file to go back to the defaults.
    """
    from stepbench.machine.environment import refuse_variables
    from stepkernels.catalog import CATALOG

    refuse_variables(os.environ)
    with console.status("Measuring", refresh_per_second=1) as status:  # no oftener, for it is beside what is timed
        for row in CATALOG.values():
            if row.unavailable() is None and (row.is_untuned() or not missing):
                status.update(f"Measuring how {row.name} reads fastest")
                for found in row.tune():
                    say(f"{row.name}: {found}")


def untuned_rows(rows: Sequence[Implementation]) -> list[Implementation]:
    """Those of the catalogue's rows that can be tuned here and never were."""
    own = [row for row in rows if not row.module.endswith(".py")]
    return [row for row in own if row.unavailable() is None and row.is_untuned()]


def untuned_sentences(rows: Sequence[Implementation]) -> list[str]:
    """That rows which could be tuned go by their defaults, for whoever reads how fast they are."""
    from stepreports.telling.text import listed

    names = list(dict.fromkeys(row.name for row in untuned_rows(rows)))
    if not names:
        return []
    goes = "goes by its default" if len(names) == 1 else "go by their defaults"
    return [f"{listed(names)} {goes} here; stepbench tune measures in half a minute what reads fastest."]


def tune_what_is_not(rows: Sequence[Implementation]) -> None:
    """Before a run: tune those of the catalogue's rows that never were here, in a process of its own, and tell it.

    A run goes on without: on the plan that is the default everywhere.
    """
    from stepbench.machine.child_processes import module, run_to_its_end
    from stepbench.machine.children import environment_of_child, somewhere_to_cache

    if not untuned_rows(rows):
        return
    say("Measuring once how the fused rows read fastest on this machine, which takes half a minute (stepbench tune).")
    threads = {THREADS: os.environ[THREADS]} if THREADS in os.environ else {}  # as many as were asked about here
    with somewhere_to_cache() as caches:
        environment = environment_of_child(caches, threads)
        child = run_to_its_end(module("stepbench", "tune", "--missing"), environment, LIMIT_SECONDS)
    for line in child.stdout.splitlines():
        say(line)
    if child.status != 0:
        reason = f"tuning did not end in {LIMIT_SECONDS:g} s" if child.status is None else child.last_words
        say(f"They go by the plan that is the default everywhere: {reason}", style="yellow", on=errors)
