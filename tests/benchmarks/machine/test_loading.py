"""Whether a row can be loaded is tried, not guessed: a broken or hidden library is an error, with its reason."""

import json
import subprocess
import sys

import pytest

from runs import environment, stepbench
from stepbench.commands.show import fact_lines
from stepbench.machine.loading import standings_of
from stepkernels import probe
from stepkernels.catalog import CATALOG

PEER, OURS = CATALOG["sklearn-loss"], CATALOG["numpy-blas"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("raise OSError('libgomp.so.1: cannot open shared object file')", "OSError: libgomp.so.1"),
        ("import os; os.abort()", "ended the process"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os; os._exit(0)", "ended the process with status 0"),
        ("print('loading')", "is not a package"),
        ("raise AttributeError('µ')", "AttributeError: µ"),
    ],
)
def test_a_library_that_is_there_and_fails_is_an_error_of_its_rows_alone(tmp_path, monkeypatch, source, says):
    (tmp_path / "sklearn.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    standings = standings_of([PEER, OURS])
    assert standings[PEER.name].word == "error"
    assert says in standings[PEER.name].reason
    assert standings[OURS.name].word == "available"


def test_a_file_of_the_working_folder_that_hides_a_library_is_named(tmp_path, monkeypatch):
    (tmp_path / "sklearn.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert f"{tmp_path / 'sklearn.py'} is imported in place of sklearn" in standings_of([PEER])[PEER.name].reason


def test_a_broken_gpu_is_an_error_and_not_a_traceback(monkeypatch):
    def broken(library):
        raise probe.BrokenInstallationError(f"A GPU is present but {library} could not compute on it")

    monkeypatch.setattr(probe, "missing_gpu", broken)
    row = CATALOG["torch-manual-cuda"]
    assert standings_of([row])[row.name].word == "error"


def test_a_folder_called_like_a_library_is_not_that_library(tmp_path, monkeypatch):
    (tmp_path / "cupy").mkdir()
    if probe.missing_library("cupy") is None:
        pytest.skip("CuPy is installed here")
    monkeypatch.syspath_prepend(tmp_path)
    assert "cupy is not installed" in probe.missing_library("cupy")


def test_a_row_that_would_not_be_compiled_is_told_by_list_and_show(monkeypatch):
    rows = json.loads(stepbench("list", "--json", NUMBA_DISABLE_JIT="1").stdout)["rows"]
    by_name = {row["name"]: row for row in rows}
    assert by_name["numba-fused"]["here"] == "unavailable"
    assert not by_name["numba-fused"]["available"]
    assert by_name["numpy-blas"]["here"] == "available"
    assert all(row["reason"].startswith("NUMBA_DISABLE_JIT is set") for row in rows if row["library"] == "numba")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    standing = standings_of([CATALOG["numba-fused"]])["numba-fused"]
    assert "here: unavailable: NUMBA_DISABLE_JIT is set" in "\n".join(fact_lines(CATALOG["numba-fused"], standing))


def test_the_listing_process_itself_loads_no_library():
    code = (
        "import sys\n"
        "from stepbench.machine.loading import standings_of\n"
        "from stepkernels.catalog import CATALOG\n"
        "assert standings_of([CATALOG['sklearn-loss']])['sklearn-loss'].word == 'available'\n"
        "assert 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True, timeout=300)


@pytest.mark.parametrize("name", ["random", "secrets", "numba", "json"])
def test_a_module_of_the_working_folder_is_not_taken_for_a_library(tmp_path, name):
    (tmp_path / f"{name}.py").write_text("raise RuntimeError('taken for a library')")
    finished = subprocess.run(
        [sys.executable, "-m", "stepbench", "check", "--help"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
