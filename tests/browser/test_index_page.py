"""The page of every published machine in a browser: its filters, its address, both themes, a telephone and paper."""

from __future__ import annotations

import pytest

from stepreports.page.index_page import index_page
from stepreports.statistics.runs import load_run
from synthetic_runs import MACHINE, ROWS, entries, write_run


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    root = tmp_path_factory.mktemp("reports")
    runs = [
        load_run(write_run(root / "published" / name / "run", entries(rows=rows), machine=MACHINE | {"cpu": name}))
        for name, rows in (("Laptop", ROWS[1:4]), ("Server with a name that is as long as some are", ROWS))
    ]
    (root / "index.html").write_text(index_page(runs, root))
    return root / "index.html"


def shown(page):
    return page.locator("#published tbody tr:visible").count()


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways(opened, index, width, scheme):
    page = opened(index, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.dataset.theme") == scheme


def test_filters_leave_the_lines_and_the_sizes_that_fit(opened, index):
    page = opened(index)
    at_first, columns = shown(page), page.locator("#published thead th:visible").count()
    page.select_option("#filter-machine", "Laptop + Example GPU 80 GB")
    assert 0 < shown(page) < at_first
    page.select_option("#filter-op", "forward")
    assert page.locator("#published thead th:visible").count() < columns
    assert f"{shown(page)} of " in page.inner_text("#shown")
    page.select_option("#filter-device", "GPU")
    assert shown(page) == 0
    assert "choose all somewhere" in page.inner_text("#shown")


def test_what_is_chosen_is_in_the_address(opened, opened_again, index):
    page = opened(index)
    page.select_option("#filter-row", "numba-fused")
    lines = shown(page)
    assert "row=numba-fused" in page.evaluate("location.href")
    opened_again(page)
    assert shown(page) == lines
    assert page.input_value("#filter-row") == "numba-fused"


def test_without_its_script_everything_is_there(browser, index):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(index.as_uri())
    assert page.locator("#published tbody tr:visible").count() > 50
    assert not page.locator("#filters").is_visible()
    context.close()


def test_on_paper_no_column_is_lost(opened, index):
    page = opened(index, viewport={"width": 780, "height": 1000})
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert page.evaluate("document.getElementById('published').scrollWidth <= document.documentElement.clientWidth")
