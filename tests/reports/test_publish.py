"""Published runs: an index and README blocks made from the records, and a check that they still are."""

from __future__ import annotations

import json
import re

import pytest

from stepreports.publish import main
from synthetic_runs import MACHINE, SIZES, entries, write_run

README = "# Title\n\n<!-- stepbench:{0} -->\nold\n<!-- /stepbench:{0} -->\n\nThe end.\n"
SLUG = "example-9000-8-core-processor-example-gpu-80-gb"


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", entries(sizes=SIZES[:3], dtypes=["float64"]))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def publish(root, *arguments):
    return main([*map(str, arguments), "--root", str(root)])


def test_a_run_lands_under_its_machine_its_date_and_its_commit(root, run):
    assert publish(root, run) == 0
    place = root / "reports/published" / SLUG / "2025-03-01-0123456789"
    assert {path.name for path in place.iterdir()} == {
        "benchmark.json", "failures.json", "summary.md", "table.csv", "figures",
    }  # fmt: skip
    assert f"published/{SLUG}/2025-03-01-0123456789/summary.md" in (root / "reports/README.md").read_text()


def test_a_run_lands_nowhere_else_whatever_its_records_say(root, tmp_path):
    folder = write_run(tmp_path / "run", [], machine={"cpu": "../../.."})
    stored = json.loads((folder / "benchmark.json").read_text())
    stored |= {"datetime": "../../up/x", "commit_info": {"id": "/../../../"}}
    (folder / "benchmark.json").write_text(json.dumps(stored))
    publish(root, folder)
    assert {path.name for path in (root / "reports").iterdir()} == {"README.md", "index.html", "published"}
    assert [path.name for path in (root / "reports/published").iterdir()] == ["unknown"]


@pytest.mark.parametrize("block", ["answer", "table", "figure", f"table@{SLUG}"])
def test_the_readme_is_rewritten_between_its_markers_only(root, run, block):
    (root / "README.md").write_text(README.format(block))
    publish(root, run)
    told = (root / "README.md").read_text()
    assert told.startswith(f"# Title\n\n<!-- stepbench:{block} -->\n")
    assert told.endswith(f"<!-- /stepbench:{block} -->\n\nThe end.\n")
    assert "\nold\n" not in told


def test_the_answer_of_a_busy_machine_carries_its_alarm(root, tmp_path):
    busy = write_run(tmp_path / "busy", entries(sizes=SIZES[:1], dtypes=["float64"], noise=1.0))
    (root / "README.md").write_text(README.format("answer"))
    publish(root, busy)
    assert re.search(
        r"^- \*\*\d+ of \d+ records varied by more than 25 %", (root / "README.md").read_text(), re.MULTILINE
    )


def test_a_figure_block_shows_a_file_that_exists(root, run):
    (root / "README.md").write_text(README.format("figure"))
    publish(root, run)
    link = (root / "README.md").read_text().partition("](")[2].partition(")")[0]
    assert (root / link).is_file()


def test_the_check_fails_when_stale_and_changes_nothing(root, run, capsys):
    (root / "README.md").write_text(README.format("answer"))
    publish(root, run)
    assert publish(root, "--check") == 0
    stale = (root / "README.md").read_text().replace("numba", "number")
    (root / "README.md").write_text(stale)
    assert publish(root, "--check") == 1
    assert "README.md is stale" in capsys.readouterr().out
    assert (root / "README.md").read_text() == stale
    assert publish(root) == 0
    assert publish(root, "--check") == 0


def test_the_newest_run_is_shown(root, tmp_path):
    machines = [MACHINE | {"cpu": name} for name in ("Old", "New")]
    for machine, day in zip(machines, ("2025-01-01", "2025-06-01"), strict=True):
        folder = write_run(tmp_path / day, entries(sizes=SIZES[:1], dtypes=["float64"]), machine=machine)
        stored = folder / "benchmark.json"
        stored.write_text(stored.read_text().replace("2025-03-01", day))
        publish(root, folder)
    (root / "README.md").write_text(README.format("table"))
    publish(root)
    assert "New + Example GPU" in (root / "README.md").read_text()


def test_processors_of_one_name_have_a_folder_each(root, tmp_path):
    kinds = [{"family": "25", "model": model, "instruction_sets": sets} for model, sets in
             (("1", ["avx2"]), ("17", ["avx2"]), ("17", ["avx2", "avx512f"]))]  # fmt: skip
    for number, kind in enumerate([*kinds, kinds[1]]):
        machine = MACHINE | {"cpu": "AMD EPYC", "gpus": [], "processor": kind}
        folder = write_run(tmp_path / str(number), entries(sizes=SIZES[:1], dtypes=["float64"]), machine=machine)
        stored = folder / "benchmark.json"
        stored.write_text(stored.read_text().replace("2025-03-01", f"2025-03-0{number + 1}"))
        publish(root, folder)
    homes = {home.name: len(list(home.iterdir())) for home in (root / "reports/published").iterdir()}
    name = "amd-epyc-family-25-model"
    assert homes == {f"{name}-1": 1, f"{name}-17": 2, f"{name}-17-2": 1}
    index = (root / "reports/README.md").read_text()
    assert index.count("## AMD EPYC (family 25, model 17)\n") == 2


def test_two_runs_of_one_day_and_commit_keep_a_folder_each(root, run, tmp_path):
    other = write_run(tmp_path / "other", entries(sizes=SIZES[:1], dtypes=["float64"]))
    stored = other / "benchmark.json"
    stored.write_text(stored.read_text().replace("2025-03-01T12", "2025-03-01T20"))
    for folder in (run, other, run):
        assert publish(root, folder) == 0
    places = sorted((root / "reports/published" / SLUG).iterdir())
    assert len(places) == 2
    assert len({(place / "benchmark.json").read_text() for place in places}) == 2


def test_a_repository_without_published_runs_says_so(root):
    (root / "README.md").write_text(README.format("table"))
    assert publish(root) == 0
    assert "No run has been published yet." in (root / "README.md").read_text()
    assert publish(root, "--check") == 0


@pytest.mark.parametrize("block", ["nonsense", "table@no-such-machine"])
def test_a_block_that_cannot_be_made_is_refused(root, run, block, capsys):
    (root / "README.md").write_text(README.format(block))
    assert publish(root, run) == 2
    assert block in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_refused(root, tmp_path, capsys):
    assert publish(root, tmp_path) == 2
    assert "does not exist" in capsys.readouterr().err
