"""submit: check a run as it will be checked when it is published, and pack it for a pull request."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.endings import Status
from stepbench.commands.places import require_writable
from stepbench.commands.terminal import errors, say, sentences

# Names that say nothing of anybody, and may well be words of a record.
NOBODYS = {"admin", "codespace", "localhost", "root", "runner", "ubuntu", "user", "vagrant"}
SHORTEST = 3  # letters of a name that is looked for: a shorter one is part of anything


@sentences
def submit(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `stepbench run` wrote.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to pack it into. Default: stepbench-MACHINE-DAY-COMMIT.zip, here."),
    ] = None,
) -> None:
    """Add your machine to the published ones: check a run, and pack it into one file for a pull request.

    The run is held to what will be asked of it when it is published: that its numbers follow from its turns, and these
    from its journal, in the order that its seed gives; that a row timed twice is itself; that no row is faster than
    the machine can read; that the commit is clean, and the harness passed its own test here. No host name, user name
    or path may be in it. Nothing is sent anywhere.
    """
    import stepreports
    from stepreports.publish import name_of_place
    from stepreports.submission.all_checks import faults_of_submission
    from stepreports.submission.packing import pack

    if out is not None:
        require_writable(out)
    stepreports.write_report(run)
    if found := faults_of_submission(run, names_of_this_place()):
        for fault in found:
            say(f"Not to be published: {fault}.", style="red", on=errors)
        raise typer.Exit(Status.FAILED)
    archive = pack(run, Path(f"stepbench-{name_of_place(run)}.zip") if out is None else out)
    say(f"Nothing is against it: its records, its journal and the harness's own test are in {archive}.")
    say(f"In a fork of the project: python -m stepreports.publish {archive}", whole=True)
    say("Commit what that writes under reports/, and open a pull request; or attach the file to an issue.")


def names_of_this_place() -> list[str]:
    """The names of the host, the user and their home that a record must not hold."""
    host = socket.gethostname()
    names = (host, host.partition(".")[0], getpass.getuser(), Path.home().name)
    return [name for name in dict.fromkeys(names) if len(name) >= SHORTEST and name.lower() not in NOBODYS]
