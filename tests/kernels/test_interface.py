"""What a row promises before it is loaded: nothing optional is imported, missing is told, broken raises."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from stepkernels import Adam, Config, Implementation, Op, ProblemError, probe, synthetic_problem
from stepkernels.catalog import CATALOG, rows_named
from stepkernels.probe.kernel_modules import load_file

OPTIONAL = ("numba", "torch", "cupy", "jax", "triton", "scipy", "sklearn", "cuda")


def test_importing_loads_no_optional_library():
    """In a fresh interpreter: the package, the catalogue, the truth and the bound need numpy alone."""
    code = (
        "import sys, stepkernels, stepkernels.catalog, stepkernels.agreement\n"
        f"print([name for name in {OPTIONAL} if name in sys.modules])"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"


def test_rows_are_told_apart_by_their_names():
    assert len({row.name for row in CATALOG.values()}) == len(CATALOG)
    assert [row.name for row in CATALOG.values()] == list(CATALOG)
    assert all(Op.STEP in row.ops and row.summary.endswith(".") for row in CATALOG.values())


def test_rows_by_name_keep_the_order_of_the_ladder():
    first, second, *_ = CATALOG
    assert [row.name for row in rows_named([second, first])] == [first, second]
    with pytest.raises(ProblemError, match="There is no row called 'numpy'"):
        rows_named(["numpy"])


def test_a_missing_library_is_a_reason_with_its_install_command():
    row = Implementation(name="x", module="nothing", library="no_such_library")
    assert row.unavailable() == "no_such_library is not installed; python -m pip install no_such_library"


def test_a_broken_library_raises(tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text("raise ImportError('the shared object is damaged')\n")
    (tmp_path / "row_on_broken.py").write_text("import broken_library\ndef bind(problem, config): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    row = Implementation(name="x", module="row_on_broken", library="broken_library")
    assert row.unavailable() is None, "found is not missing"
    with pytest.raises(ImportError, match="damaged"):
        row.bind(synthetic_problem(2, 2), Config())


@pytest.mark.parametrize("name", CATALOG)
def test_a_row_is_the_same_after_a_journey_through_json(name):
    row = CATALOG[name]
    assert Implementation.from_json(json.loads(json.dumps(row.to_json()))) == row


def test_a_row_stored_before_a_field_was_known_has_its_default():
    row = CATALOG["numba-fused"]
    stored = {name: value for name, value in row.to_json().items() if name not in ("raw_kernels", "auto_from")}
    assert Implementation.from_json(stored) == replace(row, raw_kernels=False, auto_from=None)


@pytest.fixture
def gpu_child(monkeypatch):
    """What the child that tries the GPU came to, without a child."""

    def answers(**outcome):
        def run(command, **_):
            if outcome.get("hangs"):
                raise subprocess.TimeoutExpired(command, 1.0)
            return subprocess.CompletedProcess(command, outcome["status"], outcome["out"], outcome["err"])

        monkeypatch.setattr(probe.ctypes, "CDLL", lambda _name: None)  # a driver is there
        monkeypatch.setattr(probe.subprocess, "run", run)
        probe.missing_gpu.cache_clear()

    yield answers
    probe.missing_gpu.cache_clear()


def test_a_gpu_that_fails_raises(gpu_child):
    """A driver that answers and a library that then fails: not missing, broken."""
    gpu_child(status=1, out="", err="Traceback\nRuntimeError: an illegal memory access")
    with pytest.raises(probe.BrokenInstallationError, match="illegal memory access"):
        probe.missing_gpu("cupy")


def test_a_gpu_that_is_not_there_is_a_reason(gpu_child):
    gpu_child(status=0, out='{"reason": "the NVIDIA driver reports no GPU"}\n', err="")
    assert probe.missing_gpu("cupy") == "the NVIDIA driver reports no GPU"


def test_a_gpu_that_works_is_no_reason(gpu_child):
    gpu_child(status=0, out='a library says hello\n{"reason": null}\n', err="")
    assert probe.missing_gpu("cupy") is None


def test_a_gpu_that_hangs_is_a_reason(gpu_child):
    gpu_child(hangs=True)
    assert "did not answer" in probe.missing_gpu("cupy")


def test_what_a_row_does_not_support_is_told():
    row = Implementation(name="x", module="stepkernels.rows.numpy_blas", dtypes=("float64",), optimizers=("gd",))
    with pytest.raises(ProblemError, match="x computes in float64, not in float32"):
        row.bind(synthetic_problem(2, 2), Config(dtype="float32"))
    with pytest.raises(ProblemError, match="x updates with gd, not with adam"):
        row.bind(synthetic_problem(2, 2), Config(optimizer=Adam()))


def test_a_file_is_loaded_once_and_anew_after_it_failed(tmp_path):
    path = tmp_path / "kernel.py"
    path.write_text("raise ValueError('not yet')\n")
    with pytest.raises(ValueError, match="not yet"):
        load_file(path)
    path.write_text("loaded = []\n")
    assert load_file(path) is load_file(path)


def test_bind_gives_the_row_its_own_type():
    row = Implementation(name="x", module="stepkernels.rows.numpy_blas")
    snapshot = row.bind(synthetic_problem(5, 2), Config(dtype="float32")).snapshot()
    assert snapshot.w.dtype == np.float32
    assert np.isnan(snapshot.J)
