"""One look for every row, everywhere: hue by library, tone and marker by technique, line by device.

There is no table of rows. A library's hue and a technique's tone and marker follow from its name (a hash picks the
place, the next free one is taken on a collision), so a row keeps its look from run to run and a new row gets one. The
kernels of the user's have a hue of their own. What colour cannot carry, markers and labels at line ends do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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
# Further tones of each of those, in their order, for the techniques of one library: each at least 3 to 1 against its
# ground, and apart from the others of its library by 12 units or more, as the same eyes see them.
TONES = (
    (("#550084", "#ff8ee3"), ("#5e8eff", "#c639a1"), ("#9a5fc0", "#9021ff")),
    (("#e37142", "#ffab85"), ("#7b0026", "#c6555e"), ("#c4706a", "#f68ea1")),
    (("#0b2a6b", "#9cc4ff"), ("#6a86b8", "#8468aa"), ("#1c00b3", "#8ba3b8")),
    (("#135e8f", "#2a8fb8"), ("#5584ff", "#5eaaff"), ("#4f8fa6", "#13bdc6")),
    (("#5e2f00", "#b3714c"), ("#7b9755", "#e3ec84"), ("#977126", "#b3aa42")),
    (("#d91c68", "#ff9ad0"), ("#c642ff", "#d913bd"), ("#6b0f4a", "#b300ff")),
    (("#5ea155", "#b3ff71"), ("#2fa17b", "#1f9a66"), ("#2b3d1e", "#00aa2f")),
    (("#2f394c", "#84715e"), ("#6b5d4a", "#bdaa97"), ("#4d6b74", "#6f8c96")),
)
OWN = (("#d90968", "#ff3366"), ("#ff4d3d", "#ff9a8a"), ("#8a0035", "#f400bc"), ("#f400bc", "#ff7a00"))  # the user's
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
    own, ours = ([row for row in rows if row.own is whose] for whose in (True, False))
    hues = _places((row.library for row in ours), len(COLOURS))
    found = _of_one_hue(own, OWN)
    for library, place in hues.items():
        found |= _of_one_hue([row for row in ours if row.library == library], (COLOURS[place], *TONES[place]))
    return found


def _of_one_hue(rows: Sequence[Row], tones: Sequence[tuple[str, str]]) -> dict[str, Style]:
    """Rows that share a hue: a tone and a marker for each technique, a line for each device."""
    techniques = [row.technique for row in rows]
    places, markers = _places(techniques, len(tones), _OF_TONES), _places(techniques, len(MARKERS))
    return {
        row.name: Style(
            *tones[places[row.technique]], MARKERS[markers[row.technique]], DASHES.get(row.device, DASHES["cpu"])
        )
        for row in rows
    }


# The salts were searched for: with them common libraries, and the techniques of each, do not collide.
_OF_NAMES, _OF_TONES = b"796", b"2565"


def _places(names: Iterable[str], count: int, salt: bytes = _OF_NAMES) -> Mapping[str, int]:
    """A place below `count` for each name, whatever their order; no two alike while there are free ones."""
    found: dict[str, int] = {}
    for name in sorted(set(names)):
        place = hashlib.blake2b(name.encode(), digest_size=1, salt=salt).digest()[0] % count
        while place in found.values() and len(found) < count:
            place = (place + 1) % count
        found[name] = place
    return found
