"""Parquet: every column is there, an index that holds data too, and what is a number is one."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from brought_files import brought
from stepbench.cases import free_memory
from stepbench.cases.data_files import read_table
from stepbench.cases.data_table import choose_target
from stepbench.cases.reading import Reading
from stepkernels.problem import ProblemError

pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow")
pq = pytest.importorskip("pyarrow.parquet", reason="Parquet is read with pyarrow")

FRAME = pd.DataFrame({"z": [1.0, 2.0, 3.0, 4.0], "y": [0, 1, 0, 1]})


@pytest.fixture
def parquet(tmp_path):
    """A frame or an Arrow table in a file, read."""

    def read(table, **reading):
        path = tmp_path / "t.parquet"
        table.to_parquet(path) if isinstance(table, pd.DataFrame) else pq.write_table(table, path)
        return read_table(path, reading=Reading(**reading))

    return read


# An index ------------------------------------------------------------------------------------------------------------


def test_an_index_that_holds_data_is_a_feature_and_said():
    table = read_table(brought("feature_is_the_index.parquet"))
    assert choose_target(table, None) == (("x", "z"), "y")
    assert table.features(("x",))[0, 0] == pytest.approx(0.345584, abs=1e-6)
    (note,) = table.notes
    assert note.endswith("the pandas index 'x' became the column 'x' (--drop-index leaves it out).")
    assert read_table(brought("feature_is_the_index.parquet"), reading=Reading(keep_index=False)).columns == ("z", "y")


def test_every_level_of_an_index_is_looked_at(parquet):
    levels = pd.MultiIndex.from_arrays([[5, 5, 6, 6], [0.5, 1.5, 0.5, 1.5]], names=["site", "dose"])
    assert parquet(FRAME.set_index(levels)).columns == ("site", "dose", "z", "y")


@pytest.mark.parametrize("index", [[4, 0, 1, 2], [7, 3, 5, 1]])
def test_an_index_without_a_name_that_counts_is_left_out_and_said(parquet, index):
    numbered = FRAME.set_index(pd.Index(index))
    (note,) = parquet(numbered).notes
    assert parquet(numbered).columns == ("z", "y")
    assert "the pandas index, which has no name, numbers the rows and was left out" in note
    assert parquet(numbered, keep_index=True).columns == ("__index_level_0__", "z", "y")


def test_a_first_column_that_had_no_name_in_a_csv_is_left_out_as_there(parquet):
    again = FRAME.assign(**{"Unnamed: 0": range(4)})[["Unnamed: 0", "z", "y"]]
    assert parquet(again).columns == ("z", "y")
    assert parquet(again, keep_index=True).columns == ("Unnamed: 0", "z", "y")


def test_an_index_without_a_name_that_holds_data_is_kept(parquet):
    assert parquet(FRAME.set_index(pd.Index([0.5, 0.5, 1.5, 2.5]))).columns == ("__index_level_0__", "z", "y")


def test_an_index_with_even_steps_is_stored_as_its_ends_and_data_all_the_same(parquet):
    table = parquet(FRAME.set_index(pd.RangeIndex(30, 10, -5, name="dose")))
    assert table.columns == ("dose", "z", "y")
    np.testing.assert_array_equal(table.features(("dose",))[:, 0], [30, 25, 20, 15])


def test_rows_that_pandas_only_counts_are_no_word(parquet):
    assert parquet(FRAME).columns == ("z", "y")
    assert parquet(FRAME).notes == []


def test_an_index_of_text_is_refused_by_name_and_left_out_when_that_is_said(parquet):
    named = FRAME.set_index(pd.Index(["ann", "bob", "cem", "dan"], name="who"))
    with pytest.raises(ProblemError, match=r"column 'who' holds text \('ann' in row 1\)"):
        parquet(named).features(("who", "z"))
    assert parquet(named, keep_index=False).columns == ("z", "y")


# Names ---------------------------------------------------------------------------------------------------------------


def test_names_that_are_whole_numbers_are_names():
    table = read_table(brought("columns_named_by_ints.parquet"))
    assert choose_target(table, None) == (("0", "1"), "2")
    assert table.features(("0", "1")).shape == (40, 2)
    assert set(table.labels("2")) == {0.0, 1.0}


def test_two_columns_of_one_name_are_one_line(parquet):
    with pytest.raises(ProblemError, match=r"^t\.parquet has 2 columns called 'a'; give each a name of its own\.$"):
        parquet(pa.table([[1.0], [2.0], [0]], names=["a", "a", "y"]))


# Kinds of values -----------------------------------------------------------------------------------------------------


def test_decimals_are_numbers():
    table = read_table(brought("decimals.parquet"))
    np.testing.assert_allclose(table.features(("price",))[:3, 0], [0.35, 2.82, 0.33])
    assert table.labels("price").dtype == np.float64


@pytest.mark.parametrize("kind", [pa.decimal128(10, 2), pa.decimal256(40, 2)])
def test_decimals_are_classes_that_are_numbers(parquet, kind):
    table = parquet(pa.table({"a": [1.0, 2.0], "y": pa.array([Decimal("0.00"), Decimal("1.00")], kind)}))
    np.testing.assert_array_equal(table.labels("y"), [0.0, 1.0])


COLUMNS = {
    "uint8": pa.array([1, 2], "uint8"),
    "float32": pa.array([1.5, 2.5], "float32"),
    "bool": pa.array([True, False]),
    "dictionary": pa.array([7, 9]).dictionary_encode(),
    "dictionary of decimals": pa.array([Decimal("0.5"), Decimal("1.5")]).dictionary_encode(),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=list(COLUMNS))
def test_whatever_stands_for_numbers_is_a_feature(parquet, column):
    features = parquet(pa.table({"a": column, "y": [0, 1]})).features(("a",))
    np.testing.assert_array_equal(features[:, 0], np.array(column.to_pylist(), float))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["1", "2"], r"holds text \('1' in row 1\)"),
        ([datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)] * 2, "holds Timestamp"),
        ([[1.0], [2.0]], "holds ndarray"),
        ([1.0, None], "has no value in row 2"),
    ],
)
def test_what_is_no_number_is_refused_by_its_kind(parquet, values, told):
    with pytest.raises(ProblemError, match=told):
        parquet(pa.table({"a": values, "y": [0, 1]})).features(("a",))


def test_text_that_spells_a_gap_is_a_class_and_a_gap_is_none(parquet):
    assert list(parquet(pa.table({"a": [1.0, 2.0], "y": ["None", "NA"]})).labels("y")) == ["None", "NA"]
    with pytest.raises(ProblemError, match="column 'y' has no value in row 2"):
        parquet(pa.table({"a": [1.0, 2.0], "y": ["None", None]})).labels("y")


# Size ----------------------------------------------------------------------------------------------------------------


def test_a_small_file_of_many_rows_is_refused_before_it_is_read(parquet, monkeypatch):
    """A million equal values are some hundred bytes; in memory they are not."""
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 10**7)
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_: pytest.fail("was read"))
    with pytest.raises(ProblemError, match=r"t\.parquet, 1,000,000 × 2 values, takes 0\.0 GiB of memory"):
        parquet(pa.table({"a": np.zeros(10**6), "y": np.zeros(10**6)}))
