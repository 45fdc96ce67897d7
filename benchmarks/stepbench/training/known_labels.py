"""Labels that stand in a table as the classes of a model, though they are text in one and numbers in the other."""

from __future__ import annotations

import numpy as np

from stepbench.cases.csv_files import NUMBER
from stepbench.cases.label_text import Labels

TRUTHS = {"true": 1.0, "false": 0.0}


def as_classes(labels: Labels, classes: Labels) -> tuple[Labels | None, str | None]:
    """The labels (m,) as the model's classes, None where they are not these two alone; and what to say of it.

    Text is compared as it is written, 01 with 01. Only where text meets numbers is it taken for the number it spells.
    """
    found, places = np.unique(labels, return_inverse=True)
    if (found.dtype.kind == "U") == (classes.dtype.kind == "U"):
        return (labels if np.array_equal(found, classes) else None), None
    numbers, spelt_by = [number_of(each) for each in found], {number_of(each): each for each in classes}
    if len(found) != 2 or len(spelt_by) != 2 or None in spelt_by or set(numbers) != set(spelt_by):
        return None, None
    taken = np.array([spelt_by[number] for number in numbers])
    here, there = ("text" if each.dtype.kind == "U" else "numbers" for each in (found, classes))
    told = f"The classes are {here} in the table and {there} in the model"
    return taken[places], f"{told}: {found[0].item()!r} was taken for {taken[0].item()!r}."


def spelt(label: object) -> object:
    """A label without regard to whether it is text or a number."""
    number = number_of(label)
    return str(label) if number is None else number


def number_of(label: object) -> float | None:
    """The number that a label is or spells."""
    text = str(label)
    return float(text) if NUMBER.fullmatch(text) else TRUTHS.get(text.strip().lower())
