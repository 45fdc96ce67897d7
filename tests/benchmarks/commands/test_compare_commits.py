"""compare BASE [HEAD]: a kernel file in two commits of any repository, which is as it was before."""

import json
import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from repositories import FAST, SLOW, commit_product, git, repository_of_a_kernel, state
from runs import ROOT, start_stepbench, stepbench
from stepbench.commands.choice_of_commits import kernels_of_commits, rows_of_commits
from stepbench.machine.children import Home
from stepbench.run.commits.kept_trees import HALF_MADE
from stepbench.run.commits.repository import VersionError
from stepkernels.problem import ProblemError
from stepreports.records.journal import read_events

SMALL = ("--sizes", "400x5", "--max-time", "10", "--threads", "1")
KILLS = int(os.environ.get("STEPBENCH_TEST_KILLS", "8"))


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return repository_of_a_kernel(tmp_path / "repository")


@pytest.mark.slow
def test_a_kernel_that_became_fast_is_faster_and_the_repository_is_as_it_was(repository, tmp_path):
    (repository / "untracked.txt").write_text("not yet added")
    before, out = state(repository), tmp_path / "out"
    finished = stepbench(
        "compare", "main~1", "main", "--kernel", repository / "src" / "kernel.py", *SMALL, "--out", out,
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    told = json.loads((out / "comparison.json").read_text())
    assert told["cases"][0]["verdict"] == "faster"
    assert [version["commit"] for version in told["versions"]] == git(repository, "log", "--format=%H").split()[::-1]
    assert [(version["subject"], version["ancestors"]) for version in told["versions"]] == [("slow", 0), ("fast", 1)]
    assert told["versions"][0]["committed"] == git(repository, "show", "-s", "--format=%cI", "main~1").strip()
    assert state(repository) == before
    plan = read_events(out)[0]["plan"]
    assert {each["row"]["module"] for each in plan["participants"]} >= {"kernel.py"}
    assert str(tmp_path / "cache") not in (out / "journal.jsonl").read_text(), (
        "where a version lies is nobody's business"
    )


def test_each_version_comes_with_what_lies_beside_it_and_is_kept(repository):
    kernel = repository / "src" / "kernel.py"
    sides = kernels_of_commits([kernel], "main~1", None)
    first, second = (side.rows["my-matrix-form"] for side in sides.sides)
    assert [SLOW in beside_of(row) for row in (first, second)] == [True, False]
    (head,) = git(repository, "log", "-1", "--format=%H").split()
    assert sides.sides[1].version.told == f"the working tree, commit {head[:10]}"
    assert sides.sides[1].version.commit == head, "a tree in which nothing was changed is a commit of the history"
    again = kernels_of_commits([kernel], "main~1", None)
    assert [side.rows["my-matrix-form"].module for side in again.sides] == [first.module, second.module]


def beside_of(row):
    return (Path(row.module).parent / "beside.py").read_text()


def test_the_working_tree_is_as_it_is_now_whether_or_not_it_is_committed(repository):
    (repository / "src" / "beside.py").write_text("def product(r, X):\n    return X.T @ r\n", "utf-8")
    sides = kernels_of_commits([repository / "src" / "kernel.py"], "main", None)
    assert "X.T @ r" in beside_of(sides.sides[1].rows["my-matrix-form"])
    assert FAST in beside_of(sides.sides[0].rows["my-matrix-form"])


def test_what_is_imported_from_the_working_tree_is_no_version_and_a_fault(repository, monkeypatch):
    """As of a package that is installed so that its working tree is imported."""
    (repository / "package").mkdir()
    (repository / "package" / "installed_in_place.py").write_text("")
    monkeypatch.syspath_prepend(str(repository / "package"))
    kernel = repository / "src" / "kernel.py"
    kernel.write_text(kernel.read_text("utf-8").replace("import numpy", "import installed_in_place\nimport numpy", 1))
    git(repository, "commit", "-q", "-a", "-m", "imports it")
    sides = kernels_of_commits([kernel], "main~1", "main")
    (fault,) = sides.faults
    assert "@head: kernel.py: imports installed_in_place out of the working tree (package/" in fault


def test_changes_that_are_in_no_commit_are_compared_and_said_whether_staged_or_not(repository):
    kernel, beside = (repository / "src" / name for name in ("kernel.py", "beside.py"))
    beside.write_text("def product(r, X):\n    return X.T @ r\n", "utf-8")
    git(repository, "add", "-A")
    beside.write_text("def product(r, X):\n    return (X.T @ r) + 0\n", "utf-8")
    before = state(repository)
    head = kernels_of_commits([kernel], "main", None).sides[1]
    assert head.version.told == "the changed working tree"
    assert head.version.commit is None
    assert "(X.T @ r) + 0" in beside_of(head.rows["my-matrix-form"]), "what lies there counts, not what is staged"
    assert state(repository) == before


def test_a_merge_that_is_not_over_is_told(repository):
    git(repository, "checkout", "-q", "-b", "other", "main~1")
    commit_product(repository, "another", "X.T @ r")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "main")
    with pytest.raises(VersionError, match=r"files in conflict \(src/beside\.py\)\. Finish or abort the merge"):
        kernels_of_commits([repository / "src" / "kernel.py"], "main", None)
    assert kernels_of_commits([repository / "src" / "kernel.py"], "main", "other").faults == []


