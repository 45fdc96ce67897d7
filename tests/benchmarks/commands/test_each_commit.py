"""compare --each A..B: each commit of a range once, whatever ends it between; what cannot be compared ends nothing."""

import json
import signal
import time
from pathlib import Path

import pytest

from repositories import FAST, SLOW, commit_product, git, repository_of_a_kernel, state
from runs import start_stepbench, stepbench
from stepbench.commands.each_commit import commits_of, fill_in
from stepbench.run.commits.repository import VersionError
from stepkernels.problem import ProblemError

SMALL = ("--sizes", "400x5", "--max-time", "1", "--threads", "1")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Four commits: slow, fast, one of another file, and slow again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = repository_of_a_kernel(tmp_path / "repository")
    (folder / "readme").write_text("")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "says something")
    commit_product(folder, "slow again", f"{SLOW} + 0")
    return folder


def changing(repository):
    return [repository.path_of(repository.root / "src" / "kernel.py").parent]


def names(repository, *commits):
    return [git(repository, "rev-parse", commit).strip() for commit in commits]


def test_a_range_has_the_commits_that_change_what_is_compared(repository):
    found = commits_of("main~3..main", repository, changing)
    assert list(found.commits) == names(repository, "main~2", "main")
    assert (found.base, found.others) == (*names(repository, "main~3"), 1)
    assert commits_of("main~3..", repository, changing).commits == found.commits


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("main", "is a range of commits"),
        ("..main", "is a range of commits"),
        ("main~2...main", "is a range of commits"),
        ("nope..main", "no commit called 'nope'"),
        ("main~2..main~1", "No commit after main~2 up to main~1 changes src"),
        ("main..main~2", "No commit after main up to main~2"),
    ],
)
def test_what_is_no_range_is_a_sentence(repository, told, sentence):
    with pytest.raises(ProblemError, match=sentence):
        commits_of(told, repository, changing)


@pytest.fixture
def filled(repository, tmp_path):
    """`fill_in` with comparisons that are only written down; one that is told to fail does."""
    found, asked = commits_of("main~3..main", repository, changing), []

    def fill(out=tmp_path / "out", fails=None, **settings):
        def compare_one(_base, commit, folder):
            asked.append(commit)
            if fails and commit == fails[0] and not isinstance(fails[1], str):
                folder.mkdir()
                raise fails[1]
            folder.mkdir()
            faults = [fails[1]] if fails and isinstance(fails[1], str) and commit == fails[0] else []
            told = {"versions": [], "cases": [], "faults": faults}
            (folder / "comparison.json").write_text(json.dumps(told))
            return faults

        return fill_in(found, out, settings, compare_one)

    return found, asked, fill


@pytest.fixture(autouse=True)
def no_page(request, monkeypatch):
    """These comparisons have no records to make a page of."""
    if "filled" in request.fixturenames:
        monkeypatch.setattr("stepbench.commands.each_commit._tell", lambda folder: None)


def test_what_was_compared_is_not_compared_again(filled):
    found, asked, fill = filled
    assert fill()
    assert fill()
    assert asked == list(found.commits)


def test_a_commit_that_cannot_be_compared_ends_nothing_and_is_tried_again(filled, capsys):
    found, asked, fill = filled
    assert not fill(fails=(found.commits[0], VersionError("head", "its kernel is absent")))
    assert asked == list(found.commits)
    told = capsys.readouterr().err
    assert told.count("its kernel is absent") == 1
    assert f"{found.commits[0][:10]}: its kernel is absent" in told
    assert f"Something failed of {found.commits[0][:10]}, as said above" in told
    assert fill()
    assert asked[2:] == [found.commits[0]]


def test_a_commit_of_which_something_failed_is_compared_again(filled):
    found, asked, fill = filled
    assert not fill(fails=(found.commits[1], "gw disagrees"))
    assert fill()
    assert asked == [*found.commits, found.commits[1]]


def test_where_nothing_was_compared_nothing_is_left(filled, tmp_path):
    found, *_ = filled

    def refuses(*_):
        raise VersionError("base", "the base has none")

    with pytest.raises(VersionError):
        fill_in(found, tmp_path / "deep" / "out", {}, refuses)
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("error", [VersionError("base", "the base has none"), ProblemError("--sizes is wrong")])
def test_what_is_wrong_for_every_commit_ends_it_at_once(filled, error):
    found, asked, fill = filled
    with pytest.raises(type(error)):
        fill(fails=(found.commits[0], error))
    assert len(asked) == 1


def test_a_folder_of_other_cases_or_of_something_else_is_refused(filled, tmp_path):
    _, _, fill = filled
    assert fill(sizes="1000x20")
    with pytest.raises(ProblemError, match="a history with another sizes"):
        fill(sizes="2000x20")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("mine")
    with pytest.raises(ProblemError, match="holds something else"):
        fill(out=taken)
    assert (taken / "thesis.txt").read_text() == "mine"


@pytest.mark.slow
def test_a_range_that_was_killed_is_gone_on_with_and_its_history_told(repository, tmp_path):
    out, before = tmp_path / "out", state(repository)
    command = ("compare", "--each", "main~3..main", "--kernel", repository / "src" / "kernel.py", *SMALL, "--out", out)
    process = start_stepbench(*command)
    first, second = names(repository, "main~2", "main")
    deadline = time.monotonic() + 240
    while not (out / second[:10] / "journal.jsonl").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = (out / first[:10] / "comparison.json").stat().st_mtime_ns
    finished = stepbench(*command, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert finished.returncode == 0, finished.stderr
    assert f"1 of 2: {first[:10]} fast (compared before)" in finished.stdout
    assert (out / first[:10] / "comparison.json").stat().st_mtime_ns == kept
    assert state(repository) == before
    (chain,) = json.loads((out / "history.json").read_text())["chains"]
    assert [level["commit"] for level in chain["levels"]] == names(repository, "main~3", "main~2", "main")
    assert chain["levels"][1]["ratio_high"] < 1
    assert Path(out / "history.html").is_file()
    assert FAST in git(repository, "show", "main~2:src/beside.py")
