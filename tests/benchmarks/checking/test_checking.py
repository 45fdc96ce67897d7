"""`stepbench.checking`: crashes, hangs and mistakes become verdicts; a stranger's file is told its own lines."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from runs import KERNELS, stepbench
from stepbench.checking import KernelFileError, Verdict, check, load_kernel, scenes
from stepbench.checking.fuzz import main as fuzz
from stepbench.checking.protocol import Orders
from stepbench.checking.schedule import check_schedule, fuzz_schedule
from stepbench.checking.supervise import judge_row
from stepbench.checking.tally import Tally
from stepbench.checking.trials import ONE_STEP
from stepbench.checking.verdicts import CheckReport, RowReport
from stepbench.commands.choice_of_rows import required_rows
from stepkernels import Implementation, Op, ProblemError
from stepkernels.catalog import CATALOG
from stepkernels.probe import missing_gpu


def verdict_of(row, **arguments):
    report = check([row], seed=1, **arguments)
    return report.rows[0], report


def kernel_file(tmp_path, body, declared=""):
    path = tmp_path / "kernel.py"
    path.write_text(
        "from stepkernels import Implementation, Op\n"
        "from stepkernels.rows import numpy_blas\n"
        f"IMPLEMENTATION = Implementation(name='own', module=__file__{declared})\n" + body
    )
    return path


def test_the_example_of_the_documentation_agrees():
    row, report = verdict_of(load_kernel(KERNELS / "matrix_form.py"))
    assert row.verdict is Verdict.AGREES, row
    assert report.exit_code == 0
    assert row.judged > 1000
    assert re.search(r"worst \w+, at 0\.\d\d of its bound", row.summary)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("segfault", "was ended by SIGSEGV"),
        ("wrong", "is off by"),
        ("too_much_memory", r"Unable to allocate.*too_much_memory.py, line"),
    ],
)
def test_a_kernel_that_fails_is_a_verdict(name, says):
    row, report = verdict_of(load_kernel(KERNELS / f"{name}.py"))
    assert row.verdict is Verdict.DISAGREES
    assert re.search(says, row.reason), row.reason
    assert report.exit_code == 1


def test_a_kernel_that_hangs_is_ended():
    row = load_kernel(KERNELS / "hang.py")
    report = judge_row(row, Orders(row=row.to_json(), seed=1), silence_seconds=8.0)
    assert report.verdict is Verdict.DISAGREES
    assert "gave no answer for 8 seconds and was ended" in report.reason


def test_a_kernel_that_exits_is_a_verdict(tmp_path):
    body = "class Workspace(numpy_blas.Workspace):\n    def step(self): raise SystemExit(0)\n"
    path = kernel_file(tmp_path, body + "def bind(problem, config): return Workspace(problem, config, 'C')\n")
    row, _ = verdict_of(load_kernel(path))
    assert row.verdict is Verdict.DISAGREES
    assert "ended its process with status 0" in row.reason


def test_what_a_row_declares_and_does_not_have_is_a_verdict(tmp_path):
    path = kernel_file(
        tmp_path, "def bind(problem, config): return numpy_blas.Workspace(problem, config, 'C')\n", ", ops=(Op.TRAIN,)"
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
        "def bind(problem, config): return Workspace(problem, config, 'C')\n",
    )
    row, _ = verdict_of(load_kernel(path))
    assert row.verdict is Verdict.DISAGREES
    assert "declaring residual='difference'" in row.reason


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\ndef bind(:\n", r"bad\.py: line 2: .*\n    def bind\(:"),
        ("x = 1\n\ny = x / 0\n", r"bad\.py: line 3: ZeroDivisionError: division by zero\n    y = x / 0"),
        ("import no_such_module\n", r"line 1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = 1\n", "needs IMPLEMENTATION"),
        (
            "from stepkernels import Implementation\nIMPLEMENTATION = Implementation(name='x', module='x')\n",
            "needs a function bind",
        ),
        ("import os\nos._exit(3)\n", "ended its process while it was loaded .exit status 3."),
    ],
)
def test_a_bad_file_is_told_its_own_line(tmp_path, text, says):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(KernelFileError, match=says) as error:
        load_kernel(path)
    assert "Traceback" not in str(error.value)


@pytest.mark.parametrize("field", ["ops=('fly',)", "dtypes='float32'", "optimizers=()"])
def test_a_wrong_declaration_is_told(tmp_path, field):
    path = kernel_file(tmp_path, "def bind(problem, config): ...\n", f", {field}")
    with pytest.raises(KernelFileError, match=f"IMPLEMENTATION.{field.split('=')[0]} is .*; it must be a tuple out of"):
        load_kernel(path)


@pytest.mark.parametrize("option", ["lambda: 1", "Own()"], ids=["a function", "an object of a class of the file"])
def test_an_option_that_cannot_be_sent_is_told(tmp_path, option):
    path = tmp_path / "own.py"
    path.write_text(
        "from stepkernels import Implementation\n"
        "class Own: pass\n"
        f"IMPLEMENTATION = Implementation(name='own', module=__file__, options={{'own': {option}}})\n"
        "def bind(problem, config, own): ...\n"
    )
    with pytest.raises(
        KernelFileError, match=r"holds what cannot be sent to another process \(.*\); give plain values"
    ):
        load_kernel(path)


def test_an_option_that_json_cannot_hold_arrives(tmp_path):
    path = kernel_file(tmp_path, "def bind(problem, config, own): ...\n", ", options={'own': {1, 2j}}")
    assert load_kernel(path).options == {"own": {1, 2j}}


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(KernelFileError, match=r"There is no kernel file .*nowhere\.py"):
        load_kernel(Path("nowhere.py"))


def test_a_kernel_file_keeps_what_it_declares():
    row = load_kernel(KERNELS / "matrix_form.py")
    assert row.module == str(KERNELS / "matrix_form.py")
    assert row.ops == (Op.GRADIENT, Op.UPDATE, Op.STEP)
    assert row.allocates


def test_a_row_that_cannot_run_is_seen_everywhere():
    row = Implementation(name="absent", module="nothing", library="no_such_library")
    found, report = verdict_of(row)
    assert found.verdict is Verdict.NOT_RUN
    assert "pip install no_such_library" in str(found)
    assert "not run" in "\n".join(report.markdown_lines())
    assert json.loads(report.to_json())["rows"][0]["verdict"] == "not run"
    assert report.exit_code == 0
    assert verdict_of(row, require=frozenset({"absent"}))[1].exit_code == 1


def test_the_kernel_of_a_file_must_run(tmp_path):
    body = "def bind(problem, config): return numpy_blas.Workspace(problem, config, 'C')\n"
    path = kernel_file(tmp_path, body, ", library='no_such_library'")
    finished = stepbench("check", "--kernel", path)
    assert finished.returncode == 1
    assert "own: not run  no_such_library is not installed" in finished.stdout
    assert "own is required to agree, and was not run." in finished.stderr


def test_a_device_is_required_by_its_name():
    rows = [CATALOG["numpy-blas"], CATALOG["cupy-fused"], CATALOG["python-loop"]]
    assert required_rows("cpu", rows) == ["numpy-blas", "python-loop"]
    assert required_rows("cuda, python-loop", rows) == ["cupy-fused", "python-loop"]
    with pytest.raises(ProblemError, match="'cuda' is required but not among the rows asked for"):
        required_rows("cuda", rows[:1])


def test_two_kernels_of_one_name_are_told_apart_before_they_are_judged(tmp_path):
    path = kernel_file(tmp_path, "def bind(problem, config): ...\n")
    finished = stepbench("check", "--kernel", path, "--kernel", path)
    assert finished.returncode == 2
    assert "2 rows are called 'own'" in finished.stderr


def test_a_broken_installation_is_not_a_missing_one(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("raise OSError('libfast.so.3: cannot open shared object file')\n")
    found, report = verdict_of(Implementation(name="broken", module=str(path)))
    assert found.verdict is Verdict.DISAGREES
    assert "libfast.so.3" in found.reason
    assert report.exit_code == 1


def test_simulated_and_compiled_are_not_agreement():
    rows = tuple(RowReport(row=str(verdict), verdict=verdict) for verdict in Verdict)
    report = CheckReport(rows=rows, required=frozenset({"simulated", "agrees"}), seed=3)
    assert [row.row for row in report.failures] == ["disagrees", "simulated"]
    lines = report.markdown_lines()
    assert "| simulated (required) | **simulated** |  |" in lines
    assert lines[-1] == "Seed 3."


def test_errors_without_a_measure_are_null_in_json(tmp_path):
    path = tmp_path / "raises.py"
    path.write_text("def bind(problem, config): raise RuntimeError('no')\n")
    _, report = verdict_of(Implementation(name="raises", module=str(path)))
    content = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert content["rows"][0]["disagreements"][0]["error"] is None
    assert content["seed"] == 1
    assert "raises.py, line 1, in bind" in content["rows"][0]["reason"]


def test_a_seed_repeats_a_check_and_another_does_not():
    row = CATALOG["numpy-blas"]
    schedules = [check_schedule(row, seed) for seed in (5, 5, 6)]
    assert schedules[0] == schedules[1] != schedules[2]
    tallies = [Tally(), Tally(), Tally()]
    for schedule, tally in zip(schedules, tallies, strict=True):
        assert schedule[0].run(row, tally) is None
    assert tallies[0].worst == tallies[1].worst != tallies[2].worst


@pytest.mark.parametrize("dtypes", [("float32",), ("float64",), ("float32", "float64")])
@pytest.mark.parametrize("optimizers", [("gd",), ("adam",), ("gd", "adam")])
def test_a_row_that_compiles_is_spared_no_trial_in_any_dtype_or_with_any_optimizer(dtypes, optimizers):
    row = replace(CATALOG["jax-jit-cpu"], dtypes=dtypes, optimizers=optimizers)
    compiling, full = (check_schedule(replace(row, compiles_per_shape=compiles), 5) for compiles in (True, False))
    for visits in (lambda p: (p.trial.run, p.dtype), lambda p: (p.trial.run, p.optimizer), lambda p: (p.kind, p.dtype)):
        assert set(map(visits, compiling)) == {visit for visit in map(visits, full) if visit[0] is not ONE_STEP.run}
    programs = {(scheduled.shape, scheduled.dtype, scheduled.optimizer) for scheduled in compiling}
    assert len(programs) <= 10


def test_the_fuzzer_prints_its_counts_and_its_seed(capsys):
    assert fuzz(["--problems", "12", "--seed", "4", "numpy-blas"]) == 0
    out = capsys.readouterr().out
    assert "12 problems a row, seed 4" in out
    assert "numpy-blas: 12 problems, 0 rejected, 144 states judged; worst J 0." in out


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed, and fused_step.cu is compiled by it")
def test_the_fuzzer_takes_a_kernel_file(capsys):
    assert fuzz(["--problems", "3", "--seed", "4", "--kernel", str(KERNELS / "cupy_fused_on_cpu.py")]) == 0
    assert "cupy-fused-on-cpu: 3 problems, 0 rejected, 36 states judged; worst" in capsys.readouterr().out


@pytest.fixture
def without_gpu(monkeypatch):
    """No device to be seen, neither by what was found before nor in what is found after."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    missing_gpu.cache_clear()
    yield
    missing_gpu.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("without_gpu")
def test_the_fuzzer_simulates_on_small_shapes(capsys):
    pytest.importorskip("triton", reason="triton is not installed")
    assert fuzz(["--problems", "2", "--seed", "4", "--simulate", "triton-fused"]) == 0
    assert "triton-fused: 2 problems, simulated, 0 rejected, 24 states judged; worst" in capsys.readouterr().out
    schedule = fuzz_schedule(CATALOG["numba-cuda-fused"], 4, 50, simulated=True)
    assert {scheduled.shape for scheduled in schedule} == set(scenes.TINY)


@pytest.mark.slow
@pytest.mark.usefixtures("without_gpu")
def test_gpu_rows_without_a_gpu_are_simulated_or_compiled():
    rows = [CATALOG["cupy-fused"], CATALOG["triton-fused"]]
    verdicts = {row.row: row.verdict for row in check(rows, simulate=True, seed=2).rows}
    assert set(verdicts.values()) <= {Verdict.SIMULATED, Verdict.COMPILED, Verdict.NOT_RUN}, verdicts
