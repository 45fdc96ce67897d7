"""compare: two kernel files in one run, each side proven and shown, and an exit status that a change can be held to."""

import json
import re

import pytest

from runs import KERNELS, stepbench
from stepbench.commands.choice_of_versions import labels_of, versions_of_files
from stepkernels.problem import ProblemError
from stepreports.records.journal import read_events

GRADIENT = "self.gw[:] = r @ self.X / m + l2 * w"
SLOW = "self.gw[:] = sum(r[i] * self.X[i] for i in range(m)) / m + l2 * w"
WRONG = "self.gw[:] = r @ self.X / m + l2 * w + 1e-3"
SMALL = ("--sizes", "400x5", "--max-time", "1", "--threads", "1")


@pytest.fixture
def kernel(tmp_path):
    """The matrix form as a file, its gradient replaced."""
    whole = (KERNELS / "matrix_form.py").read_text("utf-8")
    assert GRADIENT in whole

    def write(name, gradient=GRADIENT):
        file = tmp_path / name
        file.write_text(whole.replace(GRADIENT, gradient), "utf-8")
        return file

    return write


@pytest.fixture
def compare(tmp_path):
    """A comparison of these files, and its answers."""

    def run(*files, more=SMALL):
        kernels = [argument for file in files for argument in ("--kernel", file)]
        out = tmp_path / "out"
        finished = stepbench("compare", *kernels, *more, "--out", out, "--markdown", tmp_path / "pr.md")
        stored = out / "comparison.json"
        return finished, json.loads(stored.read_text()) if stored.exists() else None

    return run


@pytest.mark.slow
def test_a_fast_form_of_a_slow_kernel_is_faster_and_passes(kernel, compare, tmp_path):
    finished, told = compare(kernel("slow.py", SLOW), kernel("fast.py"))
    assert finished.returncode == 0, finished.stderr
    (case,) = told["cases"]
    assert (case["base_row"], case["other_row"]) == ("my-matrix-form@slow", "my-matrix-form@fast")
    assert case["verdict"] == "faster"
    assert case["ratio_low"] <= case["ratio"] <= case["ratio_high"] < 1
    assert "my-matrix-form@fast is faster than my-matrix-form@slow" in finished.stdout
    assert "| **faster** |" in (tmp_path / "pr.md").read_text()
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.slow
def test_a_slow_form_fails_and_its_base_is_timed_twice_in_the_same_turns(kernel, compare, tmp_path):
    finished, told = compare(kernel("fast.py"), kernel("slow.py", SLOW))
    assert finished.returncode == 1
    assert told["cases"][0]["allowed"] == "slower than allowed"
    assert "by more than the 5 % allowed" in finished.stdout
    events = read_events(tmp_path / "out")
    turns = {}
    for event in events:
        if event["event"] == "round":
            turns.setdefault((event["generation"], event["turn"]), set()).add(event["participant"])
    rows = {"my-matrix-form@fast", "my-matrix-form@fast#1", "my-matrix-form@slow"}
    assert all(rows <= participants for participants in turns.values())
    assert len({generation for generation, _ in turns}) == 2, "what is clear is over after two generations"


@pytest.mark.slow
def test_versions_that_disagree_or_cannot_be_loaded_fail_with_their_reason_and_the_base_is_shown(kernel, compare):
    files = kernel("right.py"), kernel("wrong.py", WRONG), kernel("torn.py", "self.gw[:] = (")
    finished, told = compare(*files)
    assert finished.returncode == 1
    assert re.search(r"my-matrix-form@wrong failed on step-400x5.*gw", finished.stderr)
    assert "torn.py" in finished.stderr
    assert "line 32" in finished.stderr
    cases = {case["other_row"]: case for case in told["cases"]}
    assert set(cases) == {"my-matrix-form@wrong", "my-matrix-form@torn"}
    assert all(case["base_seconds"] > 0 for case in cases.values())
    assert all(case["other_seconds"] is None for case in cases.values())
    assert "my-matrix-form@right takes" in finished.stdout
    assert "my-matrix-form@torn has no time there" in finished.stdout


def test_where_no_version_can_be_loaded_each_reason_is_told(kernel, compare):
    finished, told = compare(kernel("one.py", "("), kernel("two.py", ")"))
    assert finished.returncode == 1
    assert told is None
    assert all(name in finished.stderr for name in ("one.py", "two.py"))


def test_one_file_or_none_is_bad_usage(kernel):
    for files in ([], [kernel("a.py")]):
        with pytest.raises(ProblemError, match="give two or more, the base first"):
            versions_of_files(files)


def test_a_file_that_is_not_there_is_bad_usage(kernel, tmp_path):
    with pytest.raises(ProblemError, match=r"There is no kernel file .*nope\.py"):
        versions_of_files([kernel("a.py"), tmp_path / "nope.py"])


def test_versions_are_called_as_their_files_or_by_number_where_these_are_alike(tmp_path):
    assert labels_of([tmp_path / "a.py", tmp_path / "b.py"]) == ["a", "b"]
    assert labels_of([tmp_path / "a" / "k.py", tmp_path / "b" / "k.py"]) == ["1", "2"]
    assert labels_of([tmp_path / "k.py", tmp_path / "K.py"]) == ["1", "2"]
    assert labels_of([tmp_path / "a b.py", tmp_path / "c.py"]) == ["1", "2"]


def test_rows_of_different_names_are_versions_of_one(kernel, tmp_path):
    other = tmp_path / "b.py"
    other.write_text(kernel("a.py").read_text("utf-8").replace('"my-matrix-form"', '"another"'), "utf-8")
    sides = versions_of_files([tmp_path / "a.py", other])
    assert sides.pairs == [("my-matrix-form@a", "my-matrix-form@b")]
    assert [row.name for row in sides.rows] == ["my-matrix-form@a", "my-matrix-form@b"]
