"""The exit status: what was asked for by name has a record of each case, and what is required has one, or it is 1."""

import json
from dataclasses import replace

import pytest

from runs import KERNELS, brief
from stepbench.cases.case import Case
from stepbench.run.outcome import TOO_FAST, cannot_be_met, exit_status
from stepbench.run.participants import participants_of
from stepbench.run.plan import Plan, Skip
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

CASES = tuple(Case(op=Op.STEP, dtype="float64", m=m, n=5) for m in (40, 50))
ROWS = [CATALOG["numpy-blas"], CATALOG["python-loop"]]
PLAN = Plan(
    preset="quick", cases=CASES, participants=tuple(participants_of(ROWS)), skips=(), generations=1, turns=40, seed=0,
    timeout_seconds=1.0, max_seconds=None,
)  # fmt: skip
EVERYWHERE = {(row.name, case.name) for row in ROWS for case in CASES}


def outcome(folder, plan, timed, *failures):
    entries = [{"extra_info": {"row": row}, "params": {"case": case}} for row, case in timed]
    (folder / "benchmark.json").write_text(json.dumps({"benchmarks": entries}))
    fields = ("row", "case", "kind", "reason", "skipped")
    stored = [dict(zip(fields, failure, strict=True)) for failure in failures]
    (folder / "failures.json").write_text(json.dumps({"failures": stored}))
    return exit_status(folder, plan)


def test_a_run_of_everything_is_green(tmp_path):
    assert outcome(tmp_path, replace(PLAN, named=("numpy-blas",), required=("python-loop",)), EVERYWHERE) == (0, [])


def test_what_was_not_asked_for_by_name_may_be_skipped(tmp_path):
    skipped = ("python-loop", None, "preset", "slow", True)
    assert outcome(tmp_path, PLAN, {pair for pair in EVERYWHERE if pair[0] == "numpy-blas"}, skipped) == (0, [])


@pytest.mark.parametrize("case", [CASES[1].name, None])
@pytest.mark.parametrize("kind", ["unsupported", "too-much-work", "unavailable", "preset"])
def test_a_row_asked_for_by_name_has_every_case_or_the_run_failed(tmp_path, kind, case):
    missing = {("python-loop", CASES[1].name)} if case else {("python-loop", each.name) for each in CASES}
    plan = replace(PLAN, named=("python-loop",))
    status, (reason,) = outcome(tmp_path, plan, EVERYWHERE - missing, ("python-loop", case, kind, "it is why.", True))
    assert status == 1
    where = f" on {case}" if case else ""
    assert reason == f"python-loop was asked for by name and did not run{where}: it is why."


def test_a_row_of_which_nothing_is_known_failed_too(tmp_path):
    assert outcome(tmp_path, replace(PLAN, named=("python-loop",)), set())[0] == 1


def test_a_row_required_with_its_device_has_to_run_somewhere(tmp_path):
    plan = replace(PLAN, required=("python-loop",))
    capped = ("python-loop", CASES[1].name, "too-much-work", "too much", True)
    assert outcome(tmp_path, plan, EVERYWHERE - {("python-loop", CASES[1].name)}, capped) == (0, [])
    status, (reason,) = outcome(tmp_path, plan, set(), capped)
    assert (status, reason) == (1, "python-loop was required and did not run: too much.")


def test_what_max_time_left_out_was_asked_for_as_well(tmp_path):
    plan = replace(PLAN, named=("python-loop",))
    cut = ("python-loop", CASES[1].name, "time-budget", "used up", True)
    assert outcome(tmp_path, plan, EVERYWHERE - {("python-loop", CASES[1].name)}, cut) == (0, [])


def test_a_fault_is_told_once(tmp_path):
    plan = replace(PLAN, named=("python-loop",))
    fault = ("python-loop", CASES[1].name, "crash", "was ended", False)
    status, (reason,) = outcome(tmp_path, plan, EVERYWHERE - {("python-loop", CASES[1].name)}, fault)
    assert (status, reason) == (1, f"python-loop failed on {CASES[1].name}: was ended")


def test_a_required_row_that_beats_the_limit_was_not_timed(tmp_path):
    info = {"row": "python-loop", "implausible": True}
    entries = [{"extra_info": info, "params": {"case": case.name}} for case in CASES]
    (tmp_path / "benchmark.json").write_text(json.dumps({"benchmarks": entries}))
    (tmp_path / "failures.json").write_text(json.dumps({"failures": []}))
    status, (reason,) = exit_status(tmp_path, replace(PLAN, required=("python-loop",)))
    assert (status, reason) == (1, f"python-loop was required and has no time to be believed: {TOO_FAST}.")


def test_what_was_asked_for_and_cannot_run_is_known_before_the_run():
    absent = Skip(row="cupy-fused", kind="unavailable", reason="cupy is not installed")
    for asked in ({"named": ("cupy-fused",)}, {"required": ("cupy-fused",)}):
        (sentence,) = cannot_be_met(replace(PLAN, skips=(absent,), **asked))
        assert sentence.endswith("did not run: cupy is not installed.")
    assert cannot_be_met(replace(PLAN, skips=(absent,))) == []
    assert cannot_be_met(replace(PLAN, named=("python-loop",))) == []


@pytest.mark.parametrize("declared", ["ops=(Op.FORWARD, Op.BACKWARD)", "max_work=1.0"])
def test_a_kernel_that_was_never_timed_is_not_green(tmp_path, declared):
    kernel = tmp_path / "kernel.py"
    text = (KERNELS / "matrix_form.py").read_text()
    kernel.write_text(text.replace("ops=(Op.GRADIENT, Op.UPDATE, Op.STEP)", declared))
    assert kernel.read_text() != text
    arguments = ("--sizes", "37x5", "--rows", "numpy-blas", "--kernel", kernel, "--out", tmp_path / "run")
    finished = brief("run", "--threads", 1, *arguments)
    assert finished.returncode in (1, 2)  # 2: some such declarations are refused when the file is loaded
    assert "my-matrix-form" in finished.stderr or "kernel.py" in finished.stderr
