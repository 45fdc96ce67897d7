"""A trained classifier as a file: what predicting needs, in an .npz without pickled objects."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from scipy.special import expit

from stepbench.cases.data_files import UNREADABLE, read_arrays
from stepbench.cases.data_table import Labels, blocks
from stepbench.cases.standardizing import standardize
from stepkernels.problem import Array, ProblemError
from stepreports.records.files import write_whole

FORMAT = "stepbench-logistic-regression"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """z = ((x − mean) / scale)·w + b; positive z means the second class.

    w, mean, scale  (n,)
    b               0-d
    classes         (2,) the labels
    columns         (n,) names of the features, in their order
    target          0-d, the name of the column that was learned
    trained_on, row, optimizer  0-d texts: the data, and what computed
    """

    w: Array
    b: Array
    mean: Array
    scale: Array
    classes: Labels
    columns: Labels
    target: Labels
    trained_on: Labels
    row: Labels
    optimizer: Labels

    def margins(self, X: Array) -> Array:
        """The z of each row of X (m, n), which is as it was read: not standardized."""
        z = [standardize(X[part], self.mean, self.scale) @ self.w + self.b for part in blocks(X)]
        return np.concatenate(z)

    def predict(self, z: Array) -> tuple[Labels, Array]:
        """The likelier class of each row, and the probability of the second class."""
        probabilities: Array = expit(z)
        return self.classes[(z > 0).astype(np.intp)], probabilities

    def save(self, path: Path) -> Path:
        """Write the model; whoever reads meanwhile finds the old file or the new one, never a part."""
        stream = io.BytesIO()
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        np.savez(stream, allow_pickle=False, format=FORMAT, version=VERSION, **arrays)
        return write_whole(path, stream.getvalue())


def load_model(path: Path) -> Model:
    """Raises `ProblemError` for what is not a model, is cut off, or was written by another version."""
    try:
        arrays = read_arrays(path)
    except FileNotFoundError:
        raise ProblemError(f"There is no model {path}. `stepbench train` writes one.") from None
    except UNREADABLE:
        raise ProblemError(f"{path.name} is not a model that Stepbench wrote, or it is cut off.") from None
    if arrays.pop("format", None) != FORMAT:
        raise ProblemError(f"{path.name} is not a model that Stepbench wrote.")
    if (version := arrays.pop("version", None)) != VERSION:
        raise ProblemError(f"{path.name} is a model of version {version}; this Stepbench reads version {VERSION}.")
    if set(arrays) != {field.name for field in fields(Model)}:
        raise ProblemError(f"{path.name} lacks parts of a model. Train it again.")
    return Model(**arrays)
