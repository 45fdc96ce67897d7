"""The rows held out: some of each class, the last ones of a file on disk, and what cannot be parted is a sentence."""

import numpy as np
import pytest

from stepbench.training.settings import Training
from stepbench.training.split import split
from stepkernels.problem import ProblemError
from trainings import CANCER, csv_file, mapped_file, trained_on


def test_every_row_is_on_one_side_and_a_share_of_each_class_is_held_out():
    data = split(CANCER, Training(held_out=0.2))
    assert sorted([*data.known, *data.unseen]) == list(range(569))
    for kind in data.classes:
        share = (data.labels[data.unseen] == kind).sum() / (data.labels == kind).sum()
        assert share == pytest.approx(0.2, abs=0.01)


def test_the_last_rows_of_a_file_on_disk_are_held_out_and_none_is_read_for_it(tmp_path):
    data = split(str(mapped_file(tmp_path / "data.npy", rows=1000)), Training(on_disk=True))
    assert (data.known, data.unseen) == (slice(None, 750), slice(750, None))
    assert isinstance(data.X[data.known], np.memmap)


def test_a_seed_draws_the_same_rows_again_and_another_seed_others():
    first, again, other = (split(CANCER, Training(seed=seed)).unseen.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_a_class_of_one_row_is_a_sentence(tmp_path):
    with pytest.raises(ProblemError, match="Only one row is of the class b: it cannot be learned from and held out"):
        trained_on(csv_file(tmp_path / "data.csv", x=np.arange(20.0), kind=["a"] * 19 + ["b"]))


def test_a_column_that_is_not_finite_is_named(tmp_path):
    data = np.load(mapped_file(tmp_path / "data.npy"))
    data[7, 2] = np.inf
    np.save(tmp_path / "data.npy", data)
    with pytest.raises(ProblemError, match="column '2' holds inf in row 8"):
        trained_on(tmp_path / "data.npy")


def test_sorted_rows_on_disk_are_refused(tmp_path):
    data = np.load(mapped_file(tmp_path / "data.npy"))
    np.save(tmp_path / "data.npy", data[np.argsort(data[:, -1])])
    with pytest.raises(ProblemError, match="Shuffle the file's rows"):
        trained_on(tmp_path / "data.npy", on_disk=True, optimizer="adam")
