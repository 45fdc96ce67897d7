"""Folders of versions: whole or not there, made once, and what a killed process left is gone with the next call."""

import os
import time

import pytest

from stepbench.run.commits.kept_trees import HALF_MADE, KEPT_SECONDS, kept
from stepkernels.problem import ProblemError


def with_a_file(folder):
    (folder / "file").write_text("content")


def test_a_folder_is_made_once_and_used_again(tmp_path):
    made = []

    def make(folder):
        made.append(folder)
        with_a_file(folder)

    assert kept("a", make, tmp_path) == kept("a", make, tmp_path)
    assert len(made) == 1
    assert (tmp_path / "a" / "file").read_text() == "content"


def test_one_that_cannot_be_finished_is_not_there(tmp_path):
    def fail(folder):
        with_a_file(folder)
        raise ProblemError("no")

    with pytest.raises(ProblemError):
        kept("a", fail, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".lock"}


def test_what_was_left_half_made_or_unused_for_long_is_gone(tmp_path):
    kept("old", with_a_file, tmp_path)
    kept("new", with_a_file, tmp_path)
    (tmp_path / f"{HALF_MADE}x").mkdir()
    os.utime(tmp_path / "old", (0, time.time() - KEPT_SECONDS - 1))
    kept("another", with_a_file, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "new", "another"}


def test_no_place_to_keep_them_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProblemError, match="XDG_CACHE_HOME"):
        kept("a", with_a_file, tmp_path / "file" / "below")
