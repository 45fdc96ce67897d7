"""Help in which no flag looks as if it took a value, Typer's own included, and paragraphs are as wide as the screen."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> list[Any]:
        return without_values(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.help = in_paragraphs(self.help)
        super().format_help(ctx, formatter)


class PlainGroup(TyperGroup):
    """All commands together."""

    def get_params(self, ctx: Any) -> list[Any]:
        return without_values(super().get_params(ctx))


def in_paragraphs(told: str | None) -> str | None:
    """A docstring whose lines the screen breaks, and not the file that it stands in; an empty line parts paragraphs."""
    return told and "\n\n".join(" ".join(paragraph.split()) for paragraph in told.split("\n\n"))


def without_values(parameters: list[Any]) -> list[Any]:
    """The parameters, a flag among them with nothing to stand for its value."""
    for each in parameters:
        if getattr(each, "is_flag", False):
            each.metavar = ""
    return parameters
