"""The command line. A command imports what it needs when it runs; bad input is one sentence and exit status 2."""

from __future__ import annotations

import typer

from stepbench.commands.check import check
from stepbench.commands.doctor import doctor
from stepbench.commands.learn import learn
from stepbench.commands.list import list_rows
from stepbench.commands.predict import predict
from stepbench.commands.report import report
from stepbench.commands.run import run
from stepbench.commands.show import show
from stepbench.commands.train import train

app = typer.Typer(
    name="stepbench",
    help="One training step of logistic regression in every technique: proven to agree, then timed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command("list")(list_rows)
app.command("show")(show)
app.command("check")(check)
app.command("run")(run)
app.command("report")(report)
app.command("doctor")(doctor)
app.command("train")(train)
app.command("predict")(predict)
app.command("learn")(learn)


def main() -> None:
    """The console script."""
    app()
