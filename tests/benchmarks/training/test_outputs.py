"""What a training writes: figures of what happened, whole files or none, never over another by accident."""

import errno
from pathlib import Path

import numpy as np
import pytest

from stepbench.training.curves import cost_figure, roc_figure
from stepbench.training.outputs import default_model, files_of, write_files


def test_figures_show_the_cost_and_the_roc_curve(trained):
    (cost,), (roc,) = cost_figure(trained).axes, roc_figure(trained).axes
    np.testing.assert_array_equal(cost.lines[0].get_ydata(), trained.costs)
    np.testing.assert_array_equal(roc.lines[1].get_ydata(), trained.score.true_positive_rates)
    assert f"{trained.score.auc:.4f}" in " ".join(text.get_text() for text in roc.texts)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("breast-cancer", "breast-cancer"),
        ("elsewhere/table.csv", "table"),
        ("parts", "parts"),
        ("parts/", "parts"),
        ("parts/*.parquet", "parts"),
        ("parts/[0-9].parquet", "parts"),
        ("parts/what[1]?.parquet", "what[1]?"),
        ("*.parquet", "here"),
        (".", "here"),
        ("parts/..", "here"),
        ("/", "data"),
    ],
)
def test_a_model_has_the_name_of_the_data(tmp_path, monkeypatch, source, name):
    here = tmp_path / "here"
    (here / "parts").mkdir(parents=True)
    (here / "parts" / "what[1]?.parquet").touch()
    monkeypatch.chdir(here)
    assert default_model(source) == Path(f"{name}-model.npz")


def test_interrupted_writing_leaves_the_old_model(trained, model, monkeypatch):
    before = model.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_files(trained, model)
    assert model.read_bytes() == before
    assert sorted(path.name for path in model.parent.iterdir()) == sorted(
        path.name for path in files_of(model).values()
    )
