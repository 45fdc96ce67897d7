"""A comparison of versions in words: what is told of each case, in a sentence, in Markdown and in JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from stepreports.comparison.compared import Version, compared
from stepreports.comparison.verdicts_page import verdicts_figure
from stepreports.comparison.verdicts_report import write_verdicts
from stepreports.comparison.version_lines import as_json, headline, how, pull_request, sentences
from stepreports.comparison.versions import Question
from stepreports.page.report_page import words
from stepreports.records.comparison_file import stored_comparison
from synthetic_runs import ROWS, SIZES, entry, write_run

VERSIONS = [
    Version(label="base", told="main, commit 0123456789", commit="0123456789" * 4),
    Version(label="head", told="the working tree"),
]
PAIR = ("numpy-blas@base", "numpy-blas@head")
BASE, HEAD = (replace(ROWS[1], name=name) for name in PAIR)


@pytest.fixture
def comparison(tmp_path):
    """A comparison at the first sizes, head so many times as slow at each; None where it has no time."""

    def make(*slowdowns, faults=(), noise=0.004):
        found = []
        for slowdown, size in zip(slowdowns, SIZES, strict=False):
            options = {"generations": 4, "turns": 12, "noise": noise}
            found += [entry(BASE, *size, **options), entry(BASE, *size, replica=1, **options)]
            found += [entry(HEAD, *size, slowdown=slowdown, **options)] if slowdown else []
        question = Question(allowance=0.05, cases=len(slowdowns), pairs=[PAIR], looks=15)
        return compared(write_run(tmp_path / "run", found, []), VERSIONS, question, faults)

    return make


def test_each_case_is_told_and_what_asks_for_attention_comes_first(comparison):
    found = comparison(0.5, 1.0, 1.3)
    slower, faster, same = sentences(found)
    assert slower.startswith(
        "`numpy-blas@head` is slower than `numpy-blas@base`, by more than the 5 % allowed, on step"
    )
    assert faster.startswith("`numpy-blas@head` is faster than `numpy-blas@base` on step float64 at breast-cancer")
    assert same.startswith("`numpy-blas@head` takes the same time as `numpy-blas@base` within ")
    assert found.failed
    assert headline(found) == "Of 3 cases: 1 slower by more than the 5 % allowed, 1 faster, 1 the same."


def test_what_cannot_be_told_says_what_would_have_been_seen(comparison):
    (sentence,) = sentences(comparison(1.0, noise=0.6))
    assert sentence.startswith("Cannot tell `numpy-blas@head` from `numpy-blas@base` on step float64 at")
    assert sentence.endswith("would have been seen.")


def test_faster_and_the_same_pass_and_a_fault_does_not(comparison):
    assert not comparison(0.5, 1.0).failed
    assert comparison(0.5, 1.0, faults=["numpy-blas@head failed: it disagrees"]).failed


def test_a_side_without_a_time_leaves_the_other_shown(comparison):
    found = comparison(None, faults=["numpy-blas@head failed: it disagrees"])
    (sentence,) = sentences(found)
    assert sentence.startswith("`numpy-blas@base` takes ")
    assert sentence.endswith("`numpy-blas@head` has no time there.")
    assert "no comparison" in pull_request(found)
    assert headline(found) == "1 failure."


def test_markdown_is_short_and_says_what_was_compared_and_how(comparison):
    told = pull_request(comparison(0.5, 1.0, 1.3))
    assert len(told.splitlines()) < 20
    assert "**slower than allowed**" in told
    assert "`@base` is main, commit 0123456789; `@head` is the working tree." in told
    assert "timed twice, lay" in told


def test_how_it_was_done_names_generations_and_looks(comparison):
    assert "in 4 generations of fresh processes" in " ".join(how(comparison(1.0)))
    assert "looked at up to 15 times" in " ".join(how(comparison(1.0)))


def test_json_holds_every_case_and_is_json(comparison):
    told = json.loads(json.dumps(as_json(comparison(0.5, None)), allow_nan=False))
    first, second = told["cases"]
    assert first["verdict"] == "faster"
    assert first["ratio_low"] < first["ratio"] < first["ratio_high"] < 1
    assert (second["base_row"], second["other_seconds"]) == ("numpy-blas@base", None)
    assert told["versions"][0]["commit"] == VERSIONS[0].commit
    assert not told["failed"]


def test_the_page_has_every_sentence_the_figure_and_no_markup_of_others(comparison, tmp_path):
    found = comparison(0.5, 1.0, 1.3, None, faults=["numpy-blas@head failed: <script>alert(1)</script>"])
    found = replace(found, versions=[replace(VERSIONS[0], subject="reads <b>twice</b>"), VERSIONS[1]])
    page = write_verdicts(found, tmp_path / "out")
    written = page.read_text("utf-8")
    assert page.name == "comparison.html"
    for sentence in sentences(found):
        assert str(words(sentence)) in written
    assert "<svg" in written
    assert "&lt;script&gt;alert" in written
    assert "reads &lt;b&gt;twice" in written
    assert not re.search(r"""(src|href)=["']https?:""", written), "it needs no network"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "comparison.html",
        "comparison.md",
        "comparison.json",
    }
    assert stored_comparison(tmp_path / "out").faults == found.faults


def test_a_comparison_that_timed_nothing_still_has_a_page(comparison, tmp_path):
    found = comparison(None, faults=["numpy-blas@head failed: it disagrees"])
    assert verdicts_figure(found) is None
    assert "it disagrees" in write_verdicts(found, tmp_path / "out").read_text("utf-8")


def test_the_figure_shows_one_and_what_is_allowed_wherever_the_intervals_lie(comparison):
    (axes,) = verdicts_figure(comparison(0.1, 0.12)).axes
    low, high = axes.get_xlim()
    assert low < 0.1 < 1.05 < high
