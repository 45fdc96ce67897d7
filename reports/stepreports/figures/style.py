"""One look for every row, everywhere: colour by library, marker by technique, line by device.

There is no table of rows. A library's colour and a technique's marker follow from its name (a hash picks the place,
the next free one is taken on a collision), so a row keeps its look from run to run and a new row gets one. What
colour cannot carry, markers and labels at line ends do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stepreports.records.stored import Row

# (on light paper, on dark), each at least 3 to 1 against its ground; apart by 22 units or more of CIE Lab for every
# pair but one, as normal, deuteranope and protanope eyes see them (Machado, Oliveira and Fernandes, 2009).
COLOURS = (
    ("#4a35e8", "#a366ff"),  # violet
    ("#9c3b04", "#f4511e"),  # rust
    ("#1a5fd0", "#4a8bdc"),  # blue
    ("#0c96d2", "#5fd0fb"),  # sky
    ("#a88d00", "#f7c325"),  # mustard
    ("#a01a86", "#e05c9c"),  # plum
    ("#045e49", "#41e695"),  # green
    ("#858b96", "#cfd6dd"),  # grey
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
Dashes = str | tuple[int, tuple[float, ...]]
DASHES: dict[str, Dashes] = {"cpu": "-", "cuda": (0, (5, 2))}
INK, FAINT, GRID, PAPER = "#1d232b", "#5b6571", "#d9dde2", "#ffffff"
INK_DARK, FAINT_DARK, GRID_DARK, PAPER_DARK = "#e8ebef", "#9aa5b1", "#333b45", "#14181d"


@dataclass(frozen=True, slots=True)
class Style:
    """How a row is drawn."""

    colour: str
    colour_dark: str
    marker: str
    dashes: Dashes


def styles(rows: Iterable[Row]) -> dict[str, Style]:
    """The style of each row by name."""
    rows = list(rows)
    colours = _places((row.library for row in rows), len(COLOURS))
    found = {}
    for library, place in colours.items():
        members = [row for row in rows if row.library == library]
        markers = _places((row.technique for row in members), len(MARKERS))
        for row in members:
            dashes = DASHES.get(row.device, DASHES["cpu"])
            found[row.name] = Style(*COLOURS[place], MARKERS[markers[row.technique]], dashes)
    return found


def _places(names: Iterable[str], count: int) -> Mapping[str, int]:
    """A place below `count` for each name, whatever their order; no two alike while there are free ones."""
    found: dict[str, int] = {}
    for name in sorted(set(names)):
        place = _hash(name) % count
        while place in found.values() and len(found) < count:
            place = (place + 1) % count
        found[name] = place
    return found


def _hash(name: str) -> int:
    """A number that is the same in every process; the salt was searched for so that common libraries do not collide."""
    return hashlib.blake2b(name.encode(), digest_size=1, salt=b"796").digest()[0]
