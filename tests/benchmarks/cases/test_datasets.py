"""Data: every kind of file gives the same table, and what cannot be used is a sentence that says where."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import dump_svmlight_file

from brought_files import brought
from runs import benchmarks, stepbench
from stepbench.cases import datasets
from stepbench.cases.data_files import read_table
from stepbench.cases.data_table import choose_target, classes_of_target
from stepbench.cases.datasets import DATASETS, make_problem, notes_on, open_table, register_files, shape_of
from stepbench.cases.parsing import parse_size
from stepbench.cases.reading import Reading
from stepbench.cases.standardizing import standardized
from stepkernels.problem import ProblemError

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((40, 3)).round(3)
Y = (X[:, 0] > 0).astype(float)


def write_csv(path):
    pd.DataFrame(X, columns=["a", "b", "c"]).assign(kind=np.where(Y, "yes", "no")).to_csv(path, index=False)


def write_parquet(path):
    pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow")
    pd.DataFrame(X, columns=["a", "b", "c"]).assign(kind=np.where(Y, "yes", "no")).to_parquet(path)


WRITERS = {
    "table.csv": write_csv,
    "table.parquet": write_parquet,
    "table.npy": lambda path: np.save(path, np.column_stack([X, Y])),
    "table.npz": lambda path: np.savez(path, X=X, y=Y),
    "table.svmlight": lambda path: dump_svmlight_file(X, Y, str(path), zero_based=True),
}


@pytest.fixture(params=WRITERS)
def table_file(request, tmp_path):
    path = tmp_path / request.param
    WRITERS[request.param](path)
    return path


def learnable(path):
    """The features of a file, and where its last column holds the second class."""
    table = read_table(path)
    columns, target = choose_target(table, None)
    labels = table.labels(target)
    classes = classes_of_target(labels, table.name, target)
    return table.features(columns), labels == classes[1]


@pytest.fixture(autouse=True)
def no_files_registered(monkeypatch):
    monkeypatch.setattr(datasets, "_FILES", {})


def test_every_kind_of_file_holds_the_same_table(table_file):
    features, positive = learnable(table_file)
    np.testing.assert_allclose(features, X)
    np.testing.assert_array_equal(positive, Y == 1)


def test_the_target_is_the_last_column_or_the_one_named(tmp_path):
    write_csv(tmp_path / "table.csv")
    table = read_table(tmp_path / "table.csv")
    assert choose_target(table, None) == (("a", "b", "c"), "kind")
    assert choose_target(table, "a") == (("b", "c", "kind"), "a")


def test_an_npy_file_is_mapped_and_its_columns_are_views(tmp_path):
    np.save(tmp_path / "table.npy", np.column_stack([X, Y]))
    features = read_table(tmp_path / "table.npy").features(("0", "1", "2"))
    assert isinstance(features, np.memmap)
    assert not features.flags.writeable


def test_svmlight_is_filled_up_with_its_zeros(tmp_path):
    (tmp_path / "table.svm").write_text("1 1:2.0\n0 2:3.0\n")
    table = read_table(tmp_path / "table.svm", width=4)
    np.testing.assert_array_equal(table.features(("0", "1", "2", "3")), [[2, 0, 0, 0], [0, 3, 0, 0]])


# Bad files -----------------------------------------------------------------------------------------------------------


def text(content):
    return lambda path: path.write_text(content)


def cut(name):
    def write(path):
        WRITERS[name](path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return write


BAD_FILES = {
    "empty": ("t.csv", text(""), "t.csv is empty"),
    "header-only": ("t.csv", text("a,kind\n"), "it holds no rows"),
    "no-header": ("t.csv", text("1,2\n3,4\n"), "its first line must name the columns"),
    "semicolons": ("t.csv", text("a;kind\n1;x\n2;y\n"), "is separated by ';'; separate its columns by commas"),
    "ragged": ("t.csv", text("a,kind\n1,x\n1,2,y\n"), "t.csv cannot be read"),
    "binary": ("t.csv", lambda path: path.write_bytes(b"\x89\xfe\x00\x81" * 9), "t.csv cannot be read"),
    "half of UTF-16": ("t.csv", lambda path: path.write_bytes(b"\xff\xfe" + b"a\x00,\x00k"), "t.csv cannot be read"),
    "text": ("t.csv", text("a,b,kind\n1,2,x\n1,red,y\n"), r"column 'b' holds text \('red' in row 2\)"),
    "missing": ("t.csv", text("a,b,kind\n1,,x\n1,2,y\n"), "column 'b' has no value in row 1"),
    "cut": ("t.csv", text("a,b,kind\n1,2,x\n1,2,y\n1"), "has no value in the last row: the file seems to be cut off"),
    "cut-npy": ("t.npy", cut("table.npy"), "t.npy cannot be read; it may be cut off"),
    "cut-npz": ("t.npz", cut("table.npz"), "t.npz cannot be read; it may be cut off"),
    "cut-parquet": ("t.parquet", cut("table.parquet"), "t.parquet cannot be read; it may be cut off"),
    "cut-svmlight": ("t.svm", text("1 1:2.0\n0 2:"), "t.svm cannot be read; it may be cut off"),
    "objects": ("t.npy", lambda path: np.save(path, np.array([[1, "a"]], object)), "t.npy cannot be read"),
    "vector": ("t.npy", lambda path: np.save(path, np.ones(3)), r"must hold a matrix of real numbers"),
    "no-X": ("t.npz", lambda path: np.savez(path, data=X), "has no array X. Its arrays: data"),
    "lengths": ("t.npz", lambda path: np.savez(path, X=X, y=Y[:5]), r"'y' has shape \(5,\)"),
    "NaN-label": ("t.npy", lambda path: np.save(path, [[1.0, np.nan]]), "target '1' holds NaN"),
    "target-only": ("t.csv", text("kind\nx\ny\n"), "nothing to learn from"),
    "kind": ("t.xlsx", text("a"), "is of no kind that can be read: .csv, .parquet"),
    "folder": ("t.csv", lambda path: path.mkdir(), "is a folder"),
    "one-class": ("t.csv", text("a,kind\n1,x\n2,x\n"), r"target 'kind' has one class only \(x\)"),
    "three-classes": ("t.csv", text("a,kind\n1,x\n2,y\n3,z\n"), r"has 3 classes \(x, y, z\)"),
}


@pytest.mark.parametrize(("name", "write", "sentence"), BAD_FILES.values(), ids=list(BAD_FILES))
def test_a_bad_file_is_a_sentence(tmp_path, name, write, sentence):
    write(tmp_path / name)
    with pytest.raises(ProblemError, match=sentence):
        learnable(tmp_path / name)


def test_a_missing_target_names_the_columns_there_are(tmp_path):
    write_csv(tmp_path / "table.csv")
    with pytest.raises(ProblemError, match=r"has no column 'species'. Columns: a, b, c, kind\."):
        choose_target(read_table(tmp_path / "table.csv"), "species")


def test_an_unknown_name_says_which_are_known():
    with pytest.raises(ProblemError, match=r"no data set called 'iris', and no such file\. Data sets: breast-cancer"):
        open_table("iris")


# As a run's data -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_named_data_set_is_a_standardized_problem(name, dtype):
    problem = make_problem(name, 0, 0, dtype, seed=0)
    assert (problem.m, problem.n) == shape_of(name)
    assert problem.dtype == dtype
    assert np.abs(problem.X.mean(axis=0)).max() < 1e-5
    assert set(np.unique(problem.y)) == {0.0, 1.0}


def test_a_file_with_a_value_that_is_not_finite_is_refused(tmp_path):
    np.save(tmp_path / "t.npy", np.column_stack([np.where(X[3, 1] == X, np.inf, X), Y]))
    register_files([str(tmp_path / "t.npy")])
    with pytest.raises(ProblemError, match=r"impute those values first: the column '1' holds inf in row 4"):
        make_problem("t.npy", 0, 0, "float64", seed=0)


def test_a_file_is_known_by_its_name(table_file):
    assert register_files([str(table_file), "breast-cancer"]) == [table_file.name, "breast-cancer"]
    assert shape_of(table_file.name) == X.shape
    problem = make_problem(table_file.name, 0, 0, "float64", seed=0)
    np.testing.assert_allclose(problem.X, standardized(X, ("a", "b", "c"), "float64"))


def test_a_runs_file_is_read_as_it_is_said_and_what_was_decided_is_told():
    name = "nameless_row_number.csv"
    register_files([str(brought(name))])
    assert shape_of(name) == (60, 2)
    (note,) = notes_on([name, "breast-cancer"])
    assert "was left out" in note


def test_a_runs_file_keeps_its_index_when_that_is_said():
    name = "nameless_row_number.csv"
    register_files([str(brought(name))], reading=Reading(keep_index=True))
    assert shape_of(name) == (60, 3)
    assert make_problem(name, 0, 0, "float64", seed=0).n == 3
    assert notes_on([name]) == []


def test_a_file_whose_name_begins_with_a_digit_is_no_size(tmp_path):
    write_csv(tmp_path / "2024.csv")
    register_files([str(tmp_path / "2024.csv")])
    assert parse_size("2024.csv").dataset == "2024.csv"


def test_two_files_of_one_name_cannot_be_told_apart(tmp_path):
    (tmp_path / "other").mkdir()
    for path in (tmp_path / "t.csv", tmp_path / "other" / "t.csv"):
        write_csv(path)
    with pytest.raises(ProblemError, match="have one name"):
        register_files([str(tmp_path / "t.csv"), str(tmp_path / "other" / "t.csv")])


@pytest.mark.slow
def test_a_run_takes_a_file_and_records_no_path(tmp_path):
    (tmp_path / "private").mkdir()
    write_csv(tmp_path / "private" / "table.csv")
    arguments = ("--data", tmp_path / "private" / "table.csv", "--target", "kind", "--rows", "numpy-blas")
    finished = stepbench("run", *arguments, "--out", tmp_path / "run")
    assert finished.returncode == 0, finished.stderr
    infos = [entry["extra_info"] for entry in benchmarks(tmp_path / "run")]
    assert {(info["dataset"], info["m"], info["n"]) for info in infos} == {("table.csv", 40, 3)}
    for name in ("journal.jsonl", "benchmark.json", "failures.json"):
        assert "private" not in (tmp_path / "run" / name).read_text()
    assert json.loads((tmp_path / "run" / "failures.json").read_text())["failures"] == []
