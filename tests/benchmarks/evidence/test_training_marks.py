"""The marks of the classifier: measured by whole fits in turns, stored, and shown on a page that is never stale."""

import copy
import json

import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")


from rich.console import Console

from runs import ROOT
from stepbench.evidence.marks import PAGE
from stepbench.evidence.training_marks import Effort, main, to_equal_gradient
from stepbench.evidence.training_table import fit, optimum, tables, training_block
from stepbench.run.progress import TerminalProgress

PAIR = {
    "training": "569 × 30, to an equal gradient",
    "against": "scikit-learn",
    "mark": 2.0,
    "row": "numba-fused",
    "gradient": [1e-4, 1e-4],
    "iterations": [19, 18],
    "seconds": [[1.0, 1.1, 1.0, 1.1, 1.0, 1.0], [1.0, 1.0, 1.1, 1.0, 1.0, 1.1]],
    "opponent_seconds": [[3.0, 3.3, 3.0, 3.3, 3.0, 3.0], [3.0, 3.0, 3.3, 3.0, 3.0, 3.3]],
}
OPTIMUM = {"data": "digits", "dtype": "float32", "from_newton": 2e-5, "from_default": 3e-5, "apart": 1e-6, "mark": 1e-3}
FOUND = {
    "schema": 1,
    "datetime": "2026-01-02T03:04:05",
    "machine": {"cpu": "A CPU"},
    "threads": 2,
    "commit": {"id": "0123456789abcdef", "dirty": False},
    "fits": [PAIR],
    "optima": [OPTIMUM],
}


def test_a_ratio_is_within_turns_and_the_mark_is_reached_by_its_whole_interval():
    line = fit(PAIR)
    assert line["measured"].startswith("3")
    assert line["both come to"] == "gradient 1.0e-04, 1.0e-04; iterations 19, 18"
    assert line[""] == "reached"
    assert fit({**PAIR, "mark": 3.5})[""] == "not reached"


@pytest.mark.parametrize("worse", [{"gradient": [2e-4, 1e-4]}, {"accuracy": [0.95, 0.96]}])
def test_a_fit_that_ends_elsewhere_reaches_no_mark(worse):
    assert fit({**PAIR, **worse})[""] == "not equal"


def test_an_optimum_too_far_away_is_not_reached():
    assert optimum(OPTIMUM)[""] == "reached"
    assert optimum({**OPTIMUM, "from_newton": 2e-3})[""] == "not reached"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    page = tmp_path / PAGE
    page.parent.mkdir()
    page.write_text("<!-- stepbench:marks -->\nx\n<!-- /stepbench:marks -->\n"
                    "<!-- stepbench:training -->\nold\n<!-- /stepbench:training -->\n")  # fmt: skip
    monkeypatch.chdir(tmp_path)
    return tmp_path


def publish(checkout, found):
    path = checkout / "reports" / "published" / "a-cpu" / "training.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))


def test_the_page_is_stale_until_it_is_written_and_again_when_the_figures_change(checkout):
    publish(checkout, FOUND)
    assert main(["--check"]) == 1
    assert main(["--write"]) == 0
    assert main(["--check"]) == 0
    page = (checkout / PAGE).read_text()
    assert page.startswith("<!-- stepbench:marks -->\nx\n")  # not this command's block
    assert tables(FOUND) in page
    assert "[A CPU · 2 threads · 2026-01-02 · commit 0123456789](../reports/published/a-cpu/training.json)" in page
    changed = copy.deepcopy(FOUND)
    changed["fits"][0]["seconds"][0][0] = 9.0
    changed["fits"][0]["mark"] = 9.0
    publish(checkout, changed)
    assert main(["--check"]) == 1


def test_nothing_published_is_said(checkout):
    assert training_block(checkout) == "Nothing has been published yet."


def test_the_page_of_the_repository_is_fresh(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["--check"]) == 0


@pytest.mark.slow
def test_fits_take_turns_to_an_equal_gradient():
    progress = TerminalProgress("Training", 1, Console(quiet=True))
    found = to_equal_gradient("300x4", 1.0, Effort(large="", adam_steps=0, generations=1, turns=2), progress)
    assert [len(turns) for turns in (*found["seconds"], *found["opponent_seconds"])] == [2, 2]
    assert fit(found)[""] != "not equal"
    assert json.loads(json.dumps(found)) == found
