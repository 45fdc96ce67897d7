"""The history of stored runs: order, levels and page; machines may change between, and what says nothing is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stepreports.history.history_report import write_history
from stepreports.history.timeline import Settings, history_of
from stepreports.records.files import RecordError
from synthetic_runs import MACHINE, ROWS, entry, write_run

ELSEWHERE = MACHINE | {"cpu": "Another 7000 64-Core Processor"}


def name_of(number):
    return f"{number:040x}"


def version(label, number, subject="does something"):
    return {"label": label, "told": f"commit {number}", "commit": name_of(number), "subject": subject,
            "committed": f"2025-03-01T{number:02}:00:00+00:00", "ancestors": number}  # fmt: skip


@pytest.fixture
def compared(tmp_path):
    """A comparison of two commits by their numbers, the second so many times as slow."""

    def write(base, head, slow, machine=MACHINE, speed=1.0, faults=(), versions=None):
        names = ["numba-fused@base", "numba-fused@head"]
        rows = [replace(ROWS[3], name=name) for name in names]
        run_id = f"{base}-{head}-{machine['cpu'].split()[0]}"
        entries = [
            entry(row, 1000, 20, slowdown=speed * times, generations=3, seed=head, run_id=run_id)
            for row, times in zip(rows, (1.0, slow), strict=True)
        ]
        folder = write_run(tmp_path / run_id, entries, failures=(), run_id=run_id, machine=machine)
        told = {"versions": versions or [version("base", base), version("head", head)], "faults": list(faults),
                "cases": [dict(zip(("base_row", "other_row"), names, strict=True))]}  # fmt: skip
        (folder / "comparison.json").write_text(json.dumps(told))
        return folder

    return write


def levels_of(folders, **settings):
    (chain,) = history_of(folders, Settings(**settings)).chains
    return {int(commit.name, 16): chain.levels.ratio(place).value for place, commit in enumerate(chain.commits)}


def test_ratios_to_one_commit_are_levels_in_the_order_of_commits(compared):
    folders = [compared(1, head, slow) for head, slow in ((3, 1.3), (2, 0.9))]
    found = levels_of(folders)
    assert list(found) == [1, 2, 3]
    assert found == pytest.approx({1: 1.0, 2: 0.9, 3: 1.3}, rel=0.02)


def test_a_chain_is_multiplied_and_its_errors_add_up(compared):
    found = history_of([compared(1, 2, 1.2), compared(2, 3, 1.1)], Settings())
    (chain,) = found.chains
    assert chain.levels.ratio(2).value == pytest.approx(1.32, rel=0.03)
    assert chain.levels.ratio(2).half_width > max(chain.levels.ratio(1).half_width, chain.levels.ratio(2, 1).half_width)


def test_a_machine_of_another_speed_gives_the_same_levels(compared):
    fast = levels_of([compared(1, 2, 1.25)])
    slow = levels_of([compared(1, 2, 1.25, ELSEWHERE, speed=3.0)])
    assert slow == pytest.approx(fast, rel=0.02)
    mixed = history_of([compared(1, 3, 1.5), compared(1, 4, 1.5, ELSEWHERE, speed=3.0)], Settings())
    assert len(mixed.machines) == 2
    assert mixed.chains[0].levels.ratio(2, 1).value == pytest.approx(1.0, abs=0.03)


def test_runs_that_contradict_one_another_widen_the_interval(compared):
    alone = history_of([compared(1, 2, 1.2)], Settings()).chains[0].levels.ratio(1)
    torn = history_of([compared(1, 2, 1.2), compared(1, 2, 1.6, ELSEWHERE)], Settings()).chains[0].levels.ratio(1)
    assert 1.2 < torn.value < 1.6
    assert torn.half_width > 3 * alone.half_width


def run_of_commit(tmp_path, number, slow, machine=MACHINE, rows=(1, 3)):
    run_id = f"run-{number}-{machine['cpu'].split()[0]}"
    entries = [entry(ROWS[row], 1000, 20, slowdown=slow if row == 3 else 1.0, run_id=run_id) for row in rows]
    folder = write_run(tmp_path / run_id, entries, failures=(), run_id=run_id, machine=machine)
    stored = json.loads((folder / "benchmark.json").read_text())
    stored["commit_info"] = {"id": name_of(number), "dirty": False, "committed": f"2025-03-01T0{number}:00:00+00:00"}
    (folder / "benchmark.json").write_text(json.dumps(stored))
    return folder


def test_runs_of_single_commits_are_divided_by_the_reference_of_their_machine(tmp_path):
    found = levels_of([run_of_commit(tmp_path, number, slow) for number, slow in ((1, 1.0), (2, 1.0), (3, 1.4))])
    assert found == pytest.approx({1: 1.0, 2: 1.0, 3: 1.4}, rel=0.03)
    other = run_of_commit(tmp_path, 4, 1.4, ELSEWHERE)
    apart = history_of([run_of_commit(tmp_path, number, 1.0) for number in (1, 2)] + [other], Settings())
    assert [len(chain.commits) for chain in apart.chains] == [2], "what numba gains over NumPy is another machine's own"


def test_what_says_nothing_of_two_commits_is_told(compared, tmp_path):
    files = [{"label": "base", "told": "a.py"}, {"label": "head", "told": "b.py"}]
    found = history_of([compared(1, 2, 1.1), compared(1, 9, 1.0, versions=files)], Settings())
    assert [line for line in found.left_out if "compares no two commits" in line]
    with pytest.raises(RecordError, match=r"compare no two commits.*stepbench compare --each"):
        history_of([compared(1, 9, 1.0, versions=files)], Settings())
    with pytest.raises(RecordError, match="given twice"):
        history_of([compared(1, 2, 1.1)] * 2, Settings())
    without = history_of([run_of_commit(tmp_path, 1, 1.0), run_of_commit(tmp_path, 2, 1.0),
                          run_of_commit(tmp_path, 3, 1.0, rows=(3,))], Settings())  # fmt: skip
    assert [line for line in without.left_out if "no row 'numpy-blas'" in line]


def test_a_damaged_comparison_is_a_sentence(compared):
    folder = compared(1, 2, 1.0)
    (folder / "comparison.json").write_text('{"versions": [{"label": 3}], "cases": []}')
    with pytest.raises(RecordError, match=r"comparison\.json, versions\[0\]\.label, cannot be read: 3"):
        history_of([folder], Settings())


def test_the_report_tells_changes_faults_and_every_commit(compared, tmp_path):
    pytest.importorskip("ruptures")
    folders = [compared(1, head, 1.0 if head < 9 else 1.2) for head in range(2, 17)]
    torn = compared(1, 17, 1.2, faults=["numba-fused@head failed: gw disagrees <b>|"])
    found, page = write_history([*folders, torn], tmp_path / "out", Settings())
    (chain,) = found.chains
    assert [chain.commits[change.place].name for change in chain.changes] == [name_of(9)]
    written = page.read_text("utf-8")
    assert "became slower with <code>0000000000</code> (does something)" in written
    assert "gw disagrees &lt;b&gt;|" in written
    assert written.count("<figure") == 1
    summary = (tmp_path / "out" / "history.md").read_text("utf-8")
    assert summary.startswith("### 1 change over 17 commits")
    told = json.loads((tmp_path / "out" / "history.json").read_text())
    assert [each["commit"] for each in told["commits"]] == [name_of(number) for number in range(1, 18)]
    (change,) = told["chains"][0]["changes"]
    assert change["commit"] == name_of(9)
    assert change["ratio_low"] < 1.2 < change["ratio_high"]
