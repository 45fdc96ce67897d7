"""The page in a real browser: what a reader does with it, on a desk and on a phone."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import combinations

import pytest

import stepreports
from synthetic_runs import ROWS, SIZES, entries, entry, write_run

PHONE = {"width": 390, "height": 844}
TRACES = "document.getElementById('chart').data"


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="session")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    runs = [write_run(folder / name, entries(sizes=SIZES[:3], threads=threads), run_id=name)
            for name, threads in (("one", 2), ("two", 8))]  # fmt: skip
    return stepreports.compare_report(runs, folder / "out")


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    """A run with a kernel of the user's, on a restless machine."""
    made = entries(rows=ROWS[:4], sizes=SIZES[:4], noise=0.4)
    mine = {"row": "my-kernel-of-long-name", "technique": "mine", "own_kernel": True}
    made += [entry(ROWS[1], *size, dtype=dtype, **mine) for size in SIZES[:4] for dtype in ("float64", "float32")]
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("own"), made))


@pytest.fixture(params=["report", "comparison", "own"])
def either(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390, 320])
def test_nothing_scrolls_sideways(opened, either, width, scheme):
    page = opened(either, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_a_contrast_of_aa_in_both_themes(opened, either, scheme):
    page = opened(either, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert page.evaluate(CONTRASTS) == []


def test_the_theme_follows_the_system_and_then_the_reader(opened, report):
    page = opened(report, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    assert page.evaluate(ground) == "rgb(255, 255, 255)" != dark


def test_the_chart_follows_its_selectors(opened, report):
    page = opened(report)
    names = lambda: {trace["name"] for trace in page.evaluate(TRACES)}  # noqa: E731
    assert {"numpy-blas", "cupy-fused", "read-limit"} <= names()
    page.select_option("#choose-op", "forward")
    assert "read-limit" not in names()
    page.select_option("#choose-op", "step")
    page.select_option("#choose-measure", "speedup")
    assert page.is_visible("#choose-baseline")
    loop = next(trace for trace in page.evaluate(TRACES) if trace["name"] == "python-loop")
    assert max(loop["y"]) < 0.1  # over the matrix form
    page.select_option("#choose-baseline", "python-loop")
    loop = next(trace for trace in page.evaluate(TRACES) if trace["name"] == "python-loop")
    assert set(loop["y"]) == {1}
    page.select_option("#choose-axis", "m")
    assert {x for trace in page.evaluate(TRACES) for x in trace["x"]} == {569, 1000, 20_000}  # where the loop ran
    page.select_option("#choose-measure", "share")
    assert all(0 < y < 105 for trace in page.evaluate(TRACES) for y in trace["y"])


@pytest.mark.parametrize("generations", [2, 4])
def test_the_script_takes_the_same_ratios_and_intervals_as_the_table(opened, tmp_path, generations):
    """Of four generations the interval is of Student's t, of two of the bootstrap alone."""
    report = stepreports.write_report(write_run(tmp_path, entries(dtypes=["float64"], generations=generations)))
    page = opened(report)
    page.select_option("#choose-measure", "speedup")
    traces = {trace["name"]: trace for trace in page.evaluate(TRACES)}
    with (report.parent / "table.csv").open() as stream:
        lines = [line for line in csv.DictReader(stream) if line["op"] == "step" and line["dtype"] == "float64"]
    found = 0
    for line in lines:
        if line["times_matrix_form"] and line["replica"] == "0":
            trace = traces[line["row"]]
            place = trace["x"].index(int(line["x_bytes"]))
            value, low = trace["y"][place], trace["error_y"]["arrayminus"][place]
            assert value == pytest.approx(float(line["times_matrix_form"]), rel=1e-4)
            assert value - low == pytest.approx(float(line["times_matrix_form_low"]), rel=1e-4)
            found += 1
    assert found > 30


def test_of_two_sizes_with_equal_bytes_the_line_meets_the_one_with_more_samples(opened, tmp_path):
    sizes = [(1000, 20), (1000, 1000), (10_000, 100)]
    page = opened(stepreports.write_report(write_run(tmp_path, [entry(ROWS[1], m, n) for m, n in sizes])))
    (trace,) = page.evaluate(TRACES)
    assert trace["x"] == [160_000, 8_000_000, None, 8_000_000]
    assert "10,000 × 100" in trace["text"][1]


@pytest.fixture(scope="session")
def crowded(tmp_path_factory):
    """Eight rows of one library whose lines end close together, and a loop that ends early."""
    close = [
        replace(ROWS[2], name=f"numba-row-{k}", technique=f"technique {k}", ns_per_element=0.5 + 0.01 * k)
        for k in range(8)
    ]
    made = entries(rows=[ROWS[0], ROWS[1], *close], dtypes=["float64"])
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("crowded"), made))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_lines_are_labelled_at_their_ends_and_no_label_lies_on_another(opened, crowded, width, scheme):
    page = opened(crowded, viewport={"width": width, "height": 844}, color_scheme=scheme)
    while page.locator("#legend [aria-pressed=false]").count():
        page.locator("#legend [aria-pressed=false]").first.click()
    labels = page.locator("#chart .annotation-text")
    names = labels.all_text_contents()
    assert {"python-loop", "numpy-blas", *(f"numba-row-{k}" for k in range(8))} <= set(names)
    boxes = [label.bounding_box() for label, name in zip(labels.all(), names, strict=True) if "-" in name]
    chart = page.locator("#chart").bounding_box()
    for box in boxes:
        assert chart["x"] <= box["x"]
        assert box["x"] + box["width"] <= chart["x"] + chart["width"] + 1
    for one, other in combinations(boxes, 2):
        apart = one["y"] + one["height"] <= other["y"] + 2 or other["y"] + other["height"] <= one["y"] + 2
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        assert apart or beside, (one, other)


def test_at_first_the_best_row_of_each_library_is_shown(opened, crowded, report):
    visible = lambda page: {trace["name"] for trace in page.evaluate(TRACES) if trace["visible"]}  # noqa: E731
    assert visible(opened(crowded)) == {"python-loop", "numpy-blas", "numba-row-0", "read-limit"}
    both = visible(opened(report))
    assert {"torch-manual-cpu", "torch-manual-cuda", "cupy-fused", "numba-fused-parallel"} <= both
    assert not {"torch-autograd-cpu", "numba-loop"} & both


def test_rows_of_one_library_differ_in_colour(opened, report):
    page = opened(report)
    colours = {trace["name"]: trace["line"]["color"] for trace in page.evaluate(TRACES)}
    assert len({colours[name] for name in ("numba-loop", "numba-fused", "numba-fused-parallel")}) == 3


def test_the_line_that_is_looked_at_stays_and_the_others_fade(opened, report):
    page = opened(report)
    opacities = "[...document.querySelectorAll('#chart .scatterlayer > .trace')].map((each) => each.style.opacity)"
    page.hover("#legend [data-row=numpy-blas]")
    faded = page.evaluate(opacities)
    assert faded.count("") == 1
    assert len(faded) > 4
    page.hover("h1")
    assert set(page.evaluate(opacities)) == {""}


@pytest.mark.parametrize("axis", ["x_bytes", "m", "n"])
def test_ticks_are_at_one_two_and_five(opened, report, axis):
    page = opened(report)
    page.select_option("#choose-axis", axis)
    for name in ("xaxis", "yaxis"):
        ticks = page.evaluate(f"document.getElementById('chart').layout.{name}.tickvals")
        assert len(ticks) >= 3
        assert {f"{tick:e}"[0] for tick in ticks} <= {"1", "2", "5"}
    told = page.locator("#chart .ytick text").all_text_contents()
    assert all(re.fullmatch(r"[125]0{0,2} [nµm]?s", tick) for tick in told)


def test_every_choice_is_in_the_address_and_comes_from_it(opened, opened_again, report):
    page = opened(report)
    page.select_option("#choose-measure", "speedup")
    page.select_option("#choose-dtype", "float32")
    page.click("#legend [data-row=torch-autograd-cpu]")
    page.fill("#filter", "1000x20")
    opened_again(page)
    assert page.input_value("#choose-measure") == "speedup"
    assert page.input_value("#choose-dtype") == "float32"
    assert page.get_attribute("#legend [data-row=torch-autograd-cpu]", "aria-pressed") == "true"
    assert page.input_value("#filter") == "1000x20"


def test_the_search_takes_a_size_as_the_command_line_writes_it(opened, report):
    page = opened(report)
    page.fill("#filter", "numba-fused 1000x20 float32")
    assert "of 2 records" in page.inner_text("#count")
    page.fill("#filter", "numba-fused 1,000×20 float32")
    assert "of 2 records" in page.inner_text("#count")
    page.fill("#filter", "100x20")
    assert page.inner_text("#count") == "no record matches"


def test_the_legend_switches_rows_off_and_on_from_the_keyboard(opened, report):
    page = opened(report)
    button = page.locator("#legend button", has_text="python-loop")
    visible = lambda: {trace["name"] for trace in page.evaluate(TRACES) if trace["visible"]}  # noqa: E731
    button.focus()
    page.keyboard.press("Enter")
    assert "python-loop" not in visible()
    assert button.get_attribute("aria-pressed") == "false"
    page.keyboard.press("Space")  # the focus stayed
    assert "python-loop" in visible()


def test_the_hover_gives_the_numbers(opened, report):
    page = opened(report)
    page.locator("#chart").scroll_into_view_if_needed()
    box = page.locator("#chart .scatterlayer .trace").first.locator(".point").last.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    page.wait_for_selector("#chart .hoverlayer .hovertext")
    assert re.search(r"\d+ × \d+.*\[", page.text_content("#chart .hoverlayer"), re.DOTALL)


def test_the_numbers_of_the_chart_are_a_table(opened, report):
    page = opened(report)
    page.click("text=The numbers in this chart")
    assert "numba-fused-parallel" in page.inner_text("#numbers")


def test_the_ladder_climbs_at_the_chosen_size(opened, report):
    page = opened(report)
    assert page.locator(".ladder:visible").get_attribute("aria-label") == "Rows at 20,000 × 50"
    page.select_option("#choose-ladder", label="1,000,000 × 20")
    ladder = page.locator(".ladder:visible")
    assert ladder.get_attribute("aria-label") == "Rows at 1,000,000 × 20"
    assert "python-loop" not in ladder.inner_text().splitlines()


def test_the_raw_table_sorts_both_ways(opened, report):
    page = opened(report)
    page.click("#raw th[data-name=m] button")
    cells = page.locator("#raw tbody tr td:nth-child(4)").all_inner_texts()
    assert page.get_attribute("#raw th[data-name=m]", "aria-sort") == "ascending"
    assert set(cells) == {"569"}
    page.click("#raw th[data-name=m] button")
    assert page.get_attribute("#raw th[data-name=m]", "aria-sort") == "descending"
    assert page.locator("#raw tbody tr td:nth-child(4)").first.inner_text() == "1,000,000"


def test_a_row_of_two_kinds_is_told_as_such_beside_its_median(opened, tmp_path):
    stored = [entry(row, 1000, 20, generations=3, turns=40) for row in ROWS[1:3]]
    stored[0]["stats"]["data"] = [each * (1 + turn % 2) for turn, each in enumerate(stored[0]["stats"]["data"])]
    page = opened(stepreports.write_report(write_run(tmp_path / "run", stored)))
    lines = page.locator("#raw tbody tr").all_inner_texts()
    assert "two kinds: 50 % at" in lines[0]
    assert " and 50 % at " in lines[0]
    assert "steady" in lines[1]
    assert "turns of two kinds" in page.inner_text("#trust")


def test_the_raw_table_filters_by_words_and_turns_pages(opened, report):
    page = opened(report)
    everything = page.inner_text("#count")
    page.click("#after")
    assert page.inner_text("#count") != everything
    page.fill("#filter", "numba-fused float32 1,000,000")
    rows = page.locator("#raw tbody tr").all_inner_texts()
    assert len(rows) == 2
    assert all("numba-fused" in row and "float32" in row for row in rows)
    page.fill("#filter", "no such row")
    assert page.inner_text("#count") == "no record matches"


def test_what_is_filtered_is_copied_as_csv_and_as_markdown(opened, report):
    page = opened(report, permissions=["clipboard-read", "clipboard-write"])
    page.fill("#filter", "cupy-fused float64 step")
    page.click("#copy-csv")
    page.wait_for_selector("text=Copied")
    lines = list(csv.DictReader(io.StringIO(page.evaluate("navigator.clipboard.readText()"))))
    assert {line["row"] for line in lines} == {"cupy-fused"}
    assert float(lines[0]["seconds_per_step"]) > 0
    page.click("#copy-markdown")
    page.wait_for_function("document.getElementById('copy-markdown').textContent === 'Copied'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("| row |")
    assert copied.count("\n") == len(lines) + 2


def test_everything_that_can_be_used_can_be_reached_by_tab(opened, report):
    page = opened(report)
    wanted = page.evaluate(
        "[...document.querySelectorAll('button, select, input, summary, a[href]')]"
        ".filter((each) => each.checkVisibility() && !each.disabled && !each.closest('#chart')).length"
    )
    reached = set()
    for _ in range(3 * wanted):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(PLACE_OF_FOCUS))
    assert len(reached - {None}) >= wanted


def test_names_that_are_markup_are_shown_as_text(opened, tmp_path):
    script = "<script>document.title = 'ran'</script><b>x"
    wild = [entry(ROWS[1], m, 20, script, row=script, technique=script) for m in (1000, 2000)]
    page = opened(stepreports.write_report(write_run(tmp_path, wild)))
    assert page.title() != "ran"
    assert script in page.inner_text("#legend")
    assert script in page.inner_text("#raw")
    assert page.locator("main b:not(.track b)").count() == 0


@pytest.mark.parametrize("benchmarks", [[], [entry(ROWS[1], 1000, 20)]], ids=["only failures", "one record"])
def test_a_page_of_little_opens_without_a_complaint(opened, tmp_path, benchmarks):
    opened(stepreports.write_report(write_run(tmp_path, benchmarks)), viewport=PHONE)


def test_the_users_kernels_come_first_in_a_colour_of_their_own(opened, own):
    page = opened(own)
    assert page.locator("main section").first.get_attribute("id") == "own"
    heads = page.locator("#own thead th").all_inner_texts()
    assert heads == ["case", "verdict", "time of a step", "× numpy-blas", "× the best", "of the limit"]
    assert page.locator("#own tbody tr").count() == 8
    colours = {trace["name"]: trace["line"]["color"] for trace in page.evaluate(TRACES)}
    mine = colours.pop("my-kernel-of-long-name")
    assert mine not in colours.values()
    assert "my-kernel-of-long-name" in page.locator("#chart .annotation-text").all_text_contents()


@pytest.mark.parametrize("width", [1400, 390])
def test_a_verdict_on_the_users_kernel_is_seen_without_scrolling(opened, own, width):
    page = opened(own, viewport={"width": width, "height": 844})
    box = page.locator("#own tbody td[data-head=verdict] span").first.bounding_box()
    assert box["y"] + box["height"] < 844
    assert box["x"] + box["width"] <= width


PAPER = {"width": 710, "height": 1040}  # what A4 leaves between its margins, in CSS pixels


def printed(page):
    """As it stands on paper: the layout of print, after what the page does before it is printed."""
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_nothing_is_cut_and_everything_is_open(opened, either, scheme):
    page = opened(either, viewport=PAPER, color_scheme=scheme)
    printed(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
    assert page.evaluate(CUT) == []
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for each in page.locator("details:not(.live *) :is(table, dl)").all():
        assert each.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    assert page.evaluate("document.documentElement.dataset.theme") == scheme


def test_print_shows_the_static_chart_instead_of_the_live_one(opened, report):
    page = opened(report)
    printed(page)
    assert page.is_visible(".static-chart svg")
    assert not page.is_visible("#chart")
    assert page.is_visible("#heat")
    assert page.is_visible(".snippet pre")


def test_a_run_is_printed_on_some_four_pages(opened, report, own):
    for path in (report, own):
        pages = re.findall(rb"/Type\s*/Page\b(?!s)", opened(path).pdf(prefer_css_page_size=True))
        assert 2 <= len(pages) <= 5


@pytest.mark.slow
def test_fifty_thousand_records_can_be_searched(opened, tmp_path):
    sizes = [(100 + 7 * k, 10 + k % 50, "synthetic") for k in range(2600)]
    page = opened(stepreports.write_report(write_run(tmp_path, entries(sizes=sizes)[:50_000])))
    page.fill("#filter", "cupy-fused float64")
    assert "of 2,600 records" in page.inner_text("#count")


# Everything visible with text of its own whose contrast with the ground behind it is below 4.5 (3 where it is large).
CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const ground = (each) => {
    for (let at = each; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if ((colour[3] ?? 1) > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const each of document.querySelectorAll('body *')) {
    const own = [...each.childNodes].filter((node) => node.nodeType === 3);
    const text = own.map((node) => node.textContent.trim()).join('');
    if (!text || !each.checkVisibility() || ['SCRIPT', 'STYLE', 'OPTION'].includes(each.tagName)) continue;
    const style = getComputedStyle(each);
    const inSvg = each instanceof SVGElement;
    const [a, b] = [luminance(channels(inSvg ? style.fill : style.color)), luminance(ground(each))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (contrast < needed && !each.disabled) poor.push(`${text.slice(0, 30)}: ${contrast.toFixed(2)}`);
  }
  return poor;
}"""
# Every table, line of code or drawing on paper that reaches beyond what it stands in, or beyond the paper.
CUT = """() => [...document.querySelectorAll('main table, main pre, main figure > svg, main td, main th')]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width > 0)
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && !(each instanceof SVGElement)
    || each.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    || each.matches('.scroll > table') && each.offsetWidth > each.parentElement.offsetWidth + 1)
  .map((each) => `${each.tagName} in ${each.closest('section').id}: ${(each.textContent ?? '').trim().slice(0, 40)}`)"""
PLACE_OF_FOCUS = """(() => {
  const each = document.activeElement;
  if (each === document.body || each.closest('#chart')) return null;
  return [...document.querySelectorAll('*')].indexOf(each);
})()"""
