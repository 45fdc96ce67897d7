"""Formulas: written in LaTeX, those that stand by themselves in texts/formulas.toml, and shown as MathML."""

from __future__ import annotations

import tomllib
from pathlib import Path

from latex2mathml.converter import convert
from markupsafe import Markup

TEXTS = Path(__file__).parent / "texts"
FORMULAS: dict[str, str] = tomllib.loads((TEXTS / "formulas.toml").read_text(encoding="utf-8"))


def displayed(name: str) -> Markup:
    """A formula of `FORMULAS` on a line of its own."""
    return Markup(convert(FORMULAS[name], display="block"))  # noqa: S704  our own formulas


def inline(latex: str) -> Markup:
    """A formula within a sentence."""
    return Markup(convert(latex))  # noqa: S704  our own texts
