"""Further generations: from the journal alone, by the width of intervals, and no more than there is time for."""

import dataclasses
import random
import signal
import time

import numpy as np
import pytest

from runs import benchmarks, start_brief, stepbench
from stepbench.cases.case import Case
from stepbench.run.further import EVENT, MOST_GENERATIONS, NARROW, decide, decisions, seconds_of, unseen_differences
from stepbench.run.participants import participants_of
from stepbench.run.plan import Plan
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepreports.records.journal import NAME, read_events
from stepreports.records.turns import Measurement, layout_of
from stepreports.statistics.intervals import detectable_difference, estimates

QUIET, LOUD = (Case(op=Op.STEP, dtype="float64", m=m, n=20) for m in (100, 1000))
PLAN = Plan(
    preset="standard", cases=(QUIET, LOUD),
    participants=tuple(participants_of([CATALOG["numpy-blas"], CATALOG["python-loop"]], lambda _: False)),
    skips=(), generations=3, turns=8, seed=0, timeout_seconds=1.0, max_seconds=None, budget_seconds=1e6,
)  # fmt: skip


def generation_of(number, cases, clock=10.0):
    """What a generation writes that takes `clock` seconds a case: the loud case's processes differ by a tenth."""
    events = []
    for place, case in enumerate(cases):
        for participant in PLAN.participants:
            draw = random.Random(f"{number} {case.name} {participant.key}")
            process = draw.gauss(0, 0.1 if case is LOUD else 1e-4)
            about = {"participant": participant.key, "case": case.name, "generation": number}
            events += [
                {"event": "round", **about, "turn": turn, "seconds": 1e-3 * (1 + process + draw.gauss(0, 1e-4))}
                for turn in range(PLAN.turns)
            ]
        elapsed = clock * (2 * number + place + 1)
        events.append({"event": "closed", "case": case.name, "generation": number, "elapsed_seconds": elapsed})
    return events


def carried_out(plan):
    """A run to its end: its journal."""
    events = [{"event": "run", "elapsed_seconds": 0.0}]
    for number in range(plan.generations):
        events += generation_of(number, plan.cases)
    number = plan.generations - 1
    while (found := decide(plan, events, number)).go_on:
        events.append({"event": EVENT, "elapsed_seconds": events[-1]["elapsed_seconds"], **found.to_json()})
        number += 1
        events += generation_of(number, [case for case in plan.cases if case.name in found.go_on])
    return [*events, {"event": EVENT, "elapsed_seconds": events[-1]["elapsed_seconds"], **found.to_json()}]


def generations_of(events, case):
    return {event["generation"] for event in events if event["event"] == "closed" and event["case"] == case.name}


def test_a_case_goes_on_until_it_is_narrow_and_then_once_more():
    events = carried_out(PLAN)
    assert generations_of(events, QUIET) == set(range(PLAN.generations + 1))
    assert generations_of(events, LOUD) == set(range(MOST_GENERATIONS))
    assert decisions(events)[2].narrow == (QUIET.name,)
    assert decisions(events)[3].go_on == (LOUD.name,)


def test_what_matters_is_each_row_against_the_best_and_against_the_matrix_form():
    events = carried_out(PLAN)
    found = unseen_differences(PLAN, events, [QUIET.name, LOUD.name])
    assert found[QUIET.name] < NARROW < found[LOUD.name]
    alone = dataclasses.replace(PLAN, participants=PLAN.participants[:1])
    assert unseen_differences(alone, events, [LOUD.name]) == {LOUD.name: 0.0}


def test_no_generation_is_begun_that_would_outlast_the_budget():
    """Three generations of two cases took 60 seconds, and one more takes 20."""
    for budget, generations in ((79.0, 3), (81.0, 4)):
        events = carried_out(dataclasses.replace(PLAN, budget_seconds=budget))
        assert generations_of(events, LOUD) == set(range(generations))


def test_time_that_the_user_gives_stands_for_the_budget():
    given = dataclasses.replace(PLAN, budget_seconds=1.0, max_seconds=3600.0)
    assert decide(given, carried_out(PLAN)[:-1], PLAN.generations - 1).go_on


def test_a_run_that_goes_on_later_decides_the_same():
    """Killed before or after it was: what was decided stands, and what was not is decided as it would have been."""
    events = carried_out(PLAN)
    whole = decisions(events)
    for end, event in enumerate(events):
        if event["event"] == EVENT:
            before = [*events[:end], {"event": "resumed", "elapsed_seconds": 0.1}]
            again = decide(PLAN, before, event["generation"])
            assert again == whole[event["generation"]]
            assert decisions(events[: end + 1])[event["generation"]] == again


def test_the_time_of_a_case_is_from_the_one_before_it():
    events = [{"event": "run", "elapsed_seconds": 2.0}, *generation_of(0, [QUIET, LOUD])]
    assert seconds_of(events) == {(0, QUIET.name): 8.0, (0, LOUD.name): 10.0}


def test_a_plan_keeps_its_budget_and_one_of_before_has_none():
    assert Plan.from_json(PLAN.to_json()) == PLAN
    stored = {name: value for name, value in PLAN.to_json().items() if name != "budget_seconds"}
    assert Plan.from_json(stored).budget_seconds is None


@pytest.mark.slow
@pytest.mark.parametrize("process", [0.2, 0.5])
def test_stopping_when_narrow_leaves_the_interval_what_it_says(process):
    """The rule of this module on a thousand ratios of 1: after each generation, narrow or not; then one more."""
    noise, count = 0.03, 1000
    random_numbers = np.random.default_rng(round(100 * process))
    logs = random_numbers.normal(0, noise, (count, MOST_GENERATIONS, 40))
    logs += random_numbers.normal(0, process * noise, (count, MOST_GENERATIONS, 1))
    told = [None] * count
    narrow = np.zeros(count, bool)
    for generations in range(3, MOST_GENERATIONS + 1):
        layout = layout_of(tuple((g, t) for g in range(generations) for t in range(40)))
        left = [k for k in range(count) if told[k] is None]
        found = estimates([Measurement(layout, np.exp(logs[k, :generations].ravel())) for k in left])
        for k, each in zip(left, found, strict=True):
            if narrow[k] or generations == MOST_GENERATIONS:
                told[k] = each
            narrow[k] |= detectable_difference(each, 0.01) <= NARROW
    assert 0.2 < narrow.mean() <= 1.0
    assert sum(each.low <= 1 <= each.high for each in told) >= 0.98 * count


@pytest.mark.slow
def test_a_narrowed_run_that_is_killed_in_its_further_generations_has_them_all_in_the_end(tmp_path):
    """Of a row alone, which has one more: no ratio is wide."""
    folder = tmp_path / "run"
    narrowed = (
        "--preset",
        "standard",
        "--rows",
        "numpy-blas",
        "--sizes",
        "37x5",
        "--dtypes",
        "float64",
        "--threads",
        1,
    )
    runner = start_brief("run", *narrowed, "--out", folder)
    while runner.poll() is None and not ((folder / NAME).exists() and b'"decided"' in (folder / NAME).read_bytes()):
        time.sleep(0.05)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    before = decisions(read_events(folder))
    assert stepbench("run", "--resume", folder).returncode == 0
    after = decisions(read_events(folder))
    assert [bool(found.go_on) for found in after.values()] == [True, False]
    assert {number: after[number] for number in before} == before
    for entry in benchmarks(folder):
        further = sum(entry["params"]["case"] in found.go_on for found in after.values())
        assert set(entry["extra_info"]["generation"]) == set(range(3 + further))
