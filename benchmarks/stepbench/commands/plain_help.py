"""Help in which no flag looks as if it took a value, Typer's own included, and paragraphs are as wide as the screen."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from stepbench.commands.terminal import NARROWEST, screen_columns

LEAST_FOR_HELP = 50  # columns: an option's name, and words beside it


class PlainCommand(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> list[Any]:
        return without_values(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.help = in_paragraphs(self.help)
        lay_out(self, formatter)
        super().format_help(ctx, formatter)

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002  told whole
        """The first paragraph."""
        return (in_paragraphs(self.help) or "").partition("\n\n")[0]


class PlainGroup(TyperGroup):
    """All commands together."""

    def get_params(self, ctx: Any) -> list[Any]:
        return without_values(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        lay_out(self, formatter)
        super().format_help(ctx, formatter)


def lay_out(command: PlainCommand | PlainGroup, formatter: Any) -> None:
    """Without panels where the screen is too narrow for them: as wide as it is, so that nothing is cut or folded."""
    if (columns := screen_columns()) < NARROWEST:
        command.rich_markup_mode = None
        formatter.width = max(LEAST_FOR_HELP, int(columns))


def in_paragraphs(told: str | None) -> str | None:
    """A docstring whose lines the screen breaks, and not the file that it stands in; an empty line parts paragraphs."""
    return told and "\n\n".join(" ".join(paragraph.split()) for paragraph in told.split("\n\n"))


def without_values(parameters: list[Any]) -> list[Any]:
    """The parameters, a flag among them with nothing to stand for its value."""
    for each in parameters:
        if getattr(each, "is_flag", False):
            each.metavar = ""
    return parameters