def test_what_cannot_be_compared_is_told_in_a_sentence(repository, tmp_path):
    kernel = repository / "src" / "kernel.py"
    for base, head, file, sentence in [
        ("nope", None, kernel, "There is no commit called 'nope' here"),
        ("--all", None, kernel, "names no commit"),
        ("main", "nope", kernel, "There is no commit called 'nope' here"),
        ("main", None, repository / "src" / "other.py", r"There is no src/other\.py in commit"),
        ("main", None, tmp_path / "kernel.py", "is in no git repository"),
    ]:
        with pytest.raises(ProblemError, match=sentence):
            kernels_of_commits([file], base, head)


def test_a_kernel_that_only_the_working_tree_has_is_told(repository):
    new = repository / "src" / "new.py"
    new.write_text("")
    with pytest.raises(ProblemError, match=r"There is no src/new\.py in commit"):
        kernels_of_commits([new], "main", None)


def test_a_shallow_clone_says_how_to_fetch_the_history(repository, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(tmp_path / "shallow"))
    with pytest.raises(ProblemError, match=r"shallow.*fetch-depth: 0"):
        kernels_of_commits([tmp_path / "shallow" / "src" / "kernel.py"], "main~1", None)


def test_without_git_there_is_a_sentence(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(ProblemError, match="no program called git"):
        kernels_of_commits([repository / "src" / "kernel.py"], "main", None)


def test_rows_are_of_this_project(repository, monkeypatch):
    monkeypatch.chdir(repository)
    with pytest.raises(ProblemError, match="no checkout of stepbench"):
        rows_of_commits("numpy-blas", "main", None, same_environment=False)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """This project in a repository of its own, with a commit."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "checkout"
    (folder / "kernels").mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    for name in ("kernels/stepkernels", "pyproject.toml"):
        subprocess.run(["cp", "-r", ROOT / name, folder / name], check=True)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "as it is")
    monkeypatch.chdir(folder)
    return folder


def test_rows_of_a_commit_are_those_of_its_own_catalogue(checkout):
    file = checkout / "kernels" / "stepkernels" / "catalog.py"
    file.write_text(file.read_text("utf-8").replace('name="numpy-blas"', 'name="numpy-blas-of-old"'), "utf-8")
    sides = rows_of_commits("numpy-blas,numba-fused", "main", None, same_environment=False)
    assert [list(side.rows) for side in sides.sides] == [["numpy-blas", "numba-fused"], ["numba-fused"]]
    assert sides.faults == ["numpy-blas@head: there is no row 'numpy-blas' in the changed working tree."]
    assert set(sides.homes) == {"numpy-blas@base", "numba-fused@base", "numba-fused@head"}


def test_a_version_that_this_harness_cannot_run_is_told(checkout):
    (checkout / "kernels" / "stepkernels" / "reference.py").write_text("")
    with pytest.raises(
        ProblemError, match=r"kernels of the changed working tree do not go with this harness \(ImportError"
    ):
        rows_of_commits("numpy-blas", "main", None, same_environment=False)


@pytest.fixture
def homes(monkeypatch):
    """What environments would be made of; each is the one that the tests run in."""
    asked = []

    def home_of(kernels, requirements, announce):
        announce()
        asked.append(requirements)
        return Home(kernels)

    monkeypatch.setattr("stepbench.run.commits.environments.home_of", home_of)
    return asked


def ask_for(checkout, file, before, after):
    whole = (checkout / file).read_text("utf-8")
    assert before in whole
    (checkout / file).write_text(whole.replace(before, after), "utf-8")


def test_each_side_has_an_environment_of_its_own_where_they_ask_for_other_libraries(checkout, homes, capsys):
    ask_for(checkout, "pyproject.toml", '"numpy>=2.0,<3"', '"numpy>=2.3,<3"')
    sides = rows_of_commits("numpy-blas", "main", None, same_environment=False)
    assert sides.faults == []
    assert [[each for each in asked.requirements if each.startswith("numpy")] for asked in homes] == [
        ["numpy>=2.0,<3"],
        ["numpy>=2.3,<3"],
    ]
    told = capsys.readouterr().out
    assert "numpy>=2.0,<3 of the base alone; numpy>=2.3,<3 of the head alone" in " ".join(told.split())
    assert rows_of_commits("numpy-blas", "main", None, same_environment=True).faults == []
    assert len(homes) == 2


def test_a_lock_that_differs_is_another_environment_and_code_alone_is_none(checkout, homes):
    ask_for(checkout, "kernels/stepkernels/rows/numpy_blas.py", "import", "import")
    (checkout / "kernels" / "stepkernels" / "new.py").write_text("")
    rows_of_commits("numpy-blas", "main", None, same_environment=False)
    assert homes == []
    (checkout / "constraints.txt").write_text("numpy==2.4\n")
    rows_of_commits("numpy-blas", "main", None, same_environment=False)
    assert [asked.lock for asked in homes] == ["", "numpy==2.4\n"]


def test_rows_on_a_gpu_and_libraries_that_cannot_be_had_say_the_way_out(checkout, monkeypatch):
    ask_for(checkout, "pyproject.toml", '"numpy>=2.0,<3"', '"numpy>=2.3,<3"')
    with pytest.raises(VersionError, match=r"cupy-arrays would need .*--same-environment"):
        rows_of_commits("cupy-arrays", "main", None, same_environment=False)
    monkeypatch.setattr("stepbench.run.commits.environments.home_of", refuses)
    with pytest.raises(VersionError, match=r"Commit .*cannot be installed \(no such thing\)\. With --same-environment"):
        rows_of_commits("numpy-blas", "main", None, same_environment=False)


def refuses(*_):
    raise ProblemError("what it asks for cannot be installed (no such thing)")


@pytest.mark.slow
def test_killed_at_any_moment_a_comparison_leaves_the_repository_as_it_was(repository, tmp_path):
    before = state(repository)
    random.seed(2)
    command = ("compare", "main~1", "main", "--kernel", repository / "src" / "kernel.py", *SMALL)
    for number in range(KILLS):
        process = start_stepbench(*command, "--out", tmp_path / f"out-{number}")
        time.sleep(random.uniform(0, 8))
        process.kill()
        process.wait()
        assert state(repository) == before
    kernels_of_commits([repository / "src" / "kernel.py"], "main~1", None)
    kept = [path.name for path in (tmp_path / "cache" / "stepbench" / "versions").iterdir()]
    assert [name for name in kept if name.startswith(HALF_MADE)] == []
    assert state(repository) == before


@pytest.mark.slow
def test_a_row_that_became_slow_is_timed_from_its_own_commit(checkout, tmp_path):
    file = checkout / "kernels" / "stepkernels" / "rows" / "numpy_blas.py"
    slow = file.read_text("utf-8").replace(
        "def step(self) -> None:", "def step(self) -> None:\n        sum(range(3000))"
    )
    assert slow != file.read_text("utf-8")
    file.write_text(slow, "utf-8")
    finished = stepbench("compare", "main", "--rows", "numpy-blas", *SMALL, "--out", tmp_path / "out")
    assert finished.returncode == 1, finished.stderr
    (case,) = json.loads((tmp_path / "out" / "comparison.json").read_text())["cases"]
    assert (case["base_row"], case["verdict"]) == ("numpy-blas@base", "slower")
