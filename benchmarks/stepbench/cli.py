"""The command line. A command imports what it needs when it runs; bad input is one sentence and exit status 2."""

from __future__ import annotations

import typer

from stepbench.commands import learning, machine, rows, timing

app = typer.Typer(
    name="stepbench",
    help="One training step of logistic regression in every technique: proven to agree, then timed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command("list")(rows.list_rows)
app.command("show")(rows.show)
app.command("check")(rows.check)
app.command("run")(timing.run)
app.command("report")(timing.report)
app.command("doctor")(machine.doctor)
app.command("train")(learning.train)
app.command("predict")(learning.predict)
app.command("learn")(learning.learn)


def main() -> None:
    """The console script."""
    app()
