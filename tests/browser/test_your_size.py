"""What to use at a size that the reader names: found without scrolling, never guessed beyond what was measured."""

from __future__ import annotations

import re

import pytest

import stepreports
from synthetic_runs import ROWS, entries, entry, write_run

CPU_ROWS = [row for row in ROWS if row.device == "cpu"]
NUMPY, FUSED = ROWS[1], ROWS[3]
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("sizes"), entries(rows=CPU_ROWS)))


def name_size(page, m, n, dtype="float64", steps="1,000"):
    for name, value in (("m", m), ("n", n), ("steps", steps)):
        page.fill(f"#size-{name}", str(value))
    page.select_option("#size-dtype", dtype)


def told(page):
    return page.inner_text("#size-answer").replace("\N{NO-BREAK SPACE}", " ")


def range_told(sentence):
    """The two ends of `100 to 180 µs`, or of `4.17 µs [4.10, 4.90]`, in seconds."""
    if measured := re.search(r"[\d.,]+ ([nµm]?s) \[([\d.,]+), ([\d.,]+)\]", sentence):
        unit, low, high = measured.groups()
    else:
        low, high, unit = re.search(r"([\d.,]+)(?: to ([\d.,]+))? ([nµm]?s)\b", sentence).groups()
    return [float((end or low).replace(",", "")) * UNITS[unit] for end in (low, high)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1400, 900), (390, 844)])
def test_a_newcomer_finds_the_row_for_a_size_without_scrolling(opened, report, width, height, scheme):
    page = opened(report, viewport={"width": width, "height": height}, color_scheme=scheme)
    name_size(page, 30_000, 60, "float32")
    box = page.locator("#size-answer .told code").bounding_box()
    assert page.inner_text("#size-answer .told code") == "numba-fused-parallel"
    assert page.evaluate("scrollY") == 0
    assert box["y"] + box["height"] < height
    assert box["x"] + box["width"] <= width


def test_between_two_sizes_the_truth_of_the_model_lies_in_the_range(opened, report):
    page = opened(report)
    for m, n in [(30_000, 60), (2_000, 25), (150_000, 20), (5_000, 40), (60_000, 90)]:
        name_size(page, m, n)
        low, high = range_told(told(page))
        row = next(row for row in ROWS if row.name == page.inner_text("#size-answer .told code"))
        truth = row.call_seconds + row.ns_per_element * 1e-9 * m * n
        assert 0.95 * low <= truth <= 1.05 * high
    assert "between 20,000 × 50 and 100,000 × 100, both measured" in told(page)


def test_a_measured_size_has_its_measured_time(opened, report):
    page = opened(report)
    name_size(page, 20_000, 50)
    low, high = range_told(told(page))
    parallel = ROWS[4].call_seconds + ROWS[4].ns_per_element * 1e-3
    assert low <= 1.02 * parallel
    assert high >= parallel
    assert ", measured." in told(page)


@pytest.mark.parametrize(("m", "n"), [(10_000_000, 20), (100, 10), (1_000, 5_000), (500, 100)])
def test_nothing_is_told_beyond_what_was_measured(opened, report, m, n):
    page = opened(report)
    name_size(page, m, n)
    assert told(page).startswith("No number at")
    assert f"stepbench run --sizes {m}x{n} --dtypes float64" in told(page)
    assert page.locator("#size-answer table").count() == 0


def test_the_total_holds_import_bind_compile_and_every_step(opened, tmp_path):
    starts = {"import_seconds": [1.0], "bind_seconds": [0.5], "first_call_seconds": [2.0]}
    made = [entry(FUSED, m, 20, dtype="float64", generations=1, **starts) for m in (1000, 100_000)]
    page = opened(stepreports.write_report(write_run(tmp_path, made)))
    name_size(page, 100_000, 20, steps=1_000_000)
    step = FUSED.call_seconds + FUSED.ns_per_element * 1e-3 * 2
    low, high, start = re.search(r"steps take ([\d,]+) to ([\d,]+) s, of which ([\d.]+) s", told(page)).groups()
    assert float(start) == 3.5
    truth = 3.5 + 1e6 * step
    assert 0.97 * truth < float(low.replace(",", "")) <= float(high.replace(",", "")) < 1.05 * truth


def test_of_each_library_there_is_the_best_row_and_another_can_be_picked(opened, report):
    page = opened(report)
    name_size(page, 100_000, 100)
    names = page.locator("#size-answer tbody button.name").all_inner_texts()
    assert names == ["numba-fused-parallel", "numpy-blas", "torch-manual-cpu"]  # the loop was not timed so far up
    page.click("text=torch-manual-cpu >> nth=0")
    assert 'row="torch-manual-cpu"' in page.inner_text(".snippet pre")
    assert page.inner_text("#size-answer .told code") == "torch-manual-cpu"


def test_three_lines_of_python_are_there_to_copy(opened, report):
    page = opened(report, permissions=["clipboard-read", "clipboard-write"])
    name_size(page, 30_000, 60, "float32", steps=50)
    page.click(".snippet button")
    page.wait_for_function("document.querySelector('.snippet button').textContent === 'Copied'")
    code = page.evaluate("navigator.clipboard.readText()")
    assert len(code.splitlines()) == 3
    assert 'row="numba-fused-parallel", dtype="float32", optimizer="gd", max_iter=50' in code
    compile(code, "snippet", "exec")


def test_the_size_is_in_the_address_and_comes_from_it(opened, opened_again, report):
    page = opened(report)
    name_size(page, 1, 1, "float32", steps=7)
    page.fill("#size-m", "30000x60")
    assert (page.input_value("#size-m"), page.input_value("#size-n")) == ("30,000", "60")
    opened_again(page)
    assert [page.input_value(f"#size-{name}") for name in ("m", "n", "dtype", "steps")] == [
        "30,000",
        "60",
        "float32",
        "7",
    ]
    assert told(page).startswith("At 30,000 × 60 in float32")


def test_what_is_no_size_is_said_to_be_none(opened, report):
    page = opened(report)
    page.fill("#size-n", "many")
    assert told(page) == "n must be a whole number from 1 up."
    assert page.get_attribute("#size-n", "aria-invalid") == "true"


def test_doubt_stands_beside_the_number(opened, tmp_path):
    slow = [entry(NUMPY, m, n, slowdown=6.0 if n == 50 else 1.0) for m, n in ((1000, 20), (20_000, 50), (100_000, 100))]
    restless = [entry(FUSED, m, 20, noise=1.0) for m in (1000, 100_000)]
    page = opened(stepreports.write_report(write_run(tmp_path, [*slow, *restless])))
    name_size(page, 30_000, 60)
    assert "numpy-blas is out of line at 20,000 × 50" in told(page)
    name_size(page, 10_000, 20)
    assert "numba-fused is restless: turns varied by" in told(page)
    assert "100 times apart" in told(page)
