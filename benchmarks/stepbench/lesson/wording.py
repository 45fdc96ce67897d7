"""The words of the lesson, a TOML file for each language with the same keys, and how they become HTML.

A text is paragraphs, separated by empty lines. `{{ name }}` stands for a number that was computed, `$…$` for a formula
in LaTeX, backticks for code, double asterisks for strong words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from stepbench.lesson.formulas import TEXTS, inline
from stepreports.page.report_page import words
from stepreports.telling import text as numbers

LANGUAGES = {"en": "en", "zh": "zh-Hans"}
_MINUS = "\N{MINUS SIGN}"
_CLOSING = ",.;:?!)”，。；：、？！）"
_UNBROKEN = Markup('<span class="unbroken">{}{}</span>')


def texts(language: str) -> dict[str, dict[str, str]]:
    """The texts of a language: section, then key."""
    found: dict[str, dict[str, str]] = tomllib.loads((TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return found


class Wording:
    """The texts of one language with its numbers filled in."""

    def __init__(self, language: str, values: Mapping[str, Any]) -> None:
        self.texts = texts(language)
        self.values = values
        self.environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701  escaped by `words`
        self.environment.filters.update(
            digits=digits,
            places=places,
            plain_seconds=numbers.plain_seconds,
            plain_bytes=numbers.plain_bytes,
            percent=numbers.percent,
            names=names,
        )

    @cached_property
    def labels(self) -> dict[str, str]:
        """The short texts of figures and controls."""
        return {key: self.plain(f"labels.{key}") for key in self.texts["labels"]}

    def plain(self, name: str) -> str:
        """The text "section.key" with its numbers, as it is."""
        section, _, key = name.partition(".")
        return self.environment.from_string(self.texts[section][key]).render(self.values).strip()

    def line(self, name: str) -> Markup:
        """A text as HTML, without a paragraph around it."""
        return marked_up(self.plain(name))

    def paragraphs(self, name: str) -> Markup:
        """A text as HTML paragraphs."""
        return Markup("\n").join(Markup("<p>{}</p>").format(marked_up(p)) for p in self.plain(name).split("\n\n"))


def marked_up(sentence: str) -> Markup:
    """Words as HTML, and what stands between dollar signs as MathML, never parted from the punctuation behind it."""
    first, *others = sentence.split("$")
    marked = [words(first)]
    for formula, behind in zip(others[::2], others[1::2], strict=True):
        after = len(behind) - len(behind.lstrip(_CLOSING))
        marked += [_UNBROKEN.format(inline(formula), behind[:after]), words(behind[after:])]
    return Markup("").join(marked)


def inline_formulas(sentence: str) -> list[str]:
    """The formulas within a text, as written."""
    return re.findall(r"\$([^$]+)\$", sentence)


def digits(value: float, count: int = 3) -> str:
    """A number to so many significant digits; a very small or large one as a power of ten, to be set as a formula."""
    if value == 0 or 1e-4 <= abs(value) < 1e9:
        return numbers.significant(value, count).replace("-", _MINUS)
    mantissa, _, exponent = f"{value:.{count - 1}e}".partition("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def names(rows: Sequence[str]) -> str:
    """Names of rows, each as code."""
    return ", ".join(f"`{row}`" for row in rows)


def places(value: float, count: int = 2) -> str:
    """A number to so many decimals."""
    return f"{value:.{count}f}".replace("-", _MINUS)
