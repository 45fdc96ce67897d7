"""The lesson in a real browser: its sliders, its themes, its width, on a desk and on a phone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stepbench.lesson import cell_outputs, descent, neuron
from stepbench.lesson.lesson_page import lesson_page
from stepbench.lesson.students import HOURS, students
from stepkernels import reference
from stepreports.statistics.runs import load_run
from synthetic_runs import LESSON_ROWS, entries, write_run


@pytest.fixture(scope="session")
def lessons(tmp_path_factory):
    """The page in each language."""
    folder = tmp_path_factory.mktemp("lesson")
    run = load_run(write_run(folder / "run", entries(LESSON_ROWS, sizes=[(20_000, 50, "synthetic")])))
    paths = {language: folder / f"{language}.html" for language in ("en", "zh")}
    for language, path in paths.items():
        path.write_text(lesson_page(run, language), encoding="utf-8")
    return paths


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_scrolls_sideways(opened, lessons, language, width, scheme):
    page = opened(lessons[language], viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [1400, 390])
def test_code_is_whole_and_never_cropped(opened, lessons, language, width):
    page = opened(lessons[language], viewport={"width": width, "height": 900})
    hidden = page.eval_on_selector_all(
        "pre",
        """all => all.filter((each) => each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight)
                      .map((each) => each.textContent.slice(0, 60))""",
    )
    assert hidden == []


def test_a_line_that_wraps_continues_below_its_indentation(opened, lessons):
    page = opened(lessons["en"], viewport={"width": 390, "height": 900})
    lefts = page.eval_on_selector_all(
        "pre .line",
        """all => all.map((line) => {
            const range = document.createRange();
            range.selectNodeContents(line);
            const lines = [...range.getClientRects()].filter((each) => each.width > 1);
            const first = Math.min(...lines.filter((each) => each.top < lines[0].top + 5).map((each) => each.left));
            return [first, Math.min(...lines.filter((each) => each.top > lines[0].top + 5).map((each) => each.left))];
        }).filter(([first, next]) => next !== null && Number.isFinite(next))""",
    )
    assert len(lefts) > 20
    assert all(following > first for first, following in lefts)


def test_code_is_copied_as_it_stands(opened, lessons):
    page = opened(lessons["en"])
    copied = page.eval_on_selector_all("[data-cell] pre code", "all => all.map((each) => each.textContent)")
    assert sorted(copied) == sorted(file.read_text(encoding="utf-8") for file in cell_outputs.files())
    chosen = page.evaluate(
        """() => {
            getSelection().selectAllChildren(document.querySelector("[data-cell=why_logarithm] pre code"));
            return getSelection().toString();
        }"""
    )
    assert chosen.strip() == (cell_outputs.CELLS / "why_logarithm.py").read_text(encoding="utf-8").strip()


def set_slider(page, name, value):
    page.eval_on_selector(
        f"#{name}", "(box, value) => { box.value = value; box.dispatchEvent(new Event('input')); }", str(value)
    )


def number(page, name):
    return float(page.inner_text(f"#{name}").replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("w", "b"), [(1.5, -3.0), (-0.6, 2.0), (0.05, 5.0)])
def test_the_sliders_draw_what_python_would(opened, lessons, language, w, b):
    page = opened(lessons[language])
    set_slider(page, "weight", w)
    set_slider(page, "bias", b)
    expected = neuron.neuron(w, b)
    assert number(page, "boundary-value") == pytest.approx(expected.boundary_hours, abs=0.051)
    assert number(page, "slope-value") == pytest.approx(expected.slope, abs=0.00501)
    assert number(page, "right-value") == expected.right
    drawn, computed = (
        np.array([point.split(",") for point in path.removeprefix("M").split("L")], dtype=float)
        for path in (page.get_attribute("#curve", "d"), neuron.curve(w, b))
    )
    assert np.abs(drawn - computed).max() < 0.11
    visible = 0 <= expected.boundary_hours <= neuron.FURTHEST
    assert page.get_attribute("#boundary", "visibility") == ("visible" if visible else "hidden")


def test_without_a_weight_there_is_no_boundary(opened, lessons):
    page = opened(lessons["en"])
    set_slider(page, "weight", 0)
    set_slider(page, "bias", 1)
    assert page.inner_text("#boundary-value") == "–"
    assert number(page, "right-value") == students().y.sum()


def test_the_page_opens_as_python_wrote_it(opened, lessons):
    page = opened(lessons["en"])
    assert number(page, "right-value") == neuron.neuron(*neuron.START).right
    assert page.locator("#playground circle").count() == len(HOURS)


def test_the_browsers_sigmoid_is_the_references_even_where_it_saturates(opened, lessons):
    page = opened(lessons["en"])
    scores = [-800.0, -40.0, -1.0, 0.0, 0.5, 40.0, 800.0]
    found = page.evaluate(f"{json.dumps(scores)}.map(sigmoid)")
    assert found == pytest.approx(reference.sigmoid(np.array(scores)).tolist(), rel=1e-15)


def test_the_rate_slider_shows_each_of_the_walks(opened, lessons):
    page = opened(lessons["zh"])
    paths = set()
    for place, (multiple, walk) in enumerate(descent.rate_walks().items()):
        set_slider(page, "rate", place)
        assert number(page, "rate-value") == multiple
        assert number(page, "last-value") == pytest.approx(walk.costs[-1], abs=0.0000501)
        paths.add(page.get_attribute("[data-path=walk]", "d"))
    assert len(paths) == len(descent.MULTIPLES)


def test_a_slider_is_moved_by_the_keyboard(opened, lessons):
    page = opened(lessons["en"])
    before = number(page, "weight-value")
    page.focus("#weight")
    page.keyboard.press("ArrowRight")
    assert number(page, "weight-value") == pytest.approx(before + 0.05)


def test_the_theme_follows_the_system_and_then_the_reader(opened, lessons):
    page = opened(lessons["zh"], color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark, label = page.evaluate(ground), page.inner_text("#theme")
    page.click("#theme")
    assert page.evaluate(ground) == "rgb(255, 255, 255)" != dark
    assert page.inner_text("#theme") != label


def test_formulas_are_laid_out_as_mathematics(opened, lessons):
    page = opened(lessons["en"])
    tall = page.eval_on_selector_all(
        "mfrac", "all => all.filter((each) => each.getBoundingClientRect().height > 20).length"
    )
    assert tall > 20


def test_the_page_reads_without_a_script(opened, lessons, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lessons["en"].as_uri())
    assert page.get_attribute("#curve", "d").startswith("M")
    assert page.get_attribute("[data-path=costs]", "d").startswith("M")
    context.close()
