"""Margins: which cases are alike, and what a wild or a lonely kind of case makes of the others."""

from __future__ import annotations

import pytest

from stepreports.page.sections import own_comparison_lines
from stepreports.statistics.margins import ENOUGH, LEAST_MARGIN, Place, margins_of, place_of
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import views
from stepreports.telling.findings import answer
from stepreports.telling.margins_told import margin_in_words, margin_lines
from stepreports.telling.tables import table
from synthetic_runs import ROWS, entry, write_run

CACHES = {"L1": 32 * 1024, "L2": 2 * 2**20, "L3": 64 * 2**20}
NUMPY = ROWS[1]


def apart(place, by):
    """A pair of one turn, the first so much slower."""
    return place, {(0, 0): 1.0 + by}, {(0, 0): 1.0}


@pytest.mark.parametrize(
    ("op", "x_bytes", "cache", "place"),
    [
        ("step", 16_000, "warm", Place.FIRST),
        ("step", 32 * 1024, "warm", Place.FIRST),
        ("forward", 160_000, "warm", Place.PRIVATE),
        ("step", 1_600_000, "warm", Place.EDGE),
        ("gradient", 3_200_000, "warm", Place.SHARED),
        ("step", 80_000_000, "warm", Place.BEYOND),
        ("step", 16_000, "cold", Place.BEYOND),
        ("update", 80_000_000, "warm", Place.NOWHERE),
    ],
)
def test_cases_are_alike_that_find_x_in_the_same_place(op, x_bytes, cache, place):
    assert place_of(op, x_bytes, cache, CACHES) == place


def test_of_a_machine_that_tells_of_no_caches_all_cases_are_alike():
    assert {place_of("step", size, "warm", {}) for size in (1, 10**9)} == {Place.UNKNOWN}
    assert place_of("step", 10**9, "warm", {"L2": 2**20}) == Place.BEYOND


def test_a_wild_kind_of_case_makes_no_other_blind():
    margins = margins_of(
        [apart(Place.EDGE, 0.15), apart(Place.PRIVATE, 0.004), apart(Place.SHARED, 0.02), apart(Place.BEYOND, 0.03)]
    )
    assert margins.at(Place.EDGE) == pytest.approx(0.15)
    assert margins.at(Place.BEYOND) == pytest.approx(0.03)
    assert margins.at(Place.PRIVATE) == pytest.approx(0.025)  # one lucky pair: no less than the middle of the places


def test_many_pairs_of_a_kind_stand_for_themselves():
    many = [apart(Place.PRIVATE, 0.001 * (k + 1)) for k in range(ENOUGH)]
    margins = margins_of([*many, apart(Place.SHARED, 0.2), apart(Place.BEYOND, 0.3)])
    assert margins.at(Place.PRIVATE) == pytest.approx(0.019)
    assert margins.spreads[Place.PRIVATE].pairs == ENOUGH


def test_a_kind_without_a_control_pair_takes_the_largest_margin_and_one_per_cent_is_the_least():
    assert margins_of([apart(Place.PRIVATE, 0.05), apart(Place.SHARED, 0.02)]).at(Place.NOWHERE) == pytest.approx(0.05)
    assert margins_of([apart(Place.PRIVATE, 0.001)]).at(Place.PRIVATE) == LEAST_MARGIN
    assert margins_of([]).at(Place.PRIVATE) == LEAST_MARGIN


@pytest.fixture
def run(tmp_path):
    """A control that is itself in the private cache, and 20 % off in the shared one; another row 10 % slower."""
    small, large = (1000, 20), (20_000, 50)
    rows = [entry(row, *size) for size in (small, large) for row in (NUMPY, ROWS[2])]
    rows += [entry(NUMPY, *small, replica=1), entry(NUMPY, *large, replica=1, slowdown=1.2)]
    return load_run(write_run(tmp_path, rows))


def test_every_number_that_is_judged_is_judged_by_the_margin_of_its_kind(run):
    columns = table(run)
    found = dict(zip(columns["finds_x"], columns["margin"], strict=True))
    assert found == {str(place): run.margins.at(place) for place in (Place.PRIVATE, Place.SHARED)}
    assert found[str(Place.SHARED)] == pytest.approx(0.2, rel=0.1)
    assert found[str(Place.PRIVATE)] < found[str(Place.SHARED)]
    assert {line["margin"] for line in own_comparison_lines(run)} == {line["margin"] for line in margin_lines(run)}


def test_the_margins_are_told_place_by_place(run):
    told = margin_in_words(run, views(run)[0])
    assert told == answer(run)[-1].partition("). ")[2]
    assert " in the private cache and " in told
    assert " in the shared cache is called different: as far as a row timed against itself differed" in told


def test_a_run_without_a_control_names_the_least_margin_and_no_reason(tmp_path):
    run = load_run(write_run(tmp_path, [entry(NUMPY, 1000, 20)]))
    assert margin_in_words(run, views(run)[0]) == "Nothing closer than 1.0 % is called different."
    assert margin_lines(run) == []
