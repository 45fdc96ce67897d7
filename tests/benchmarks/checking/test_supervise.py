"""Rows in processes of their own: crashes, hangs and mistakes become verdicts, and no row stops another."""

import re

import pytest

from checks import kernel_file, verdict_of
from runs import KERNELS
from stepbench.checking import Verdict, check, load_kernel
from stepbench.checking.schedule import Plan
from stepbench.checking.supervise import judge_row
from stepkernels import Implementation
from stepkernels.catalog import CATALOG


def test_the_example_of_the_documentation_agrees():
    row, report = verdict_of(load_kernel(KERNELS / "matrix_form.py"))
    assert row.verdict is Verdict.AGREES, row
    assert report.exit_code == 0
    assert row.judged > 1000
    assert re.search(r"worst \w+, at 0\.\d\d of its bound", row.summary)


@pytest.mark.parametrize(
    ("name", "verdict", "says"),
    [
        ("segfault", Verdict.ERROR, "was ended by SIGSEGV"),
        ("wrong", Verdict.DISAGREES, "is off by"),
        ("too_much_memory", Verdict.ERROR, r"Unable to allocate.*too_much_memory.py, line"),
    ],
)
def test_a_kernel_that_fails_is_a_verdict(name, verdict, says):
    row, report = verdict_of(load_kernel(KERNELS / f"{name}.py"))
    assert row.verdict is verdict
    assert re.search(says, row.reason), row.reason
    assert report.exit_code == 1


def test_a_kernel_that_hangs_is_ended():
    row = load_kernel(KERNELS / "hang.py")
    report = judge_row(row, Plan(seed=1), most_patience_seconds=8.0)
    assert report.verdict is Verdict.ERROR
    assert "gave no answer for 8 seconds and was ended" in report.reason


def test_a_kernel_that_exits_is_a_verdict(tmp_path):
    body = "class Workspace(numpy_blas.Workspace):\n    def step(self): raise SystemExit(0)\n"
    path = kernel_file(tmp_path, body + "def bind(problem, config): return Workspace(problem, config, 'C')\n")
    row, _ = verdict_of(load_kernel(path))
    assert row.verdict is Verdict.ERROR
    assert "SystemExit: 0 (kernel.py, line 5, in step)" in row.reason


def test_a_row_that_fails_after_it_gave_numbers_disagrees(tmp_path):
    body = (
        "class Workspace(numpy_blas.Workspace):\n"
        "    def reset(self, w=None, b=None, moments=None, step=0):\n"
        "        if moments is not None: raise RuntimeError('no moments here')\n"
        "        super().reset(w, b, moments, step)\n"
    )
    path = kernel_file(tmp_path, body + "def bind(problem, config): return Workspace(problem, config, 'C')\n")
    row, _ = verdict_of(load_kernel(path))
    assert row.judged > 0
    assert row.verdict is Verdict.DISAGREES


def test_what_a_row_declares_and_does_not_have_is_a_verdict(tmp_path):
    path = kernel_file(
        tmp_path,
        "def bind(problem, config): return numpy_blas.Workspace(problem, config, 'C')\n",
        ", ops=(Op.STEP, Op.TRAIN)",
    )
    row, _ = verdict_of(load_kernel(path))
    assert "the row declares train but its workspace has no train()" in row.reason


def test_an_undeclared_difference_is_given_a_hint(tmp_path):
    path = kernel_file(
        tmp_path,
        "import numpy as np\n"
        "class Workspace(numpy_blas.Workspace):\n"
        "    def gradient(self):\n"
        "        super().gradient()\n"
        "        r = 1 / (1 + np.exp(-(self.X @ self.w + self.b))) - self.problem.y\n"
        "        self.gw[:] = r @ self.X / len(r) + self.config.l2 * self.w\n"
        "        self.gb[:] = r.mean()\n"
        "    def step(self):\n"
        "        self.gradient()\n"
        "        self.update()\n"
        "def bind(problem, config): return Workspace(problem, config, 'C')\n",
    )
    row, _ = verdict_of(load_kernel(path))
    assert row.verdict is Verdict.DISAGREES
    assert "declaring residual='difference'" in row.reason


def test_a_row_that_does_not_repeat_itself_is_told_so_and_given_no_other_hint(tmp_path):
    path = kernel_file(
        tmp_path,
        "import numpy as np\n"
        "class Workspace(numpy_blas.Workspace):\n"
        "    def step(self):\n"
        "        super().step()\n"
        "        self.gw[0] *= 1 + 10.0 ** np.random.default_rng().uniform(-3, 1)\n"
        "def bind(problem, config): return Workspace(problem, config, 'C')\n",
        ", ops=(Op.STEP,)",
    )
    row, _ = verdict_of(load_kernel(path))
    assert row.verdict is Verdict.DISAGREES
    assert "it does not repeat itself, as with a race" in row.reason
    assert "declaring" not in row.reason


def test_a_broken_installation_is_not_a_missing_one(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("raise OSError('libfast.so.3: cannot open shared object file')\n")
    found, report = verdict_of(Implementation(name="broken", module=str(path)), require=frozenset({"broken"}))
    assert found.verdict is Verdict.ERROR
    assert "libfast.so.3" in found.reason
    assert report.exit_code == 1
    assert report.unproven == (), "it is told as broken, not as one that nobody could try"


@pytest.mark.parametrize("ending", ["os.abort()", "os._exit(3)", "raise SystemExit(0)"])
def test_a_row_that_ends_its_process_while_it_is_loaded_has_not_disagreed(tmp_path, ending):
    path = tmp_path / "ends.py"
    path.write_text(f"import os\n{ending}\n")
    found, report = verdict_of(Implementation(name="ends", module=str(path)))
    assert found.verdict is Verdict.ERROR
    assert found.reason.startswith("while it was loaded, the row ")
    assert report.exit_code == 1


@pytest.mark.slow
@pytest.mark.usefixtures("without_gpu")
def test_gpu_rows_without_a_gpu_are_simulated_or_compiled():
    rows = [CATALOG["cupy-fused"], CATALOG["triton-fused"]]
    verdicts = {row.row: row.verdict for row in check(rows, simulate=True, seed=2).rows}
    assert set(verdicts.values()) <= {Verdict.SIMULATED, Verdict.COMPILED, Verdict.NOT_RUN}, verdicts
