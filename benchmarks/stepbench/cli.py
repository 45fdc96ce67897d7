"""The command line. A command imports what it needs when it runs; bad input is one sentence and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import metadata
from typing import Annotated

import typer

from stepbench.commands.check import check
from stepbench.commands.compare import compare
from stepbench.commands.doctor import doctor
from stepbench.commands.endings import EXIT_STATUSES, Status
from stepbench.commands.history import history
from stepbench.commands.learn import learn
from stepbench.commands.list import list_rows
from stepbench.commands.new_kernel import new_kernel
from stepbench.commands.plain_help import PlainCommand, PlainGroup
from stepbench.commands.predict import predict
from stepbench.commands.report import report
from stepbench.commands.run import run
from stepbench.commands.scale import scale
from stepbench.commands.show import show
from stepbench.commands.streams import stand_in_for_streams
from stepbench.commands.submit import submit
from stepbench.commands.terminal import errors, say, tell_ending, widen_narrow_screens
from stepbench.commands.train import train
from stepbench.commands.tune import tune

COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_rows,
    "show": show,
    "check": check,
    "run": run,
    "report": report,
    "submit": submit,
    "new-kernel": new_kernel,
    "compare": compare,
    "history": history,
    "scale": scale,
    "doctor": doctor,
    "tune": tune,
    "train": train,
    "predict": predict,
    "learn": learn,
}

ABOUT = """One training step of logistic regression in every technique: proven to agree, then timed.

A row is one implementation of the step, a case a row at one size, dtype and operation, a run a folder of timed cases.

To begin: `stepbench list`, then `stepbench run`.
"""

app = typer.Typer(
    name="stepbench",
    cls=PlainGroup,
    help=ABOUT,
    epilog=EXIT_STATUSES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        say(f"stepbench {version_here()}")
        raise typer.Exit


@app.callback()
def stepbench(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Nothing but what is asked of every command."""


for name, command in COMMANDS.items():
    app.command(name, cls=PlainCommand, epilog=EXIT_STATUSES)(command)


def version_here() -> str:
    """The version that is installed; or that this is none, but the folders of a checkout."""
    try:
        return metadata.version("stepbench")
    except metadata.PackageNotFoundError:
        return "from a checkout, not installed"


def main() -> None:
    """The console script."""
    streams = stand_in_for_streams()
    widen_narrow_screens()
    status = _status_of_command()
    if lost := streams.lost:
        say(f"Standard output is not whole: {lost}. What went into files is.", style="red", on=errors)
        status = status or Status.NOT_WRITTEN
    sys.exit(status)


def _status_of_command() -> int:
    """Carry out the command that was typed; its exit status."""
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else Status.DONE
    except (Exception, KeyboardInterrupt) as error:  # before a command began, or of Typer's own
        return tell_ending(error)
    return Status.DONE
