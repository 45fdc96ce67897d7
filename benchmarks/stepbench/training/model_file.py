"""A trained classifier as a file: what predicting needs, in an .npz without pickled objects."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from stepbench.cases.archives import declared_arrays, unpacked
from stepbench.cases.csv_files import NUMBER
from stepbench.cases.data_table import blocks
from stepbench.cases.file_names import shown_name
from stepbench.cases.free_memory import require_bytes
from stepbench.cases.label_text import Labels
from stepbench.cases.reading import Reading
from stepbench.cases.standardizing import standardize
from stepbench.training.model_parts import (
    ADDED,
    FORMAT,
    HEAD,
    NO_INDICES,
    PARTS,
    VERSION,
    fault_of_head,
    fault_of_shapes,
    fault_of_values,
)
from stepkernels.problem import Array, ProblemError
from stepreports.records.files import write_whole

EVEN = 0.5  # the probability above which the second class is the likelier


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """z = ((x − mean) / scale)·w + b; positive z means the second class.

    w, mean, scale  (n,)
    b               0-d
    classes         (2,) the labels
    columns         (n,) names of the features, in their order
    target          0-d, the name of the column that was learned
    trained_on, row, optimizer  0-d texts: the data, and what computed
    named           0-d, 1 where the data named their columns, 0 where these are known by their places
    counted_from    0-d, the first column's index in svmlight data, 0 or 1; −1 for other data
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
    named: Labels
    counted_from: Labels

    def reading(self, asked: Reading) -> Reading:
        """How to read new data: as those learned from, where nothing else was asked; columns are found by name."""
        counted_from = int(self.counted_from)
        named_by_numbers = any(NUMBER.fullmatch(str(column)) for column in self.columns)
        learned = Reading(
            header=False if not self.named else True if named_by_numbers else None,
            keep_index=True,
            zero_based=None if counted_from == NO_INDICES else counted_from == 0,
        )
        said = {name: value for name in ("header", "keep_index", "zero_based")
                if (value := getattr(asked, name)) is not None}  # fmt: skip
        return replace(learned, **said)

    def widths(self) -> tuple[int, ...]:
        """How many columns new data without names may have: those learned from, and the target where it was one.

        Empty where the columns have names that are no numbers, and new data must have them.
        """
        n, places = len(self.columns), [str(column) for column in self.columns]
        target = str(self.target)
        if places == [str(j) for j in range(n)]:
            return (n, n + 1) if target == str(n) else (n,)
        whole = sorted([*places, target]) == sorted(map(str, range(n + 1)))
        return (n + 1,) if whole else ()

    def margins(self, X: Array, numbers: NDArray[np.intp] | None = None) -> Array:
        """The z of each row of X (m, n), which is as it was read: not standardized.

        Raises `ProblemError` for a row whose values are too large for a finite z; `numbers` are the rows' own, from 0.
        """
        with np.errstate(all="ignore"):
            z = [standardize(X[part], self.mean, self.scale) @ self.w + self.b for part in blocks(X)]
        margins: Array = np.concatenate(z)
        if not np.isfinite(margins).all():
            wrong = int((~np.isfinite(margins)).argmax())
            row = 1 + (wrong if numbers is None else int(numbers[wrong]))
            raise ProblemError(f"The values of row {row} are too large for the model: it comes to no finite number.")
        return margins

    def predict(self, z: Array, threshold: float = EVEN) -> tuple[Labels, Array]:
        """The class of each row, the second where its probability is above the threshold; and that probability."""
        probabilities: Array = expit(z)
        return self.classes[(z > logit(threshold)).astype(np.intp)], probabilities

    def save(self, path: Path) -> Path:
        """Write the model; whoever reads meanwhile finds the old file or the new one, never a part."""
        stream = io.BytesIO()
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        with zipfile.ZipFile(stream, "w") as archive:  # NumPy's own savez can refuse objects from 2.2 on
            for name, array in {"format": np.asarray(FORMAT), "version": np.asarray(VERSION), **arrays}.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        return write_whole(path, stream.getvalue())


def load_model(path: Path) -> Model:
    """Raises `ProblemError` for what is not a model, is cut off or damaged, or was written by another version."""
    try:
        arrays = whole_arrays(path)
    except FileNotFoundError:
        raise ProblemError(f"There is no model {path}. `stepbench train` writes one.") from None
    except ProblemError:
        raise
    except Exception as error:  # of zipfile or NumPy: damaged bytes can make them raise anything
        raise ProblemError(f"{shown_name(path)} is not a model that Stepbench wrote, or it is cut off.") from error
    return Model(**{name: arrays[name] for name in PARTS})


def whole_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The parts of a model, each looked at before it is unpacked, and after. Raises `ProblemError` for a fault."""

    def require_none(fault: str | None) -> None:
        if fault:
            raise ProblemError(f"{shown_name(path)} {fault}.")

    with zipfile.ZipFile(path) as archive:
        declared = declared_arrays(archive)
        require_bytes(shown_name(path), sum(array.bytes for array in declared.values()))
        head = unpacked(archive, [name for name in HEAD if name in declared and declared[name].shape == ()])
        require_none(fault_of_head(head, declared.keys()))
        require_none(fault_of_shapes(declared))
        arrays = unpacked(archive, declared.keys() - set(HEAD))
    require_none(fault_of_values(arrays))
    return {**ADDED, **arrays}
