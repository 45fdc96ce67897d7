"""Places to write are tried before the work: a sentence where nothing can be written, a folder made where none is."""

import json
import os
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runs import stepbench
from stepbench import checking
from stepbench.checking import CheckReport
from stepbench.cli import app
from stepbench.commands.endings import Status
from stepbench.commands.places import require_absent, require_writable, require_writable_folder
from stepkernels.problem import ProblemError
from stepreports.records.files import write_whole
from trainings import CANCER


@pytest.fixture
def no_work(monkeypatch):
    """A check that finds nothing to do."""
    monkeypatch.setattr(checking, "check", lambda *_, **__: CheckReport(rows=(), required=frozenset(), seed=1))


@pytest.mark.parametrize("place", ["", ".", "a-folder", "a-file/x", "a-file/x/y", "/proc/none/x", "x" * 300])
def test_where_no_file_can_be_written_is_told(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a-folder").mkdir()
    Path("a-file").write_text("kept")
    with pytest.raises(ProblemError):
        require_writable(Path(place))
    assert Path("a-file").read_text() == "kept"


@pytest.mark.parametrize("place", ["new", "a/new/folder", "a-folder", ""])
def test_a_folder_is_tried_and_not_yet_made(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a-folder").mkdir()
    require_writable_folder(Path(place))
    assert [path.name for path in tmp_path.rglob("*")] == ["a-folder"]


def test_a_file_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "kept").write_text("kept")
    require_writable(tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "kept"


@pytest.mark.usefixtures("no_work")
def test_a_missing_folder_is_made_for_every_file_of_a_check(tmp_path):
    report, table = tmp_path / "a" / "b" / "report.json", tmp_path / "c" / "table.md"
    arguments = ["check", "numpy-blas", "--json", str(report), "--markdown", str(table)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert json.loads(report.read_text("utf-8"))["seed"] == 1
    assert "| row |" in table.read_text("utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("option", ["--json", "--markdown"])
@pytest.mark.usefixtures("no_work")
def test_a_disk_that_is_full_in_the_end_is_a_sentence(option):
    finished = CliRunner().invoke(app, ["check", "numpy-blas", option, "/dev/full"])
    assert finished.exit_code == Status.NOT_WRITTEN
    assert "No space left on device" in finished.output
    assert "Traceback" not in finished.output
    assert Path("/dev/full").is_char_device(), "a device is written to, not replaced"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")), daemon=True)
    reader.start()
    write_whole(pipe, "µ\n")
    reader.join(10)
    assert read == ["µ\n"]
    assert pipe.is_fifo()


def test_of_a_device_the_folder_is_not_tried(monkeypatch):
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: pytest.fail("files are not made among devices"))
    require_writable(Path(os.devnull))


def test_a_report_goes_to_standard_output_by_its_name():
    finished = stepbench("check", "python-loop", "--seed", "1", "--json", "/dev/stderr")
    assert finished.returncode == 0
    assert '"exit_code": 0' in finished.stderr


def test_a_folder_that_is_missing_is_no_fault_and_not_yet_made(tmp_path):
    require_writable(tmp_path / "a" / "b" / "model.npz")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_place_for_a_file(tmp_path):
    with pytest.raises(ProblemError, match="is a folder; name a file"):
        require_writable(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProblemError, match="cannot be written"):
        require_writable(tmp_path / "file" / "model.npz")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_a_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ProblemError, match="cannot be written"):
        require_writable(tmp_path / "a" / "model.npz")


def test_a_file_is_overwritten_by_force_alone(tmp_path):
    (tmp_path / "file").write_text("")
    require_absent(tmp_path / "file", force=True)
    with pytest.raises(ProblemError, match="exists already; --force overwrites it"):
        require_absent(tmp_path / "file", force=False)


@pytest.mark.parametrize("out", ["/", ".", "file/model.npz"])
def test_a_place_is_refused_before_the_data_are_read(tmp_path, monkeypatch, out):
    """The data do not exist: were they looked at first, the sentence would be about them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for command in (("train", "absent.csv"), ("predict", "absent.npz", "absent.csv")):
        finished = stepbench(*command, "--out", out)
        assert finished.returncode == 2
        assert "absent" not in finished.stderr
        assert "is a folder" in finished.stderr or "cannot be written" in finished.stderr


@pytest.mark.slow
def test_folders_are_made_for_a_model_and_for_predictions(tmp_path):
    model, predictions = tmp_path / "new" / "models" / "m.npz", tmp_path / "other" / "p.csv"
    assert stepbench("train", CANCER, "--out", model, "--steps", "3").returncode == 0
    assert stepbench("predict", model, CANCER, "--out", predictions).returncode == 0
    assert len(predictions.read_text().splitlines()) == 570
