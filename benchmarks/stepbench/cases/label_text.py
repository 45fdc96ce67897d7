"""Labels: the classes of the rows, as numbers or as text. None may be missing, and text is a class as it is written."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepkernels.problem import ProblemError

Labels = NDArray[Any]

MOST_NAMES = 12  # in a sentence
SPELLS_MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "<na>", "nil", "?", "-"})


def checked_labels(values: Labels, table: str, column: str) -> Labels:
    """Labels (m,) as they are, bytes as text. Raises `ProblemError` for what is no class, with its row."""
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind not in "biufU":
        raise ProblemError(
            f"{table}: the target {column!r} holds {kind_of(values.dtype)}; a class is a number or a text."
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row = int((~np.isfinite(values)).argmax()) + 1
        raise ProblemError(
            f"{table}: the target {column!r} holds NaN or infinity, in row {row} first. Remove or fill in what is "
            "missing."
        )
    if values.dtype.kind == "U":
        require_no_gaps(values == "", table, column)
    return values


def require_no_gaps(missing: NDArray[np.bool_], table: str, column: str) -> None:
    """Raise `ProblemError` where a column lacks values, with the first row."""
    if missing.any():
        row, more = int(missing.argmax()) + 1, int(missing.sum()) - 1
        where = f"row {row}" + (f" and {more} more" if more else "")
        raise ProblemError(
            f"{table}: the column {column!r} has no value in {where}. Remove or fill in what is missing."
        )


def kind_of(dtype: np.dtype[Any]) -> str:
    """In words."""
    return {"O": "Python objects", "c": "complex numbers", "M": "dates", "V": "records"}.get(dtype.kind, str(dtype))


def few(names: Any) -> str:
    """The names in a sentence, the first dozen of them."""
    return ", ".join(map(str, names[:MOST_NAMES])) + (f", … ({len(names)})" if len(names) > MOST_NAMES else "")
