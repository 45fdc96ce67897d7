"""Help in which an option that takes no value does not look as if it took one, Typer's own options included."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class PlainCommand(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> list[Any]:
        return without_values(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """All commands together."""

    def get_params(self, ctx: Any) -> list[Any]:
        return without_values(super().get_params(ctx))


def without_values(parameters: list[Any]) -> list[Any]:
    """The parameters, a flag among them with nothing to stand for its value."""
    for each in parameters:
        if getattr(each, "is_flag", False):
            each.metavar = ""
    return parameters
