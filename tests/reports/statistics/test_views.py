"""What is read off a run's records side by side."""

import pytest

from stepreports.statistics.runs import load_run
from stepreports.statistics.views import View, shows_its_passes
from synthetic_runs import READ_LIMIT, ROWS, entry, write_run

FUSED = next(row for row in ROWS if row.passes == 1)


@pytest.mark.parametrize(("over_limit", "shown"), [(1.1, True), (1.9, True), (2.1, False), (40.0, False)])
def test_passes_are_seen_where_one_more_would_have_taken_longer(tmp_path, over_limit, shown):
    entries = [entry(READ_LIMIT, 1000, 20, noise=0.0), entry(FUSED, 1000, 20, noise=0.0)]
    for stored, seconds in zip(entries, (1.0, over_limit), strict=True):
        stored["stats"]["data"] = [seconds] * len(stored["stats"]["data"])
    run = load_run(write_run(tmp_path, entries))
    (record,) = run.records_of[FUSED.name]
    assert shows_its_passes(run, record) is shown


def test_passes_are_only_declared_without_a_limit(tmp_path):
    run = load_run(write_run(tmp_path, [entry(FUSED, 1000, 20)]))
    assert not shows_its_passes(run, run.records[0])


@pytest.mark.parametrize(("op", "one"), [("step", "a step"), ("train", "a step"), ("update", "an update")])
def test_what_is_timed_is_told_with_its_article(tmp_path, op, one):
    run = load_run(write_run(tmp_path, [entry(FUSED, 1000, 20)]))
    assert View(run, op, 1, "float64", "gd", 2, "warm").one == one
