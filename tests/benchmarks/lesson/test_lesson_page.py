"""The page: the same in both languages but for its words, complete, and whole without the network."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from runs import environment
from stepbench.lesson import (
    formulas,
    wording,
)
from stepbench.lesson.lesson_page import lesson_page, values


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
        "opening", "neuron", "squared", "loss", "backward", "descent",
        "training", "torch", "techniques", "memory", "further",
    ]  # fmt: skip
    assert [tag for tag, _ in english].count("formula") == len(formulas.FORMULAS)
    displayed = {language: re.findall(r'<math[^>]*display="block".*?</math>', pages[language], re.DOTALL)
                 for language in pages}  # fmt: skip
    assert displayed["en"] == displayed["zh"]


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


def test_a_page_is_the_same_in_a_fresh_interpreter(run, pages, tmp_path):
    script = (
        "import pathlib, sys; from stepbench.lesson.lesson_page import lesson_page;"
        "from stepreports.statistics.runs import load_run;"
        "pathlib.Path(sys.argv[2]).write_text(lesson_page(load_run(pathlib.Path(sys.argv[1])), 'zh'), 'utf-8')"
    )
    command = [sys.executable, "-c", script, str(run.folder), str(tmp_path / "page.html")]
    subprocess.run(command, check=True, env=environment(), timeout=300)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == pages["zh"]
