"""The folder of a run: an empty one or none; only what the run made is removed; no link leads out of it."""

import pytest

from runs import SMALL, stepbench
from stepbench.run.journal import Journal
from stepbench.run.run_folder import made, new_folder, new_work_name, refuse_links, work_folder
from stepkernels.problem import ProblemError
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME


def everything_in(folder):
    return {path.relative_to(folder): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name",
    ["scratch/mine", "caches/mine", "logs/mine", "work/mine", ".work-0123456789abcdef/mine", "notes.txt", ".hidden"],
)
def test_a_folder_with_anything_in_it_is_refused_and_left_as_it_was(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = everything_in(tmp_path)
    with pytest.raises(ProblemError, match="is not empty, and holds no run"):
        new_folder(tmp_path)
    assert everything_in(tmp_path) == before


def test_the_command_refuses_it_too_before_anything_is_written(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "thesis").write_text("mine")
    finished = stepbench(*SMALL, "--out", tmp_path)
    assert finished.returncode == 2
    assert "is not empty" in finished.stderr
    assert everything_in(tmp_path).keys() == {(tmp_path / "scratch" / "thesis").relative_to(tmp_path)}


@pytest.mark.parametrize("option", ["--out", "--resume"])
@pytest.mark.parametrize("word", ["", " "])
def test_an_empty_word_is_no_folder(tmp_path, option, word, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished = stepbench("run", "--rows", "numpy-blas", option, word)
    assert finished.returncode == 2
    assert "empty word" in finished.stderr
    assert everything_in(tmp_path) == {}


def test_an_empty_folder_or_none_is_taken(tmp_path):
    assert new_folder(tmp_path) == tmp_path
    assert new_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"


def test_a_run_is_not_begun_where_one_is(tmp_path):
    with Journal(tmp_path) as journal:
        journal.write("run")
    with pytest.raises(ProblemError, match="already holds a run"):
        new_folder(tmp_path)
    with pytest.raises(ProblemError, match="already holds a run"):
        Journal(tmp_path, new=True)


def test_a_run_that_was_killed_before_its_first_line_is_none(tmp_path):
    (tmp_path / NAME).write_text('{"event": "ru')
    assert new_folder(tmp_path) == tmp_path
    with Journal(tmp_path, new=True) as journal:
        journal.write("run")
    assert (tmp_path / NAME).read_text().startswith('{"event": "run"')


def test_folders_that_stayed_empty_are_gone_and_others_stay(tmp_path):
    (tmp_path / "theirs").mkdir()
    with made(tmp_path / "theirs" / "a" / "b"), Journal(tmp_path / "theirs" / "a" / "b", new=True):
        assert (tmp_path / "theirs" / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == [tmp_path / "theirs"]
    with made(tmp_path / "theirs"):
        pass
    assert (tmp_path / "theirs").is_dir(), "it was there before"
    with made(tmp_path / "theirs" / "a"):
        (tmp_path / "theirs" / "a" / "kept").write_text("")
    assert (tmp_path / "theirs" / "a" / "kept").exists()


def test_what_an_attempt_left_behind_is_removed_and_nothing_else(tmp_path):
    name = new_work_name()
    (tmp_path / name / "scratch").mkdir(parents=True)
    (tmp_path / "scratch").mkdir()
    with work_folder(tmp_path, name) as work:
        assert list(work.iterdir()) == []
        (work / "new").mkdir()
    assert list(tmp_path.iterdir()) == [tmp_path / "scratch"]


@pytest.mark.parametrize(
    "name", ["..", "../up", "", ".", "logs", "/etc", None, 3, ".work-x", ".work-0123456789abcdef/.."]
)
def test_a_journal_cannot_name_another_folder_to_be_removed(tmp_path, name):
    with pytest.raises(RecordError, match="the journal is damaged"), work_folder(tmp_path, name):
        pass


def test_two_works_never_have_one_name():
    assert len({new_work_name() for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["logs", "figures", "benchmark.json", "logs/numpy-blas.log", "report.html", NAME])
def test_a_planted_link_is_refused_and_what_it_leads_to_is_untouched(tmp_path, name):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    (run / name).parent.mkdir(parents=True)
    (run / name).symlink_to(elsewhere if "." not in name else elsewhere / "file")
    with pytest.raises(RecordError, match="is a symbolic link"):
        refuse_links(run, None)
    if name == NAME:
        with pytest.raises(RecordError, match="cannot be written"):
            Journal(run)
        with pytest.raises(ProblemError, match="already holds a run"):
            new_folder(run)
    assert everything_in(elsewhere) == {(elsewhere / "file").relative_to(elsewhere): "mine"}


def test_a_planted_work_folder_is_not_followed(tmp_path):
    name, elsewhere = new_work_name(), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    (tmp_path / name).symlink_to(elsewhere)
    with pytest.raises(OSError, match="exists"), work_folder(tmp_path, name):
        pass
    assert everything_in(elsewhere) != {}
