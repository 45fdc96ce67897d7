"""The lesson: every number recomputed, the derivation against the truth and mpmath, both languages complete."""

from __future__ import annotations

import ast
import inspect
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import mpmath
import numpy as np
import pytest

from runs import environment, stepbench
from stepbench import lesson
from stepbench.lesson import bandwidth as memory
from stepbench.lesson import descent, formulas, graph, likelihood, neuron, squared_error, techniques, wording
from stepbench.lesson import worked_example as worked
from stepbench.lesson.lesson_page import lesson_page, values
from stepbench.lesson.students import CENTRE, HOURS, PASSED, PER_HUNDRED, hours, students, x, y
from stepkernels import reference
from stepkernels.problem import GD, Adam
from stepkernels.reference import Point
from stepreports import write_report
from stepreports.statistics.runs import load_run
from synthetic_runs import entries, write_run

SIZES = ((569, 30, "breast-cancer"), (20_000, 50, "synthetic"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return load_run(write_run(tmp_path_factory.mktemp("lesson"), entries(sizes=SIZES)))


@pytest.fixture(scope="module")
def pages(run):
    return {language: lesson_page(run, language) for language in wording.LANGUAGES}


# --- 1. a neuron ---------------------------------------------------------------------------------------------------


def test_the_students_are_those_the_text_tells_of():
    assert len(HOURS) == 16
    assert HOURS[0] == 1
    assert CENTRE == 9
    assert PASSED[HOURS == 6] == 1
    assert PASSED[HOURS == 16] == 0


@pytest.mark.parametrize(("w", "b"), [(0.8, 0.0), (-0.5, 1.5), (2.0, -6.0)])
def test_the_boundary_is_where_the_answer_is_one_half_and_the_slope_is_steepest_there(w, b):
    found = neuron.neuron(w, b)
    answer = lambda hour: mpmath.mpf(1) / (1 + mpmath.exp(-(w * (hour - CENTRE) + b)))  # noqa: E731
    assert float(answer(found.boundary_hours)) == pytest.approx(0.5, abs=1e-14)
    slopes = [float(mpmath.diff(answer, hour)) for hour in (found.boundary_hours, found.boundary_hours + 1)]
    assert found.slope == pytest.approx(slopes[0], rel=1e-9)
    assert abs(slopes[1]) < abs(slopes[0])


def test_no_setting_answers_all_students_right():
    settings = [(w, b) for w in np.linspace(-2, 2, 81) for b in np.linspace(-6, 6, 121)]
    assert max(neuron.neuron(w, b).right for w, b in settings) < len(HOURS)
    assert neuron.neuron(0.0, 1.0).boundary_hours is None


def test_scores_are_squashed_as_mpmath_does():
    for z, a in neuron.squashed():
        assert a == pytest.approx(float(1 / (1 + mpmath.exp(-z))), rel=1e-15)


# --- 2. squared error ----------------------------------------------------------------------------------------------


def exact_squared_cost(w, b):
    terms = [
        (1 / (1 + mpmath.exp(-(w * mpmath.mpf(each) + b))) - int(label)) ** 2 for each, label in zip(x, y, strict=True)
    ]
    return mpmath.fsum(terms) / len(x)


@pytest.mark.parametrize("place", [(0.3, -0.2), (-0.78, 4.37), squared_error.START])
def test_slope_and_curvature_of_squared_error_are_its_derivatives(place):
    gradient, curvature = squared_error.squared_gradient(*place), squared_error.squared_curvature(*place)
    assert squared_error.squared_cost(*place) == pytest.approx(float(exact_squared_cost(*place)), rel=1e-13)
    with mpmath.workdps(40):
        for j, order in enumerate([(1, 0), (0, 1)]):
            exact = float(mpmath.diff(exact_squared_cost, place, order))
            assert gradient[j] == pytest.approx(exact, rel=1e-9, abs=1e-12)
        for (i, j), order in {(0, 0): (2, 0), (0, 1): (1, 1), (1, 1): (0, 2)}.items():
            exact = float(mpmath.diff(exact_squared_cost, place, order))
            assert curvature[i, j] == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_the_trap_is_a_strict_minimum_that_is_not_the_best_and_descent_ends_in_it():
    trap = squared_error.trap()
    for place in (trap.trap, trap.best):
        assert np.abs(squared_error.squared_gradient(place.w, place.b)).max() < 1e-14
        assert np.linalg.eigvalsh(squared_error.squared_curvature(place.w, place.b)).min() > 1e-4
    assert trap.trap.cost > 2 * trap.best.cost
    assert trap.trap.right == len(HOURS) / 2 < trap.best.right
    assert trap.trap.cost < trap.hilltop
    costs = [squared_error.squared_cost(*point) for point in squared_error.squared_walk()]
    assert (np.diff(costs) <= 0).all()
    end = squared_error.squared_walk()[-1]
    assert np.abs(end - (trap.trap.w, trap.trap.b)).max() < 0.002


def test_cross_entropy_has_no_ridge_and_its_walk_ends_at_its_minimum():
    _, _, entropy = squared_error.profile()
    assert (np.diff(entropy, 2) > 0).all()
    best = squared_error.trap().entropy_best
    assert np.abs(squared_error.entropy_walk()[-1] - (best.w, best.b)).max() < 1e-6


def test_the_confident_mistake_is_not_heard():
    trap = squared_error.trap()
    a = 1 / (1 + mpmath.exp(-(squared_error.START[0] * mpmath.mpf(x[0]) + squared_error.START[1])))
    assert y[0] == 0
    assert trap.pull == pytest.approx(float(a), rel=1e-14)
    assert trap.faded_pull == pytest.approx(float(a * a * (1 - a)), rel=1e-6)


# --- 3. the loss ---------------------------------------------------------------------------------------------------


def test_the_likelihood_is_the_product_of_the_chances_and_its_mean_logarithm_the_cost():
    found = likelihood.likelihood()
    w, b = descent.best_point(students())
    chances = [1 / (1 + mpmath.exp(-(1 if label else -1) * (w * each + b))) for each, label in zip(x, y, strict=True)]
    assert found.product == pytest.approx(float(mpmath.fprod(chances)), rel=1e-13)
    assert found.logarithm == pytest.approx(float(mpmath.log(mpmath.fprod(chances))), rel=1e-13)
    assert found.mean == pytest.approx(-found.logarithm / len(HOURS), rel=1e-13)
    assert found.coins_product == 0.0
    assert found.coins_logarithm == pytest.approx(float(found.coins * mpmath.log(0.5)), rel=1e-14)


def test_the_losses_are_minus_the_logarithms():
    for a, one, zero in likelihood.losses():
        assert one == pytest.approx(float(-mpmath.log(a)), rel=1e-14)
        assert zero == pytest.approx(float(-mpmath.log(1 - mpmath.mpf(a))), rel=1e-13)


def test_the_stable_loss_is_exact_where_the_naive_one_fails_as_shown():
    shown = {(case.z, case.y): case for case in likelihood.strained()}
    with mpmath.workdps(60):
        for (z, label), case in shown.items():
            exact = float(mpmath.log(1 + mpmath.exp((1 - 2 * label) * mpmath.mpf(z))))
            assert case.stable == pytest.approx(exact, rel=1e-15)
    assert shown[2.0, 1].naive == pytest.approx(shown[2.0, 1].stable, rel=1e-12)
    assert abs(shown[36.0, 0].naive - 36.0) > 0.01
    assert shown[40.0, 0].naive == math.inf
    assert math.isnan(shown[40.0, 1].naive)
    assert shown[-800.0, 1].naive == math.inf


# --- 4. backward ---------------------------------------------------------------------------------------------------


def test_the_example_is_the_reference_step():
    example = worked.worked_example()
    z, a, J = reference.forward(worked.problem(), worked.W, worked.B)
    truth = reference.gradient(worked.problem(), worked.W, worked.B)
    after = reference.update(Point.start(worked.problem()), truth, GD(learning_rate=worked.RATE))
    assert example.z == pytest.approx(z, rel=1e-15)
    assert example.a == pytest.approx(a, rel=1e-15)
    assert pytest.approx(example.J, rel=1e-14) == J
    assert example.gw == pytest.approx(truth.gw, rel=1e-13)
    assert example.gb == pytest.approx(truth.gb, rel=1e-13)
    assert example.new_w == pytest.approx(after.w, rel=1e-12)
    assert example.new_b == pytest.approx(after.b, rel=1e-12)
    assert example.new_J == pytest.approx(reference.gradient(worked.problem(), after.w, after.b).J, rel=1e-13)
    assert example.new_J < example.J


def test_every_link_of_the_chain_is_a_derivative_and_their_product_is_a_minus_y():
    example = worked.worked_example()
    for i, label in enumerate(worked.Y):
        loss = lambda a, label=label: -(label * mpmath.log(a) + (1 - label) * mpmath.log(1 - a))  # noqa: E731
        sigmoid = lambda z: 1 / (1 + mpmath.exp(-z))  # noqa: E731
        z = mpmath.mpf(example.z[i])
        assert example.loss[i] == pytest.approx(float(loss(sigmoid(z))), rel=1e-13)
        assert example.dloss_da[i] == pytest.approx(float(mpmath.diff(loss, sigmoid(z))), rel=1e-9)
        assert example.da_dz[i] == pytest.approx(float(mpmath.diff(sigmoid, z)), rel=1e-9)
        assert example.dz[i] == pytest.approx(example.a[i] - label, rel=1e-13)
        assert example.products[i] == pytest.approx(worked.X[i] * worked.W)
        assert example.shares[i] == pytest.approx(worked.X[i] * (example.a[i] - label) / 2, rel=1e-13)


def test_the_graph_carries_the_first_samples_numbers():
    example = worked.worked_example()
    nodes = graph.nodes(example)
    assert nodes["w2"].slope == pytest.approx((example.a[0] - worked.Y[0]) * worked.X[0, 1], rel=1e-13)
    assert nodes["b"].slope == nodes["z"].slope == example.dz[0]
    drawing = ET.fromstring(str(graph.drawing(example, "the graph")))
    written = {element.text for element in drawing.iter("text")}
    assert {wording.places(nodes["z"].value, 4), wording.places(nodes["a"].slope, 4)} <= written


# --- 5. descent ----------------------------------------------------------------------------------------------------


def test_the_best_point_has_no_slope():
    for scale in (1.0, PER_HUNDRED):
        w, b = descent.best_point(students(scale))
        assert np.abs(reference.gradient(students(scale), np.array([w]), b).packed).max() < 1e-14


def test_the_bound_is_a_quarter_of_the_largest_eigenvalue_and_no_point_curves_more():
    found = descent.curvature(students())
    design = np.column_stack([x, np.ones_like(x)])
    assert found.bound == pytest.approx(np.linalg.eigvalsh(design.T @ design)[-1] / (4 * len(x)), rel=1e-13)
    for w, b in np.random.default_rng(0).normal(0, 2, (200, 2)):
        curvature = np.linalg.eigvalsh(descent.curvature_at(students(), np.array([w]), b))
        assert curvature[0] > 0
        assert curvature[1] <= found.bound
    assert found.limit == pytest.approx(2 / found.at_best)


def test_every_walk_is_the_references_walk():
    rate = descent.curvature(students()).rate
    for multiple, walk in descent.rate_walks().items():
        point = Point.start(students())
        point = Point(w=np.array([descent.START[0]]), b=descent.START[1], moment1=point.moment1,
                      moment2=point.moment2, step=0)  # fmt: skip
        for parameters, cost in zip(walk.parameters[:6], walk.costs[:6], strict=True):
            truth = reference.gradient(students(), point.w, point.b)
            assert parameters == pytest.approx(point.parameters, rel=1e-10, abs=1e-12)
            assert cost == pytest.approx(truth.J, rel=1e-10)
            point = reference.update(point, truth, GD(learning_rate=multiple * rate))


def test_the_four_rates_do_what_the_text_says():
    small, right, large, diverging = (descent.named_walks()[name].costs for name in descent.NAMED)
    assert (np.diff(small) < 0).all()
    assert (np.diff(right) < 0).all()
    assert right[-1] < small[-1]
    assert np.ptp(large[-10:]) > 0.05
    assert (diverging[1:] > diverging[0]).all()
    assert descent.NAMED["large"] * descent.curvature(students()).rate > descent.curvature(students()).limit


def test_the_races_end_where_they_are_said_to():
    for name, race in descent.races().items():
        for gaps, steps in ((race.gd, race.gd_steps), (race.adam, race.adam_steps)):
            assert steps is not None, name
            assert (gaps[steps:] <= descent.NEAR).all()
            assert gaps[steps - 1] > descent.NEAR
    races = descent.races()
    assert races["hours"].gd_steps < races["hours"].adam_steps
    assert races["hundreds"].adam_steps < races["hundreds"].gd_steps
    assert races["hundreds"].adam[1000:].max() > 1e-5  # the late kick
    data, adam = students(PER_HUNDRED), Adam(learning_rate=races["hundreds"].adam_rate)
    point = Point.start(data)
    for _ in range(10):
        point = reference.update(point, reference.gradient(data, point.w, point.b), adam)
    assert descent.walk(data, adam, 10).parameters[-1] == pytest.approx(point.parameters, rel=1e-9)


# --- 6. five ways, 7. memory ---------------------------------------------------------------------------------------


def test_the_code_is_the_rows_own():
    from stepkernels.rows import numpy_blas

    assert techniques.source(numpy_blas.__name__, "backward") == inspect.getsource(numpy_blas.backward).strip()
    for row, names in techniques.EXCERPTS.items():
        for name in names:
            code = techniques.source(techniques.SOURCES[row], name)
            assert ast.parse(code).body[0].name == name.rpartition(".")[2]


def test_the_costs_are_the_runs(run):
    found = {cost.row: cost for cost in techniques.costs(run)}
    assert tuple(found) == techniques.ROWS
    assert techniques.timed_case(run).m == techniques.SIZE[0]
    for row, cost in found.items():
        record = run.cases[techniques.timed_case(run)][row]
        assert cost.seconds == record.seconds.value
        assert cost.passes == record.passes_over_x


def test_the_roofline_is_flops_over_bytes_under_the_measured_limits(run):
    roof = memory.roofline(run)
    assert roof.one == roof.flops / roof.x_bytes == 0.5
    assert roof.two == 0.25
    assert roof.ridge * roof.memory_gb_per_s == pytest.approx(roof.peak_gflops)
    assert roof.read_gb_per_s * roof.read_seconds * 1e9 == pytest.approx(roof.x_bytes)
    for mark in roof.marks:
        record = run.cases[techniques.timed_case(run)][mark.row]
        assert mark.gflops == pytest.approx(roof.flops / record.seconds.value / 1e9)
        assert mark.intensity == pytest.approx(roof.flops / (record.passes_over_x * roof.x_bytes))


# --- the page ------------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Sections, headings' levels, figures, tables and displayed formulas, in the order of a page."""

    def __init__(self, page):
        super().__init__()
        self.found, self.addresses = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.addresses += [given[name] for name in ("src", "href", "xlink:href", "action") if given.get(name)]
        if tag in ("section", "h1", "h2", "h3", "table", "article", "input", "output"):
            self.found.append((tag, given.get("id")))
        if "data-figure" in given:
            self.found.append(("figure", given["data-figure"]))
        if tag == "math" and given.get("display") == "block":
            self.found.append(("formula", None))


def test_both_languages_have_the_same_sections_figures_and_formulas(pages):
    english, chinese = (Outline(pages[language]).found for language in ("en", "zh"))
    assert english == chinese
    assert [name for tag, name in english if tag == "section"] == [
        "opening", "neuron", "squared", "loss", "backward", "descent", "techniques", "memory", "further"
    ]  # fmt: skip
    assert [tag for tag, _ in english].count("formula") == len(formulas.FORMULAS)
    displayed = {language: re.findall(r'<math[^>]*display="block".*?</math>', pages[language], re.DOTALL)
                 for language in pages}  # fmt: skip
    assert displayed["en"] == displayed["zh"]


def marks_of(text):
    """What must not differ between languages: numbers by name, inline formulas and code."""
    numbers = sorted(re.findall(r"\{\{.*?\}\}", text))
    return numbers, sorted(set(wording.inline_formulas(text))), sorted(set(re.findall(r"`([^`]+)`", text)))


def test_every_text_says_the_same_in_both_languages():
    english, chinese = wording.texts("en"), wording.texts("zh")
    assert [(section, key) for section in english for key in english[section]] == [
        (section, key) for section in chinese for key in chinese[section]
    ]
    for section, entries_of in english.items():
        for key, text in entries_of.items():
            name = f"{section}.{key}"
            assert text.strip(), name
            assert marks_of(text) == marks_of(chinese[section][key]), name
            assert text.count("**") == chinese[section][key].count("**"), name
            assert text.count("\n\n") == chinese[section][key].count("\n\n"), name


def test_the_chinese_page_is_chinese():
    for section, entries_of in wording.texts("zh").items():
        for key, text in entries_of.items():
            words = re.sub(r"\{\{.*?\}\}|\$[^$]*\$|`[^`]*`", "", text)
            assert re.search(r"[\u4e00-\u9fff]", words) or not words.strip() or words.strip() == "Adam", (section, key)
            assert not re.search(r"[\u4e00-\u9fff][,;:?!]", words), f"{section}.{key}: half-width punctuation"


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_no_computed_number_is_typed_into_a_text(language):
    for section, entries_of in wording.texts(language).items():
        for key, text in entries_of.items():
            typed = re.sub(r"\{\{.*?\}\}|`[^`]*`", "", text)
            assert not re.search(r"\d\.\d|\d×|\d{3}", typed.replace("float64", "").replace("−800", "")), (section, key)


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_the_numbers_of_the_page_are_those_computed(run, pages, language):
    shown = values(run)
    example = shown["example"]
    for value in (*example.z, *example.a, *example.dz, *example.gw, example.gb, example.J, example.new_J):
        assert wording.places(value, 6) in pages[language]
    for cost in shown["costs"].values():
        assert cost.time in pages[language]
    assert wording.places(shown["trap"].trap.cost, 4) in pages[language]


def without_scripts(page):
    return re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_formula_is_well_formed_mathematics(pages, language):
    found = re.findall(r"<math.*?</math>", pages[language], re.DOTALL)
    assert len(found) > 80
    for formula in found:
        text = "".join(ET.fromstring(formula).itertext())
        assert "\\" not in text, text
    assert "$" not in without_scripts(pages[language])


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_nothing_is_fetched_and_nothing_is_left_unsaid(pages, language):
    page = pages[language]
    assert all(address.startswith("#") for address in Outline(page).addresses)
    assert not re.search(r"url\((?!#)|@import|fetch\(|<link|<img|<iframe", page)
    assert not re.search(r"\bt:[a-z]|\{\{|\}\}|Undefined", without_scripts(page))
    assert f'<html lang="{wording.LANGUAGES[language]}"' in page


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_a_lesson_beside_a_run_links_to_its_report(run, pages, language):
    assert 'href="report.html"' not in pages[language]
    assert 'href="report.html"' in lesson_page(run, language, report="report.html")


@pytest.mark.parametrize(("folder", "name", "linked"), [
    ("run", "stepbench-lesson-en.html", True), ("run", "other.html", False), (".", "stepbench-lesson-en.html", False),
])  # fmt: skip
def test_a_lesson_written_into_a_run_and_its_report_link_to_each_other(
    run, tmp_path, monkeypatch, folder, name, linked
):
    write_report(write_run(tmp_path / "run", entries(sizes=SIZES)))
    monkeypatch.setattr(lesson, "measured", lambda *_: run)
    path = lesson.write_lesson(tmp_path / folder / name, "en", None)
    assert ('href="report.html"' in path.read_text("utf-8")) == linked
    assert (f'href="{name}"' in (tmp_path / "run/report.html").read_text("utf-8")) == linked


def test_a_page_is_the_same_in_a_fresh_interpreter(run, pages, tmp_path):
    script = (
        "import pathlib, sys; from stepbench.lesson import lesson_page;"
        "from stepreports.statistics.runs import load_run;"
        "pathlib.Path(sys.argv[2]).write_text(lesson_page(load_run(pathlib.Path(sys.argv[1])), 'zh'), 'utf-8')"
    )
    command = [sys.executable, "-c", script, str(run.folder), str(tmp_path / "page.html")]
    subprocess.run(command, check=True, env=environment(), timeout=300)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == pages["zh"]


def test_an_unknown_language_and_a_folder_are_sentences(tmp_path):
    for arguments, sentence in ((("--lang", "de"), "no lesson in 'de'"), (("--out", tmp_path), "is a folder")):
        finished = stepbench("learn", *arguments)
        assert finished.returncode == 2
        assert sentence in finished.stderr


@pytest.mark.slow
def test_learn_measures_and_writes_the_page(tmp_path):
    finished = stepbench("learn", "--lang", "zh", "--out", tmp_path / "lesson.html")
    assert finished.returncode == 0, finished.stderr
    outline = Outline((tmp_path / "lesson.html").read_text(encoding="utf-8"))
    assert ("table", "costs") in outline.found
    assert [path.name for path in tmp_path.iterdir()] == ["lesson.html"]


def test_hours_undo_the_centring():
    assert [hours(each) for each in x] == HOURS.tolist()
