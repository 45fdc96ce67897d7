"""The only reader of stored runs: what it makes of one, and the sentence for whatever is not one."""

from __future__ import annotations

import json
import math

import pytest

from stepreports.records.files import RecordError
from stepreports.records.journal import SCHEMA
from stepreports.records.reader import read_run
from synthetic_runs import ROWS, entry, write_run

NUMPY = ROWS[1]


def test_rounds_are_told_by_their_turn_in_whatever_order_they_were_stored(tmp_path):
    benchmark = entry(NUMPY, 1000, 20, generation=[1, 0, 0, 0], turn=[0, 2, 0, 1])
    benchmark["stats"]["data"] = [5.0, 3.0, 1.0, 2.0]
    (record,) = read_run(write_run(tmp_path, [benchmark])).records
    assert record.turns == {(0, 0): 1.0, (0, 1): 2.0, (0, 2): 3.0, (1, 0): 5.0}
    assert record.rounds == 4


def test_two_rounds_of_one_turn_are_refused(tmp_path):
    benchmark = entry(NUMPY, 1000, 20, generation=[0, 0], turn=[3, 3])
    benchmark["stats"]["data"] = [1.0, 2.0]
    with pytest.raises(RecordError, match="two of its rounds are of one turn"):
        read_run(write_run(tmp_path, [benchmark]))


def test_the_time_of_a_train_is_the_time_of_one_of_its_steps(tmp_path):
    step, train = entry(NUMPY, 1000, 20, noise=0), entry(NUMPY, 1000, 20, op="train", steps=100, noise=0)
    one, many = read_run(write_run(tmp_path, [step, train])).records
    assert list(many.turns.values()) == pytest.approx(list(one.turns.values()))


def test_a_run_of_failures_only_is_a_run(tmp_path):
    run = read_run(write_run(tmp_path, []))
    assert run.records == []
    assert [failure.row for failure in run.failures] == ["python-loop", "jax-jit-cuda", "triton-fused"]


def without(key):
    benchmark = entry(NUMPY, 1000, 20)
    del benchmark["extra_info"][key]
    return [benchmark]


@pytest.mark.parametrize(
    ("benchmarks", "said"),
    [
        (without("schema"), "names no schema"),
        (without("technique"), "has no 'technique'"),
        ([entry(NUMPY, 1000, 20, schema=SCHEMA - 1)], "run the benchmark again"),
        ([entry(NUMPY, 1000, 20, schema=SCHEMA + 1)], "update stepbench"),
        ([entry(NUMPY, 1000, 20, turn=[0])], "cannot be read"),
        ([entry(NUMPY, 1000, 20) | {"stats": {"data": []}}], "no rounds"),
        ([entry(NUMPY, 1000, 20) | {"stats": {"data": [0.0] * 12}}], "took 0.0 seconds"),
        ([entry(NUMPY, 1000, 20) | {"stats": {"data": ["1.0"] * 12}}], "cannot be read"),
        ([entry(NUMPY, 1000, 20) | {"stats": {"data": [math.nan] * 12}}], "not whole JSON"),
        ([entry(NUMPY, 1000, 20) | {"extra_info": None}], "has no 'extra_info'"),
        (["a string"], "is a str, not a record"),
        ([entry(NUMPY, 1000, 20, library=["numpy"])], "cannot be read"),
        ([entry(NUMPY, 1000, 20, optimizer=None)], "None is no str"),
        ([entry(NUMPY, 1000, 20, threads=0)], "its case is"),
        ([entry(NUMPY, 1000, 20, technique=7)], "7 is no str"),
        ([entry(NUMPY, 1000, 20, flops="many")], "'many' is no int"),
        ([entry(NUMPY, 1000, 20, bind_seconds=["x"])], "cannot be read"),
        ([entry(NUMPY, 1000, 20, agreement=[0.1])], "cannot be read"),
        ([entry(NUMPY, 1000, 20) | {"extra_info": {"schema": SCHEMA}, "stats": {}}], "is not complete"),
    ],
)
def test_records_that_are_not_ours_get_a_sentence(tmp_path, benchmarks, said):
    with pytest.raises(RecordError, match=said):
        read_run(write_run(tmp_path, benchmarks))


def test_a_file_cut_off_anywhere_gets_a_sentence(tmp_path):
    whole = (write_run(tmp_path, [entry(NUMPY, 1000, 20)]) / "benchmark.json").read_text()
    for cut in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "benchmark.json").write_text(whole[:cut])
        with pytest.raises(RecordError, match="not whole JSON"):
            read_run(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "holds a list"),
        ("{}", "has no 'benchmarks'"),
        ('{"benchmarks": 3}', "has no 'benchmarks'"),
        ('{"benchmarks": [], "machine_info": [1]}', "has no 'machine_info'"),
        ("\x00\x01", "not whole JSON"),
    ],
)
def test_another_file_gets_a_sentence(tmp_path, content, said):
    write_run(tmp_path, [])
    (tmp_path / "benchmark.json").write_text(content)
    with pytest.raises(RecordError, match=said):
        read_run(tmp_path)


@pytest.mark.parametrize("name", ["benchmark.json", "failures.json"])
def test_a_folder_without_its_files_gets_a_sentence(tmp_path, name):
    (write_run(tmp_path, []) / name).unlink()
    with pytest.raises(RecordError, match=f"{name} does not exist"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("schema", "failure", "said"),
    [
        (SCHEMA, {"row": "numpy-blas"}, "'kind'"),
        (SCHEMA - 1, {"row": "numpy-blas"}, f"schema {SCHEMA - 1}"),
        (SCHEMA, {"row": "numpy-blas", "kind": "crash", "skipped": False, "reason": None}, "None is no str"),
    ],
    ids=["cut short", "an older schema", "no reason"],
)
def test_failures_that_cannot_be_read_get_a_sentence(tmp_path, schema, failure, said):
    write_run(tmp_path, [])
    stored = {"schema": schema, "run_id": "x", "failures": [failure]}
    (tmp_path / "failures.json").write_text(json.dumps(stored))
    with pytest.raises(RecordError, match=said):
        read_run(tmp_path)
