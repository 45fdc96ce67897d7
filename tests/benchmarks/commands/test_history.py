"""history: which runs it takes, where its files go, and what it says of those that make no history."""

import json

import pytest

from runs import stepbench
from stepbench.commands.history import runs_below
from stepkernels.problem import ProblemError
from synthetic_runs import ROWS, entry, write_run


def run_of_commit(folder, number, run_id):
    rows = [entry(row, 1000, 20, run_id=run_id) for row in ROWS[1:4:2]]
    write_run(folder, rows, failures=(), run_id=run_id)
    stored = json.loads((folder / "benchmark.json").read_text())
    stored["commit_info"] = {"id": f"{number:040x}", "dirty": False, "committed": f"2025-03-01T0{number}:00:00+00:00"}
    (folder / "benchmark.json").write_text(json.dumps(stored))
    return folder


def test_a_folder_of_runs_stands_for_those_in_it_and_in_the_folders_of_ranges(tmp_path):
    first, second = (run_of_commit(tmp_path / "runs" / name, 1, name) for name in ("a", "b"))
    (tmp_path / "runs" / "notes.txt").write_text("")
    assert runs_below([tmp_path / "runs"]) == [first, second]
    assert runs_below([second, tmp_path / "runs"]) == [second, first]
    third = run_of_commit(tmp_path / "runs" / "each-0123456789" / "c", 1, "c")
    assert set(runs_below([tmp_path / "runs"])) == {first, second, third}


def test_where_there_is_no_run_a_sentence_says_how_to_make_one(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ProblemError, match=r"There is no run in .*stepbench compare --each A\.\.B"):
            runs_below([place])


def test_the_page_the_summary_and_the_json_are_written_where_asked(tmp_path):
    runs = [run_of_commit(tmp_path / str(number), number, f"run-{number}") for number in (1, 2)]
    out, stored, summary = tmp_path / "out", tmp_path / "history.json", tmp_path / "pr.md"
    finished = stepbench("history", *runs, "--out", out, "--json", stored, "--markdown", summary)
    assert finished.returncode == 0, finished.stderr
    assert "2 commits, too few to find a change among." in finished.stdout
    assert "numba-fused takes 1." in finished.stdout
    assert "1 chain of 1 has fewer commits" in finished.stdout
    assert {path.name for path in out.iterdir()} == {"history.html", "history.md", "history.json"}
    assert json.loads(stored.read_text())["chains"][0]["row"] == "numba-fused"
    assert "| `numba-fused` |" in summary.read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--least-change", "0"], "more than 0 %"),
        (["--least-commits", "1"], "--least-commits"),
        (["--out", " "], "needs a folder"),
        (["--reference", "python-loop"], "compare no two commits"),
    ],
)
def test_bad_usage_is_a_sentence_and_writes_nothing(tmp_path, arguments, sentence):
    run = run_of_commit(tmp_path / "run", 1, "run")
    finished = stepbench("history", run, "--out", tmp_path / "out", *arguments)
    assert finished.returncode == 2
    assert sentence in " ".join(finished.stderr.split())
    assert not (tmp_path / "out").exists()
