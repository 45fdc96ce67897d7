"""Rows with X in a narrower storage: told beside themselves and what the rounding costs, and never among the others."""

from __future__ import annotations

import json

import pytest

import stepreports
from stepreports.records.files import RecordError
from stepreports.statistics.runs import load_run
from stepreports.telling.findings import answer, headline
from stepreports.telling.narrowed import narrow_lines, narrowed
from stepreports.telling.ranking import rankings
from stepreports.telling.summary import summary
from stepreports.telling.tables import table
from synthetic_runs import READ_LIMIT, ROWS, entry, write_run

NUMPY, FUSED = ROWS[1], ROWS[3]
AT = (100_000, 100)
DISTANCE = {"J": 1e-6, "gw": 2e-5, "coefficients": 3e-4, "accuracy": 0.974, "accuracy_stored": 0.971}


def narrow(row, slowdown, **changed):
    return entry(
        row, *AT, dtype="float32", slowdown=slowdown, **({"storage": "float16", "distance": DISTANCE} | changed)
    )


@pytest.fixture
def run(tmp_path):
    wide = [entry(row, *AT, dtype="float32") for row in (NUMPY, FUSED, READ_LIMIT)]
    return load_run(write_run(tmp_path, [*wide, narrow(FUSED, 0.5), narrow(READ_LIMIT, 0.45)]))


def test_a_narrow_row_is_told_over_itself_and_beside_what_its_rounding_costs(run):
    (found,) = narrowed(run)
    assert found.gain.value == pytest.approx(2.0, rel=0.05)
    assert found.share.value == pytest.approx(READ_LIMIT.ns_per_element * 0.45 / (FUSED.ns_per_element * 0.5), rel=0.05)
    (line,) = narrow_lines(run)
    assert line["times as fast"].startswith("2.0")
    assert [line[name] for name in ("J off by", "gradient", "coefficients")] == ["1.0e-06", "2.0e-05", "3.0e-04"]
    assert (line["row, X in"], line["case"]) == ("`numba-fused` float16", "100,000 × 100")
    assert line["accuracy"] == "97.40 % → 97.10 %"


def test_no_other_sentence_number_or_place_is_of_a_narrow_row(run):
    """Though it is twice as fast as any other, it is nowhere the fastest."""
    wide = load_run(
        write_run(run.folder / "wide", [entry(row, *AT, dtype="float32") for row in (NUMPY, FUSED, READ_LIMIT)])
    )
    assert [*headline(run), *answer(run)] == [*headline(wide), *answer(wide)]
    assert [[place.record.row.name for place in each.places] for each in rankings(run)] == [
        ["numba-fused", "numpy-blas"]
    ]
    assert run.limits.keys() == wide.limits.keys()
    assert [limit.seconds for limit in run.limits.values()] == [limit.seconds for limit in wide.limits.values()]
    without, heading = summary(run), "## A narrower X"
    assert heading in without
    assert heading not in summary(wide)


def test_the_table_and_the_ranking_hold_it_with_its_storage(run):
    columns = table(run)
    assert columns["storage"] == [None, None, None, "float16"]
    assert columns["times_own_float32"][:3] == [None] * 3
    assert columns["times_own_float32"][3] == pytest.approx(2.0, rel=0.05)
    assert columns["times_matrix_form"][3] is None
    assert columns["distance_coefficients"][3] == 3e-4
    assert columns["x_gb_per_s"][3] == pytest.approx(
        columns["x_gb_per_s"][1], rel=0.05
    )  # half the bytes, in half the time
    (ranking,) = rankings(run)
    (told,) = json.loads(json.dumps(ranking.to_json()))["narrow"]
    assert (told["row"], told["storage"], told["off_by"]["gw"]) == ("numba-fused", "float16", 2e-5)


def test_without_the_distance_no_time_is_told(tmp_path):
    run = load_run(write_run(tmp_path, [entry(FUSED, *AT, dtype="float32"), narrow(FUSED, 0.5, distance=None)]))
    assert narrowed(run) == []
    assert len(table(run)["row"]) == 1


@pytest.mark.parametrize(
    "broken", [{"distance": DISTANCE | {"J": -1}}, {"distance": DISTANCE | {"accuracy": 2.0}}, {"storage": "a b"}]
)
def test_a_damaged_distance_is_a_sentence(tmp_path, broken):
    write_run(tmp_path, [narrow(FUSED, 0.5, **broken)])
    with pytest.raises(RecordError, match=r"benchmark\.json"):
        load_run(tmp_path)


def test_the_page_shows_it(run):
    page = stepreports.write_report(run.folder).read_text(encoding="utf-8")
    assert "A narrower X" in page
    assert "97.40\N{NO-BREAK SPACE}%" in page or "97.40 %" in page
