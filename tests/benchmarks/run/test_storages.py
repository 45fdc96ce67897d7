"""X in a narrower storage as a run takes it: a participant of its own, in the turns of its float32 self."""

import json
from itertools import product

import pytest

from runs import benchmarks, brief, stepbench
from stepbench.cases.case import Case
from stepbench.cases.presets import PRESETS
from stepbench.run.choices import Choices, plan_run
from stepbench.run.participants import Participant, Role
from stepbench.run.plan import Plan
from stepkernels.catalog import CATALOG, rows_named
from stepkernels.interface import Op
from stepkernels.problem import STORAGES, ProblemError
from stepreports.records.journal import read_events
from stepreports.statistics.runs import load_run
from stepreports.telling.narrowed import narrowed

QUICK = PRESETS["quick"]


def plan_of(*storages, rows=("numpy-blas", "numba-fused"), **asked):
    return plan_run(Choices(preset=QUICK, rows=rows_named(rows), named=True, by_name=rows, storages=storages, **asked))


def test_each_row_that_keeps_it_takes_turns_with_itself_and_so_does_the_limit():
    plan = plan_of("int8", "float16", "int8")
    assert [each.key for each in plan.participants] == [
        "numpy-blas", "numba-fused", "numpy-blas#1", "read-limit",
        "numba-fused#int8", "numba-fused#float16", "read-limit#int8", "read-limit#float16",
    ]  # fmt: skip
    assert {case.dtype for case in plan.cases} == {"float32"}
    assert all(plan.taking_part(case) == list(plan.participants) for case in plan.cases)
    assert plan.storages(plan.cases[0]) == [None, "int8", "float16"]
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_in_float64_they_sit_out():
    plan = plan_of("int8", dtypes=["float64", "float32"])
    wide = [case for case in plan.cases if case.dtype == "float64"]
    assert wide
    assert not any(each.is_narrow for case in wide for each in plan.taking_part(case))
    assert plan.storages(wide[0]) == [None]


@pytest.mark.parametrize(
    ("storages", "asked", "sentence"),
    [
        (("float8",), {}, "storage is 'float8'; it must be one of float16, bfloat16, int8"),
        (("int8",), {"dtypes": ["float64"]}, "An X in int8 is computed with in float32; add it to --dtypes"),
        (("int8",), {"rows": ("numpy-blas", "numba-loop")}, "None of the rows asked for keeps X in int8. Rows"),
        ((), {}, "Of the storages asked for there is none"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused(storages, asked, sentence):
    with pytest.raises(ProblemError, match=sentence):
        plan_of(*storages, **asked)


@pytest.mark.parametrize("storage", STORAGES)
def test_the_fewest_bytes_are_those_of_the_storage(storage):
    case = Case(op=Op.STEP, dtype="float32", m=1000, n=20)
    saved = {"float16": 2, "bfloat16": 2, "int8": 3}[storage] * 1000 * 20
    assert case.bytes_of(storage) == case.bytes - saved
    assert case.bytes_of(None) == case.bytes
    assert (
        Case(op=Op.UPDATE, dtype="float32", m=1000, n=20).bytes_of(storage)
        == Case(op=Op.UPDATE, dtype="float32", m=1000, n=20).bytes
    )


def test_no_name_of_a_kernel_can_be_that_of_a_narrow_participant():
    assert "#" in Participant(CATALOG["numba-fused"], storage="int8").key  # which declared fields refuse in a name


def test_a_run_times_it_judges_it_and_says_what_it_costs(tmp_path):
    out = tmp_path / "run"
    asked = ("--rows", "numba-fused,numpy-blas", "--storage", "float16,int8", "--ops", "step,gradient")
    finished = brief("run", "--sizes", "257x33", "--threads", 1, *asked, "--json", tmp_path / "told.json", "--out", out)
    assert finished.returncode == 0, finished.stderr
    told = [each["extra_info"] for each in benchmarks(out) if each["extra_info"].get("storage")]
    expected = product(("numba-fused", "read-limit"), ("float16", "int8"), ("step", "gradient"))
    assert {(each["row"], each["storage"], each["op"]) for each in told} == set(expected)
    rows = [each for each in told if each["role"] == Role.ROW]
    assert all(each["judged_rounds"] > 0 for each in rows)
    assert all(0.0 <= error <= 1.0 for each in rows for error in each["agreement"].values() if error is not None)
    found = {(each.storage, each.record.case.op): each for each in narrowed(load_run(out))}
    assert len(found) == 4
    assert 0.0 < found["float16", "step"].distance.coefficients < found["int8", "step"].distance.coefficients < 0.1
    assert "X in float16: numba-fused" in finished.stdout
    assert [each["storage"] for each in json.loads((tmp_path / "told.json").read_text())["cases"][0]["narrow"]] == [
        "float16",
        "int8",
    ]
    assert sum(event["event"] == "narrowed" for event in read_events(out)) == 4
    assert "--storage" in stepbench("run", "--resume", out, "--storage", "int8").stderr
