"""How a command ends: every status has one meaning, and whatever is raised ends in a sentence."""

import errno
import signal
import subprocess
import sys
import time

import psutil
import pytest
import typer

from runs import ROOT, environment, stepbench
from stepbench.cli import COMMANDS
from stepbench.commands.endings import EXIT_STATUSES, Status, ending_of
from stepbench.commands.terminal import sentences
from stepkernels.probe import BrokenInstallationError
from stepkernels.problem import ProblemError
from stepreports import RecordError

RAISED = {
    Status.USAGE: [
        ProblemError("X is empty."), RecordError("No run."), MemoryError("Unable to allocate 8 GiB"),
        OSError(errno.ENAMETOOLONG, "File name too long", "x" * 300), IsADirectoryError(errno.EISDIR, "Is one", "a"),
    ],
    Status.FAILED: [BrokenInstallationError("A GPU is present but cupy could not compute on it.")],
    Status.STOPPED: [KeyboardInterrupt()],
    Status.NOT_WRITTEN: [
        OSError(errno.ENOSPC, "No space left on device", "a.json"), OSError(errno.EROFS, "Read-only file system"),
    ],
    Status.INTERNAL: [KeyError("x"), AssertionError(), RecursionError("too deep"), OSError("odd"), ValueError("a\nb")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "error"), [(status, error) for status, raised in RAISED.items() for error in raised], ids=repr
)
def test_whatever_is_raised_is_a_sentence_and_its_own_status(status, error, capsys):
    @sentences
    def command():
        raise error

    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == status
    told = capsys.readouterr().err
    assert told.splitlines()[0].endswith(".")
    assert not told.startswith("Traceback")
    assert ("Traceback" in told) == (status == Status.INTERNAL), "a fault of ours is told to whoever mends it"


def test_on_a_terminal_a_traceback_goes_into_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ending = ending_of(KeyError("µ"), in_a_file=True)
    (file,) = tmp_path.iterdir()
    assert str(file) in ending.sentence
    assert "KeyError" in file.read_text("utf-8")
    assert ending.below == ""


def test_where_no_file_can_be_written_it_is_shown(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    assert "KeyError" in ending_of(KeyError("x"), in_a_file=True).below


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=str)
def test_every_help_says_what_the_statuses_mean(command):
    shown = " ".join(stepbench(*command, "--help").stdout.split())
    assert EXIT_STATUSES in shown


def test_the_readme_has_every_status():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [f"| {status.value} |" in readme for status in Status] == [True] * len(Status)


def test_an_interrupt_is_130_without_a_traceback():
    arguments = [sys.executable, "-m", "stepbench", "check", "python-loop", "numpy-blas"]
    with subprocess.Popen(arguments, env=environment(), stderr=subprocess.STDOUT, stdout=subprocess.PIPE) as process:
        parent = psutil.Process(process.pid)
        while not parent.children():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = process.stdout.read().decode()
    assert process.returncode == Status.STOPPED
    assert "Traceback" not in told
    assert "disagrees" not in told, "a row whose judge was ended is not a row that disagrees"
