"""Numbers that float64 cannot hold, among those that Python and NumPy can: told as what they are, not as infinity."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepkernels.problem import ProblemError


def require_within_float64(X: Any) -> None:
    """Raise `ProblemError` for an X with a finite number that is beyond float64.

    Looked for where there can be one: in long doubles, and among objects, Python's integers and decimals.
    """
    if not _may_be_wide(X):
        return
    try:
        numbers = np.asarray(X)
        with np.errstate(over="ignore"):
            narrow = numbers.astype(np.float64)
    except OverflowError:
        raise ProblemError(_beyond("an integer")) from None
    except (TypeError, ValueError):
        return  # no numbers at all, which whoever reads X says better
    for place in zip(*np.nonzero(np.isinf(narrow)), strict=True):
        if numbers[place] != narrow[place]:
            raise ProblemError(_beyond(str(numbers[place])))


def _may_be_wide(X: Any) -> bool:
    """Whether an array, the columns of a frame or a list of lists may hold more than float64 does."""
    if hasattr(X, "toarray"):
        return False
    dtypes = [X.dtype] if hasattr(X, "dtype") else list(getattr(X, "dtypes", [np.dtype(object)]))
    return any(dtype.kind == "O" or (dtype.kind == "f" and dtype.itemsize > 8) for dtype in dtypes)


def _beyond(number: str) -> str:
    largest = f"{np.finfo(np.float64).max:.2g}"
    return f"X holds {number}, which is beyond float64, whose largest number is {largest}; bring it to a smaller scale."
