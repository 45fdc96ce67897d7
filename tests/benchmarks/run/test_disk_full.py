"""A disk that is full at any moment: a sentence, nothing measured lost, and the run goes on from there."""

import errno
import json
import os
import resource
import subprocess
import sys

import pytest

from runs import SMALL, WITH_FEW_TURNS, coverage, environment, stepbench
from stepbench.run import journal as journals
from stepbench.run.journal import Journal
from stepreports.records.journal import NAME, read_events

FULL_AT = (1_000, 20_000, 60_000)  # bytes of any one file: before the first line, among the turns, at the report


def run_with_files_up_to(size, *arguments):
    return subprocess.run(
        [sys.executable, *WITH_FEW_TURNS, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)),
    )


@pytest.mark.parametrize("size", FULL_AT)
def test_a_full_disk_is_a_sentence_and_the_run_goes_on_when_there_is_room(tmp_path, unbroken, size):
    folder = tmp_path / "run"
    finished = run_with_files_up_to(size, *SMALL, "--out", folder)
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert "File too large" in finished.stderr
    if not folder.exists():
        assert "Nothing was measured yet" in finished.stderr
        return
    before = [event for event in read_events(folder) if event["event"] == "round"]
    assert stepbench("run", "--resume", folder).returncode == 0
    after = [event for event in read_events(folder) if event["event"] == "round"]
    assert after[: len(before)] == before, "what was measured is there"
    assert coverage(folder) == coverage(unbroken)


@pytest.mark.parametrize("taken", [0, 1, 10])
def test_an_event_that_does_not_fit_leaves_the_journal_as_it_was(tmp_path, monkeypatch, taken):
    """The disk takes a few bytes of it and no more."""
    with Journal(tmp_path) as journal:
        journal.write("run", schema=1)
        before = (tmp_path / NAME).read_bytes()
        left = [taken]

        real = os.write
        monkeypatch.setattr(journals.os, "write", lambda file, content: partly(real, left, file, content))
        with pytest.raises(OSError, match="No space left"):
            journal.write("round", seconds=[0.5] * 100)
        monkeypatch.undo()
        assert (tmp_path / NAME).read_bytes() == before
        journal.write("finished")
    assert [json.loads(line)["event"] for line in (tmp_path / NAME).read_text().splitlines()] == ["run", "finished"]


def partly(write, left, file, content):
    if left[0] == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    written = write(file, content[: left[0]])
    left[0] -= written
    return written
