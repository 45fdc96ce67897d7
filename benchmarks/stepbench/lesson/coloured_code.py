"""Code as the page shows it: Python in colours, and each line an element that wraps below its own indentation."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_TAG = re.compile(r"<[^>]*>")


def coloured(code: str) -> Markup:
    """Code as HTML, whose classes the page's style sheet colours. Pygments ends every token at the end of its line."""
    html = str(highlight(code, PythonLexer(), HtmlFormatter(nowrap=True))).rstrip("\n")
    return _lines(map(Markup, html.split("\n")))  # escaped by Pygments


def plain(text: str) -> Markup:
    """Text that is no Python, in such lines."""
    return _lines(map(escape, text.splitlines()))


def _lines(lines: Iterable[Markup]) -> Markup:
    return Markup("").join(map(_line, lines))


def _line(line: Markup) -> Markup:
    words = _TAG.sub("", line)
    indentation = len(words) - len(words.lstrip(" "))
    return Markup('<span class="line" style="--in:{}ch">{}\n</span>').format(indentation, line)
