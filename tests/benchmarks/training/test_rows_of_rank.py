"""The rows of a rank: those of all ranks are those of the data, each once, held or read again a block at a time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stepbench.cases import data_table
from stepbench.training.settings import Training
from stepbench.training.sharded import row_groups, rows_of_rank
from stepbench.training.sharded.own_rows import own_rows
from stepbench.training.sharded.row_groups import Group, groups_of_rank
from stepkernels import ProblemError
from trainings import mapped_file

ROWS, HELD_OUT = 1_000, 0.25
BORDER = round(ROWS * (1 - HELD_OUT))
SIZES = (100, 1, 30, 70, 100, 99)


def all_of(rows):
    """Its features, which come in order."""
    found = np.full((rows.m, rows.n), np.nan, rows.dtype)
    done = 0
    for part, block in rows.blocks():
        assert part == slice(done, done + len(block))
        found[part], done = block, part.stop
    assert done == rows.m
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return mapped_file(tmp_path_factory.mktemp("ranks") / "data.npy", rows=ROWS)


@pytest.fixture(scope="module")
def parts(data, tmp_path_factory):
    """The same rows in three files, of row groups of 100 rows."""
    folder = tmp_path_factory.mktemp("parts")
    table = pd.DataFrame(np.load(data), columns=[*"abcdef", "kind"])
    for k in range(3):
        part = table[k * 340 : (k + 1) * 340].reset_index(drop=True)
        part.to_parquet(folder / f"{k}.parquet", row_group_size=100)
    return folder


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_rows_of_all_ranks_are_those_of_the_file(data, count):
    table = np.load(data)
    parts = [own_rows(str(data), Training(), rank, count) for rank in range(count)]
    np.testing.assert_array_equal(np.concatenate([all_of(part.known) for part in parts]), table[:BORDER, :-1])
    np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), table[:BORDER, -1])
    np.testing.assert_array_equal(np.concatenate([all_of(part.unseen) for part in parts]), table[BORDER:, :-1])
    np.testing.assert_array_equal(np.concatenate([part.unseen_labels for part in parts]), table[BORDER:, -1])
    assert len({part.likeness for part in parts}) == 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_row_groups_go_to_ranks_in_order_and_none_twice(count):
    groups = [Group(Path("file"), number, rows, 8 * rows, rows // 2) for number, rows in enumerate(SIZES)]
    shared = [list(groups_of_rank(groups, rank, count)) for rank in range(count)]
    assert [group for share in shared for group in share] == groups
    assert all(shared)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("three.npy", r"has 2 rows to learn from, fewer than there are ranks \(3\)"),
        ("breast-cancer", "cannot be shared among ranks; give an .npy file"),
        ("{folder}/empty", r"There is no file .*empty/\*.parquet"),
        ("{folder}/*.parquet", r"There is no file .*/\*.parquet"),
        ("{folder}/none.parquet", "There is no file .*none.parquet"),
    ],
)
def test_data_that_cannot_be_shared_are_refused(tmp_path, monkeypatch, source, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "three.npy", [[1.0, 0.0], [2.0, 1.0], [3.0, 1.0]])
    with pytest.raises(ProblemError, match=told):
        own_rows(source.format(folder=tmp_path), Training(), 0, 3)


def test_a_share_may_not_be_larger_than_there_are_row_groups(tmp_path):
    pd.DataFrame({"a": range(10), "y": [0, 1] * 5}).to_parquet(tmp_path / "one.parquet")
    with pytest.raises(ProblemError, match="1 row groups of such sizes cannot be shared among 2 ranks"):
        own_rows(str(tmp_path / "one.parquet"), Training(), 0, 2)


def test_row_groups_that_stay_on_disk_have_the_rows_of_those_in_memory(parts, monkeypatch):
    """They are read 16 rows at a time, of which a block has 10."""
    monkeypatch.setattr(row_groups, "PART_ELEMENTS", 100)
    monkeypatch.setattr(data_table, "CACHED_ELEMENTS", 60)
    for rank in range(2):
        held, read = (own_rows(str(parts), Training(on_disk=on_disk), rank, 2) for on_disk in (False, True))
        assert (held.on_disk, read.on_disk) == (False, True)
        for side in ("known", "unseen"):
            left, right = getattr(held, side), getattr(read, side)
            assert (left.m, left.n, left.dtype) == (right.m, right.n, right.dtype)
            assert all(len(block) <= 10 for _, block in right.blocks())
            np.testing.assert_array_equal(all_of(right), all_of(left))
        np.testing.assert_array_equal(held.labels, read.labels)
        np.testing.assert_array_equal(held.unseen_labels, read.unseen_labels)
        assert held.likeness == read.likeness


def test_of_each_row_group_the_last_rows_are_held_out_whatever_the_ranks(data, parts):
    table = np.load(data)[:, :-1]
    groups = [table[first : first + 340][k : k + 100] for first in (0, 340, 680) for k in (0, 100, 200, 300)]
    borders = [round(len(group) * (1 - HELD_OUT)) for group in groups]
    for count in (1, 2, 3):
        shares = [own_rows(str(parts), Training(), rank, count) for rank in range(count)]
        known = [group[:border] for group, border in zip(groups, borders, strict=True)]
        unseen = [group[border:] for group, border in zip(groups, borders, strict=True)]
        for side, expected in (("known", known), ("unseen", unseen)):
            found = np.concatenate([all_of(getattr(share, side)) for share in shares])
            np.testing.assert_array_equal(found, np.concatenate(expected))


@pytest.mark.parametrize("target", ["0", "3"])
def test_a_target_among_the_features_leaves_them_on_disk(data, target, monkeypatch):
    monkeypatch.setattr(data_table, "CACHED_ELEMENTS", 600)
    table = np.load(data)
    table[:, int(target)] = table[:, -1]
    np.save(data.with_name(f"{target}.npy"), table)
    own = own_rows(str(data.with_name(f"{target}.npy")), Training(target=target), 0, 1)
    assert isinstance(own.known.X, np.memmap)
    assert all(len(block) <= 100 for _, block in own.known.blocks())
    expected = np.delete(table[:BORDER], int(target), axis=1)
    np.testing.assert_array_equal(all_of(own.known), expected)
    np.testing.assert_array_equal(own.labels, table[:BORDER, int(target)])


def test_rows_stay_on_disk_where_their_copies_would_not_fit(data, monkeypatch):
    """The 750 × 6 values that are learned from are 36,000 bytes, and two copies of them 72,000."""
    for free, on_disk in ((72_000, False), (71_999, True)):
        monkeypatch.setattr(rows_of_rank, "free_bytes", lambda _processes, free=free: free)
        assert own_rows(str(data), Training(), 0, 1).on_disk == on_disk
    with pytest.raises(ProblemError, match=r"data.npy: the 750 × 6 values of a rank take .* Leave out --in-memory"):
        own_rows(str(data), Training(on_disk=False), 0, 1)
    assert own_rows(str(data), Training(on_disk=True), 0, 1).on_disk


def test_a_row_group_that_would_not_fit_is_refused(parts, monkeypatch):
    monkeypatch.setattr(row_groups, "free_bytes", lambda _processes: 100)
    with pytest.raises(ProblemError, match=r"Row group 0 of 0\.parquet, 100 rows, takes .* Write smaller row groups"):
        own_rows(str(parts), Training(), 0, 1)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("b", np.nan, r"1\.parquet, row group 2 from row 15 on: the column 'b' has no value in row 3"),
        ("b", np.inf, r"1\.parquet, row group 2 from row 15 on: X contains NaN or infinity.* in row 3\."),
        ("kind", np.nan, r"1\.parquet, row group 2 from row 15 on: the column 'kind' has no value in row 3"),
    ],
)
def test_what_cannot_be_learned_is_told_with_its_place(parts, tmp_path, monkeypatch, column, value, told):
    monkeypatch.setattr(row_groups, "PART_ELEMENTS", 100)
    for number in range(3):
        frame = pd.read_parquet(parts / f"{number}.parquet")
        if number == 1:
            frame.loc[216, column] = value
        frame.to_parquet(tmp_path / f"{number}.parquet", row_group_size=100)
    with pytest.raises(ProblemError, match=told):
        own_rows(str(tmp_path), Training(), 1, 3)


def test_files_with_other_columns_are_told(parts, tmp_path):
    for number in range(3):
        frame = pd.read_parquet(parts / f"{number}.parquet")
        frame = frame.drop(columns="c") if number == 1 else frame
        frame.to_parquet(tmp_path / f"{number}.parquet", row_group_size=100)
    with pytest.raises(ProblemError, match=r"1\.parquet, row group 0 from row 1 on has no column 'c'"):
        own_rows(str(tmp_path), Training(), 0, 1)


def test_parquet_files_of_the_same_shape_with_other_values_or_names_are_told_apart(parts, tmp_path):
    frame = pd.read_parquet(parts / "0.parquet")
    other = frame.copy()
    other.loc[3, "b"] += 1e6
    tables = {"same": frame, "again": frame, "value": other, "name": frame.rename(columns={"b": "z"}),
              "type": frame.astype({"b": np.float32})}  # fmt: skip
    found = {}
    for name, table in tables.items():
        (tmp_path / name).mkdir()
        table.to_parquet(tmp_path / name / "0.parquet", row_group_size=100)
        found[name] = own_rows(str(tmp_path / name), Training(), 0, 1).likeness
    assert found.pop("same") == found["again"]
    assert len(set(found.values())) == len(found)


def test_a_damaged_row_group_is_told(parts, tmp_path):
    written = bytearray((parts / "0.parquet").read_bytes())
    written[4:2000] = bytes(1996)
    (tmp_path / "0.parquet").write_bytes(written)
    with pytest.raises(ProblemError, match=r"0\.parquet cannot be read; it may be cut off or of another kind"):
        own_rows(str(tmp_path), Training(), 0, 1)
