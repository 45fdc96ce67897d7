"""Reading plans that were measured: kept by machine, taken when a row is bound, and never better than they are."""

import json
import os
from pathlib import Path

import pytest

from stepkernels import Config, Problem, ProblemError, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.rows.numba_fused import ReadingPlan, tuned_plans, tuning
from stepkernels.rows.numba_fused.tuned_plans import Kind, known_plans, this_machine, write
from stepkernels.rows.numba_fused.tuning import CANDIDATES, fastest_plans, kinds

PLAN = ReadingPlan(apart=False, ahead=4096)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Where plans are, for this test."""
    path = tmp_path / "cache" / "tuning.json"
    monkeypatch.setenv("STEPBENCH_TUNING", str(path))
    tuned_plans._plans_of_process.cache_clear()
    yield path
    monkeypatch.undo()
    tuned_plans._plans_of_process.cache_clear()


def test_what_is_written_is_read_and_other_machines_stay(file):
    write(file, {"a": PLAN})
    told = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(told | {"another": {"b": {"apart": True, "ahead": 0}}}), "utf-8")
    write(file, {"c": ReadingPlan()})
    assert known_plans(file) == {"c": ReadingPlan()}
    assert set(json.loads(file.read_text("utf-8"))) == {this_machine(), "another"}
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", '{"MACHINE": 3}', '{"MACHINE": {"a": 1}}', '{"MACHINE": {"a": {"ahead": "far"}}}',
     '{"MACHINE": {"a": {"apart": 1, "ahead": 0}}}', '{"MACHINE": {"a": {"ahead": -64}}}',
     '{"MACHINE": {"a": {"depth": 1}}}', '{"another": {"a": {"ahead": 0}}}'],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_no_plan_and_can_be_written(file, text):
    file.parent.mkdir()
    file.write_text(text.replace("MACHINE", this_machine()), "utf-8")
    assert known_plans(file) == {}
    write(file, {"a": PLAN})
    assert known_plans(file) == {"a": PLAN}


def test_where_nothing_can_be_kept_that_is_said_before_anything_is_measured(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine", "utf-8")
    for place in (tmp_path, tmp_path / "file" / "inside", Path(os.devnull)):
        monkeypatch.setenv("STEPBENCH_TUNING", str(place))
        with pytest.raises(ProblemError, match="Plans cannot be kept in"):
            next(CATALOG["numba-fused"].tune())
    assert not Path(os.devnull).is_file()
    assert (tmp_path / "file").read_text("utf-8") == "mine"


def test_a_large_problem_is_read_as_was_measured_and_a_small_one_is_not(file):
    large, small = synthetic_problem(50_000, 50), synthetic_problem(569, 30)
    row = CATALOG["numba-fused"]
    assert row.bind(large, Config()).plan == ReadingPlan.default()
    write(file, {str(Kind.of("float64", 50 * 8, 1)): PLAN})
    assert row.bind(large, Config()).plan == PLAN
    assert row.bind(small, Config()).plan.tiles
    narrow = Problem(large.X[:, :5].copy(), large.y)
    assert row.bind(synthetic_problem(500_000, 5), Config()).plan == ReadingPlan.default(), narrow.n


class Plain:
    def __init__(self, plan):
        self.plan = plan

    def gradient(self):
        raise AssertionError("only its made-up time is asked for")


def found_by(seconds, monkeypatch):
    monkeypatch.setattr(tuning, "BYTES", 2**12)
    bind = lambda problem, config, threads, plan: Plain(plan)  # noqa: E731
    return list(fastest_plans(1, bind, lambda workspace: seconds[workspace.plan]))


@pytest.mark.parametrize("plan", CANDIDATES, ids=str)
def test_the_plan_that_takes_least_is_found(plan, monkeypatch):
    seconds = dict.fromkeys(CANDIDATES, 1.0) | {plan: 0.8}
    for kind, found, gain in found_by(seconds, monkeypatch):
        assert found == plan, kind
        assert gain == pytest.approx(1.0 if plan == ReadingPlan.default() else 1.25)


def test_the_default_stays_where_another_is_hardly_faster(monkeypatch):
    seconds = dict.fromkeys(CANDIDATES, 1.0) | {PLAN: 0.99}
    assert {found for _, found, _ in found_by(seconds, monkeypatch)} == {ReadingPlan.default()}


def test_every_kind_of_a_row_is_measured_once():
    assert len({kind for kind, _ in kinds(2)}) == len(kinds(2)) == 4


def test_tuning_a_row_tells_what_it_finds_and_keeps_it(file, monkeypatch):
    monkeypatch.setattr(tuning, "BYTES", 2**20)
    told = list(CATALOG["numba-fused"].tune())
    assert len(told) == 4
    assert set(known_plans(file)) == {str(kind) for kind, _ in kinds(1)}
    assert [line.split(", 1 thread: ")[0] for line in CATALOG["numba-fused"].tuned()] == [
        line.split(", 1 thread: ")[0] for line in told
    ]
    assert list(CATALOG["numba-fused-parallel"].tuned()) == []


def test_a_row_without_anything_to_tune_tells_nothing():
    assert list(CATALOG["numpy-blas"].tune()) == list(CATALOG["numpy-blas"].tuned()) == []
