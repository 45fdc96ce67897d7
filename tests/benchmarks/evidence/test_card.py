"""Everything that a card has to show: what is asked of which row, what becomes of it, and a rehearsal."""

import sys
import tarfile

import pytest

from stepbench.checking.cuda import sanitizer
from stepbench.evidence import card
from stepbench.evidence.card import CUDA_ROWS, Task, carried_out, checks


def a_task(script):
    return Task(name="check-some-row", command=[sys.executable, "-c", script], variables={})


def test_every_row_is_checked_and_its_raw_kernels_are_sanitized(monkeypatch, tmp_path):
    monkeypatch.setattr(card, "missing_sanitizer", lambda: None)
    named = [task.name for task in checks(CUDA_ROWS, tmp_path)]
    assert {f"check-{row}" for row in CUDA_ROWS} < set(named)
    assert sorted(set(named) - {f"check-{row}" for row in CUDA_ROWS}) == [
        "memcheck-cupy-fused", "memcheck-numba-cuda-fused", "memcheck-triton-fused",
        "racecheck-cupy-fused", "racecheck-numba-cuda-fused",
    ]  # fmt: skip
    folders = [value for task in checks(CUDA_ROWS, tmp_path) for value in task.variables.values()]
    assert len(set(folders)) == len(folders)


def test_without_the_sanitizer_rows_are_checked_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(card, "missing_sanitizer", lambda: f"{sanitizer.SANITIZER} is not on PATH")
    assert [task.name for task in checks(["cupy-fused"], tmp_path)] == ["check-cupy-fused"]


@pytest.mark.parametrize(
    ("script", "limit", "told"),
    [
        ("print('some-row: agrees'); print('Seed 3')", 30, "check-some-row: done (0 s)  some-row: agrees"),
        ("print('no verdict'); raise SystemExit(3)", 30, "check-some-row: FAILED, exit status 3 (0 s)  no verdict"),
        ("import time; time.sleep(60)", 0.5, "check-some-row: not over in time ("),
    ],
)
def test_what_became_of_a_task_is_told_and_kept(capsys, tmp_path, script, limit, told):
    outcome = carried_out(a_task(script), tmp_path, limit)
    assert capsys.readouterr().out.startswith(told)
    assert str(outcome).startswith(told)
    assert (tmp_path / "check-some-row.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rows", "no-such-row"], "there is no row called no-such-row"),
        (["--minutes", "0.5"], "--minutes must be at least 1"),
        (["--minutes", "nan"], "--minutes must be at least 1"),
    ],
)
def test_bad_arguments_are_sentences(capsys, tmp_path, arguments, sentence):
    with pytest.raises(SystemExit):
        card.main(["--out", str(tmp_path / "out"), *arguments])
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_is_left_alone(capsys, tmp_path):
    with pytest.raises(SystemExit):
        card.main(["--out", str(tmp_path)])
    assert "exists; name a new folder" in capsys.readouterr().err


@pytest.mark.slow
def test_a_rehearsal_packs_a_run(tmp_path):
    out = tmp_path / "out"
    assert card.main(["--out", str(out), "--rehearse", "--rows", "numpy-blas", "--minutes", "4"]) == 0
    with tarfile.open(f"{out}.tar.gz") as packed:
        names = packed.getnames()
    assert {"./check-numpy-blas.txt", "./doctor.txt", "./run.txt", "./run/benchmark.json", "./run/summary.md"} <= set(
        names
    )
