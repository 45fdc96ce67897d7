"""The look of a row: the same everywhere, told apart from the others, readable on either ground."""

from __future__ import annotations

import pytest

from stepreports.figures.style import COLOURS, OWN, PAPER, PAPER_DARK, TONES, styles
from stepreports.records.stored import Row
from synthetic_runs import ROWS

FAMILIES = [OWN, *([base, *tones] for base, tones in zip(COLOURS, TONES, strict=True))]


def row(name, library, technique, device="cpu", own=False):
    return Row(name, library, technique, device, "", own)


def test_a_row_keeps_its_look_whatever_the_order_and_its_colour_whatever_runs_beside_it():
    rows = [row(model.name, model.library, model.technique, model.device) for model in ROWS]
    everywhere = styles(rows)
    assert styles(reversed(rows)) == everywhere
    for each in rows:
        assert styles([each])[each.name].colour == everywhere[each.name].colour


def test_rows_of_a_run_look_different():
    rows = [row(f"{library}-{k}", library, f"technique {k}") for library in "abcdefgh" for k in range(len(COLOURS))]
    assert len({(look.colour, look.marker, look.dashes) for look in styles(rows).values()}) == len(rows)


def test_rows_of_one_library_differ_in_colour():
    rows = [row(f"x-{k}", "x", f"technique {k}") for k in range(4)]
    assert len({look.colour for look in styles(rows).values()}) == 4


def test_a_kernel_of_the_users_has_a_colour_that_no_library_has():
    looks = styles([row("numpy-blas", "numpy", "matrix form"), row("mine", "numpy", "matrix form", own=True)])
    assert looks["mine"].colour in {light for light, _ in OWN}
    assert looks["numpy-blas"].colour not in {light for light, _ in OWN}


def test_no_two_rows_share_a_colour_by_name():
    """A figure's colours are told apart when they are made the theme's."""
    colours = [light for family in FAMILIES for light, _ in family]
    assert len(set(colours)) == len(colours)


def test_a_technique_on_both_devices_differs_by_its_line_only():
    looks = styles([row("x-cpu", "x", "same"), row("x-cuda", "x", "same", "cuda")])
    cpu, cuda = looks["x-cpu"], looks["x-cuda"]
    assert (cpu.colour, cpu.marker) == (cuda.colour, cuda.marker)
    assert cpu.dashes != cuda.dashes


@pytest.mark.parametrize("ground", [0, 1], ids=["light", "dark"])
def test_every_colour_stands_out_from_its_ground(ground):
    paper = (PAPER, PAPER_DARK)[ground]
    for pair in (pair for family in FAMILIES for pair in family):
        assert contrast(pair[ground], paper) >= 3


def contrast(one, other):
    """The contrast ratio of WCAG 2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
