"""Small data to train on, and a training of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stepbench.training.fitting import Trained, train
from stepbench.training.settings import Training

CANCER = "breast-cancer"


def trained_on(source: object, **settings: object) -> Trained:
    """A training that reports to nobody."""
    return train(str(source), Training(**settings), lambda _iteration, _cost: None)


def mapped_file(path: Path, rows: int = 20_000, columns: int = 6) -> Path:
    """Columns on scales of their own, the first and the last informative, and the label behind them."""
    random = np.random.default_rng(0)
    X = random.standard_normal((rows, columns)) * np.logspace(0, 3, columns) + 50.0
    y = (X[:, 0] - 50.0) + (X[:, -1] - 50.0) / 1e3 + 0.5 * random.standard_normal(rows) > 0
    np.save(path, np.column_stack([X, y]))
    return path


def csv_file(path: Path, **columns: object) -> Path:
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def random_frame(columns: str) -> pd.DataFrame:
    """Sixty rows of these columns, and their kind: up where the first is larger than the second, else down."""
    frame = pd.DataFrame(np.random.default_rng(0).standard_normal((60, len(columns))), columns=list(columns))
    return frame.assign(kind=np.where(frame[columns[0]] > frame[columns[1]], "up", "down"))
