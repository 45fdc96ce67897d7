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
    return _mathml(FORMULAS[name], "block")


def inline(latex: str) -> Markup:
    """A formula within a sentence."""
    return _mathml(latex, "inline")


def _mathml(latex: str, display: str) -> Markup:
    """MathML with two spaces set as a printer would: one after a function's name, none around a slash."""
    converted = convert(latex.replace(r"\ln ", r"\ln\, "), display=display)
    return Markup(converted.replace("<mo>&#x0002F;</mo>", '<mo lspace="0" rspace="0">&#x0002F;</mo>'))  # noqa: S704
