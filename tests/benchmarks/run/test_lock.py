"""A run is one process's at a time, and runs that time side by side know it."""

import os
import subprocess
import sys

import pytest

from runs import SMALL, environment, stepbench
from stepbench.machine.other_runs import Presence
from stepbench.run.journal import Journal
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME

BUSY = "is being timed by another process"


def test_a_second_run_in_one_folder_is_refused_at_once(tmp_path):
    with Journal(tmp_path, new=True):  # not a line of it is written yet
        for new in (True, False):
            with pytest.raises(RecordError, match=BUSY):
                Journal(tmp_path, new=new)
        finished = stepbench(*SMALL, "--out", tmp_path)
        assert finished.returncode == 2
        assert BUSY in finished.stderr
    assert list(tmp_path.iterdir()) == [], "the first had nothing to keep, the second took nothing away"


def test_resume_beside_a_live_run_is_refused_and_changes_nothing(tmp_path, unbroken):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / NAME).write_bytes((unbroken / NAME).read_bytes())
    with Journal(folder):
        finished = stepbench("run", "--resume", folder)
        assert finished.returncode == 2
        assert BUSY in finished.stderr
        assert (folder / NAME).read_bytes() == (unbroken / NAME).read_bytes()
        assert not (folder / "logs").exists()


HOLD = """
import sys, time
from pathlib import Path
from stepbench.run.journal import Journal

journal = Journal(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_the_lock_of_a_killed_run_is_gone(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RecordError, match=BUSY):
            Journal(tmp_path)
        holder.kill()
    with Journal(tmp_path):
        pass


def test_runs_that_time_side_by_side_see_each_other(tmp_path):
    folder = tmp_path / "timing"
    with Presence(folder) as first:
        assert first.others() == 0
        with Presence(folder) as second, Presence(folder) as third:
            assert [each.others() for each in (first, second, third)] == [2, 2, 2]
        assert first.others() == 0
    assert list(folder.iterdir()) == []


def test_what_a_killed_run_left_is_nobody(tmp_path):
    folder = tmp_path / "timing"
    folder.mkdir()
    (folder / "123-abc").touch()
    (folder / "link").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    with Presence(folder) as alone:
        assert alone.others() == 0


def test_where_nobody_can_be_seen_that_is_said_and_not_that_there_was_nobody(tmp_path):
    (tmp_path / "timing").symlink_to(tmp_path)
    with Presence(tmp_path / "timing") as blind:
        assert blind.others() is None
    (tmp_path / "file").touch()
    with Presence(tmp_path / "file") as blind:
        assert blind.others() is None
