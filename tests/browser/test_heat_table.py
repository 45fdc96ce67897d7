"""Rows by sizes: what a cell says is what the table of records says, and a click shows the turns behind it."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import stepreports
from stepreports.statistics.runs import load_run
from stepreports.telling.ranking import rankings
from synthetic_runs import ROWS, SIZES, entries, entry, write_run

NUMPY = ROWS[1]
TWIN = {"row": "numpy-twin", "technique": "twin"}


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("heat")))


@pytest.fixture(scope="session")
def twins(tmp_path_factory):
    """Two rows that cannot be told apart, and one that can."""
    noisy = [entry(NUMPY, 1000, 20, noise=0.3), entry(NUMPY, 1000, 20, noise=0.3, seed=1, **TWIN)]
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("twins"), [*noisy, entry(ROWS[0], 1000, 20)]))


def cell(page, row, column=1):
    return page.locator("#heat tbody tr", has=page.locator(f"th:text-is('{row}')")).locator("td").nth(column - 1)


def test_every_cell_is_tied_where_the_ranking_says_so_and_nowhere_else(opened, report):
    page = opened(report)
    heads = [head.splitlines()[-1] for head in page.locator("#heat thead th").all_inner_texts()]
    run = load_run(report.parent)
    main = rankings(run)[0].view
    checked = 0
    for ranking in rankings(run):
        if ranking.view is not main:
            continue
        column = next(k for k, head in enumerate(heads) if head and head in ranking.case.size)
        for place in ranking.places:
            look = cell(page, place.record.row.name, column).get_attribute("class")
            best = place is ranking.places[0]
            assert ("untold" in look) == (place.tied and not best)
            assert ("shade-0" in look) == best
            checked += 1
    assert checked > 30


def test_what_cannot_be_told_is_hatched(opened, twins):
    page = opened(twins)
    hatched = [row for row in ("numpy-blas", "numpy-twin") if "untold" in cell(page, row).get_attribute("class")]
    assert len(hatched) == 1
    assert "repeating-linear-gradient" in cell(page, hatched[0]).evaluate("(c) => getComputedStyle(c).backgroundImage")
    assert "untold" not in cell(page, "python-loop").get_attribute("class")


def test_the_best_is_the_best_of_what_is_shown(opened, opened_again, report):
    page = opened(report)
    press = lambda group, value: page.click(f"#heat-chips [aria-label={group}] [data-value={value}]")  # noqa: E731
    press("device", "cuda")
    assert "cupy-fused" not in page.inner_text("#heat")
    assert "best" in cell(page, "numba-fused-parallel", 5).inner_text()
    press("library", "numba")
    assert "best" in cell(page, "numpy-blas", 5).inner_text()
    assert page.evaluate("document.activeElement.dataset.value") == "numba"
    opened_again(page)
    assert "numba" not in page.inner_text("#heat tbody")
    assert page.locator("#heat-chips [data-value=numba]").get_attribute("aria-pressed") == "false"


def test_the_chips_choose_dtype_and_operation(opened, report):
    page = opened(report)
    page.click("#heat-chips [data-value=float32]")
    with (report.parent / "table.csv").open() as stream:
        lines = [line for line in csv.DictReader(stream) if line["row"] == "numpy-blas" and line["replica"] == "0"]
    (line,) = (x for x in lines if (x["op"], x["dtype"], x["m"]) == ("step", "float32", "1000000"))
    assert f"{1e3 * float(line['seconds_per_step']):.3g} ms" in cell(page, "numpy-blas", 5).inner_text()
    page.click("#heat-chips [data-value=float64]")
    page.click("#heat-chips [data-value=forward]")
    assert page.locator("#heat thead th").count() == 3


def test_a_click_shows_every_turn_of_every_generation(opened, report):
    page = opened(report)
    cell(page, "numba-fused", 3).locator("button").click()
    record = next(
        each
        for each in load_run(report.parent).records
        if each.row.name == "numba-fused" and each.case[:6] == ("step", 1, "float64", "gd", *SIZES[2][:2])
    )
    assert page.locator("#turns circle").count() == len(record.turns)
    assert "generation 1" in page.text_content("#turns svg")
    band = page.locator("#turns .band").evaluate("(b) => [b.y.baseVal.value, b.height.baseVal.value]")
    low, high = np.quantile(record.turns.seconds, (0.05, 0.95))
    inside = sum(low <= seconds <= high for seconds in record.turns.seconds)
    heights = page.locator("#turns circle").evaluate_all("(all) => all.map((c) => c.cy.baseVal.value)")
    assert sum(band[0] - 0.05 <= y <= sum(band) + 0.05 for y in heights) == inside
    page.keyboard.press("Escape")
    assert not page.is_visible("#turns")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_the_names_of_the_rows_stay_in_view(opened, tmp_path, width, scheme):
    sizes = [(1000 * 2**k, 20, "synthetic") for k in range(14)]
    page = opened(
        stepreports.write_report(write_run(tmp_path, entries(rows=ROWS[1:4], sizes=sizes, dtypes=["float64"]))),
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
    )
    name, scroller = page.locator("#heat tbody th").first, page.locator(".scroll:has(#heat)")
    before = name.bounding_box()["x"]
    scroller.evaluate("(each) => { each.scrollLeft = 1e6; }")
    assert scroller.evaluate("(each) => each.scrollLeft") > 100
    assert name.bounding_box()["x"] == pytest.approx(before, abs=1)
