"""How a file is read where it does not say so itself: what a user may say of it, or a model knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is said of a file; None leaves it to a look at the file.

    header      whether the first line of a CSV names the columns. None: it does, and one that looks like values is
                refused
    keep_index  whether an index (a nameless first column, or what pandas calls so) is a column like any other. None:
                what only counts the rows is left out, what holds data is kept
    zero_based  whether the indices of svmlight count from 0. None: they do where a 0 occurs
    copies      how many copies of the features, in float64, are to fit in memory beside the table
    """

    header: bool | None = None
    keep_index: bool | None = None
    zero_based: bool | None = None
    copies: float = 0.0


AS_IT_LOOKS = Reading()
