"""The pages of a comparison and of a history in a browser: whole without a network, in both themes and on a phone."""

import json
from dataclasses import replace

import pytest

from stepreports.comparison.compared import Version, compared
from stepreports.comparison.verdicts_report import write_verdicts
from stepreports.comparison.versions import Question
from stepreports.history.history_report import write_history
from stepreports.history.timeline import Settings
from synthetic_runs import ROWS, SIZES, entry, write_run

PAIR = ("numba-fused@base", "numba-fused@head")


@pytest.fixture(params=["comparison", "history"])
def page(request, tmp_path):
    rows = [replace(ROWS[3], name=name) for name in PAIR]
    entries = [entry(row, *size, generations=3) for row in rows for size in SIZES[:3]]
    folder = write_run(tmp_path / "run", entries, failures=())
    versions = [Version(label=label, told=f"commit {number}", commit=f"{number:040x}", ancestors=number)
                for number, label in enumerate(("base", "head"))]  # fmt: skip
    found = compared(folder, versions, Question(allowance=0.05, cases=3, pairs=[PAIR]), [])
    verdicts = write_verdicts(found, folder)
    assert json.loads((folder / "comparison.json").read_text())["cases"]
    return verdicts if request.param == "comparison" else write_history([folder], tmp_path / "out", Settings())[1]


def test_it_opens_and_follows_the_theme(opened, page):
    shown = opened(page, color_scheme="dark")
    assert shown.locator("h1").inner_text()
    assert shown.locator("html").get_attribute("data-theme") == "dark"
    shown.click("#theme")
    assert shown.locator("html").get_attribute("data-theme") == "light"
    figure = shown.locator("figure svg").first
    assert figure.bounding_box()["height"] > 100


def test_nothing_sticks_out_of_a_phone(opened, page):
    shown = opened(page, viewport={"width": 390, "height": 800})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
