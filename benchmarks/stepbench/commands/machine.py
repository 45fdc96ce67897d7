"""doctor: what the machine can do, and whether the harness can be trusted on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from stepbench.commands.terminal import console, progress_bar, sentences


@sentences
def doctor(
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Measure the harness itself: known times, A/A, an injected slow-down.")
    ] = False,
    threads: Annotated[int | None, typer.Option(help="The thread budget to measure under.")] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write all of it here.")] = None,
) -> None:
    """Examine the machine: its measured limits, and what would make timings unreliable; one line to paste."""
    from stepbench.machine import doctor as examine
    from stepbench.machine.environment import describe_machine
    from stepbench.machine.threads import default_budget

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


def _self_test() -> dict[str, Any]:
    """Run the harness's self-test, print its figures and return them."""
    from stepbench.evidence import self_test as harness

    with progress_bar(harness.units_of_work()) as bar:
        figures = harness.run(bar).to_json()
    for sentence in harness.sentences(figures):
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return figures
