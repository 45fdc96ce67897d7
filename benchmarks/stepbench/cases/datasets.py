"""Data to time on and to train on: synthetic of any size, the data sets scikit-learn carries, and files.

Real data are standardized.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stepbench.cases.data_files import read_table
from stepbench.cases.data_table import Matrix, Table, choose_target, classes_of_target, require_finite
from stepbench.cases.file_names import shown_name
from stepbench.cases.planting import planted
from stepbench.cases.reading import AS_IT_LOOKS, Reading
from stepbench.cases.standardizing import standardized
from stepkernels.problem import Array, Problem, ProblemError, synthetic_problem

SYNTHETIC = "synthetic"
COPIES = 2.0  # of the features of a file: as they were read, and standardized


def breast_cancer() -> Table:
    """Wisconsin diagnostic breast cancer: 569 × 30, benign against malignant."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    return Matrix("breast-cancer", data.data, {"diagnosis": data.target_names[data.target]}, data.feature_names)


def digits_parity() -> Table:
    """Handwritten digits: 1797 × 64 pixels, odd against even."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return Matrix(
        "digits-parity", data.data, {"parity": np.array(["even", "odd"])[data.target % 2]}, data.feature_names
    )


DATASETS: dict[str, Callable[[], Table]] = {
    "breast-cancer": breast_cancer,
    "digits-parity": digits_parity,
}


def open_table(source: str, width: int = 0, reading: Reading = AS_IT_LOOKS) -> Table:
    """The data set of that name, or the table in that file. Raises `ProblemError`."""
    if source in DATASETS:
        return DATASETS[source]()
    if not Path(source).exists():
        raise ProblemError(
            f"There is no data set called {source!r}, and no such file. Data sets: {', '.join(DATASETS)}."
        )
    return read_table(Path(source), width, reading)


def register_files(sources: Iterable[str], target: str | None = None, reading: Reading = AS_IT_LOOKS) -> list[str]:
    """Let the files among `sources` be found by their names alone, and return all the names.

    A record names its data; the folders they came from are nobody's business. Raises `ProblemError` when two files
    share a name.
    """
    as_a_case = replace(reading, copies=COPIES)

    def registered(source: str) -> str:
        return _register(_File(Path(source), target, as_a_case))

    return [source if source in DATASETS else registered(source) for source in sources]


def file_of(name: str) -> tuple[Path, str | None, Reading] | None:
    """The file registered under a name, the column to learn if one was named, and how it is read; None for no file."""
    file = _FILES.get(name)
    return (file.path, file.target, file.reading) if file else None


def is_known(name: str) -> bool:
    """Whether `name` is a data set's or a registered file's."""
    return name in DATASETS or name in _FILES


def notes_on(names: Iterable[str]) -> list[str]:
    """What is to be said of how the registered files among them are read."""
    return [note for name in names if name in _FILES for note in _look(_FILES[name]).notes]


def shape_of(dataset: str) -> tuple[int, int]:
    """(m, n) of a named data set. Raises `ProblemError` for an unknown name."""
    if dataset in _FILES:
        seen = _look(_FILES[dataset])
        return seen.m, seen.n
    table, columns, _ = _find(dataset)
    return table.rows, len(columns)


def make_problem(
    dataset: str, m: int, n: int, dtype: str, seed: int, storage: str | None = None, *, evidence: bool = True
) -> Problem:
    """The problem of a case: a named data set, or synthetic data of m × n, with evidence in it (see `planting`) or not.

    In a storage, X is rounded to what that holds. Raises `ProblemError` for data that it does not hold.
    """
    problem = _as_drawn(dataset, m, n, dtype, seed)
    if dataset == SYNTHETIC and evidence:
        problem = planted(problem, seed, storage)
    return problem if storage is None else problem.stored(storage)


def _as_drawn(dataset: str, m: int, n: int, dtype: str, seed: int) -> Problem:
    """The data, with random starting parameters."""
    if dataset == SYNTHETIC:
        data = synthetic_problem(m, n, dtype, seed)
        X, y = data.X, data.y
    else:
        X, y = _load(dataset, dtype)
    random = np.random.default_rng([seed, 1])
    start = random.standard_normal(X.shape[1]) / math.sqrt(X.shape[1])
    return Problem(X, y, w0=start, b0=0.25)


@dataclass(frozen=True, slots=True)
class _File:
    """Where a registered file is, what is to be learned of it, and how it is read."""

    path: Path
    target: str | None = None
    reading: Reading = AS_IT_LOOKS


_FILES: dict[str, _File] = {}


def _register(file: _File) -> str:
    path, known = file.path, _FILES.setdefault(shown_name(file.path), file).path
    if known != path:
        raise ProblemError(f"{known} and {path} have one name, and a record would not tell them apart; rename one.")
    return shown_name(path)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a registered file once it was read."""

    m: int
    n: int
    notes: tuple[str, ...]


@functools.cache
def _look(file: _File) -> _Seen:
    table = open_table(str(file.path), reading=file.reading)
    columns, _ = choose_target(table, file.target)
    return _Seen(table.rows, len(columns), tuple(table.notes))


def _find(dataset: str) -> tuple[Table, tuple[str, ...], str]:
    """A table, the columns to learn from, and the one to learn."""
    if dataset not in _FILES:
        table = open_table(dataset)
        return table, *choose_target(table, None)
    file = _FILES[dataset]
    table = open_table(str(file.path), reading=file.reading)
    return table, *choose_target(table, file.target)


def _load(dataset: str, dtype: str) -> tuple[Array, Array]:
    """The features, standardized, and 1 for the second of the two classes."""
    table, columns, target = _find(dataset)
    labels = table.labels(target)
    classes = classes_of_target(labels, table.name, target)
    y = (labels == classes[1]).astype(np.float64)
    X = table.features(columns)
    require_finite(X, columns, table.name)
    return standardized(X, columns, dtype), y
