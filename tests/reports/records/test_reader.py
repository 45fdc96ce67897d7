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


@pytest.mark.parametrize("name", ["generation", "turn"])
def test_lists_of_unequal_lengths_are_told_by_their_names(tmp_path, name):
    with pytest.raises(RecordError, match=f"it has 12 rounds in stats.data, and 1 in {name}"):
        read_run(write_run(tmp_path, [entry(NUMPY, 1000, 20, **{name: [0]})]))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"row": "x" * 3000}, r"extra_info\.row, cannot be read: .*3,002 characters\) is no str of length <= 255"),
        ({"op": "../up"}, r"extra_info\.op, cannot be read: '\.\./up' is no str of the expected form"),
        ({"device": "tpu"}, r"extra_info\.device, cannot be read: 'tpu' is no known value"),
        ({"passes_over_x": 0}, r"extra_info\.passes_over_x, cannot be read: 0 is no int >= 1"),
        ({"agreement": {"J": -1.0}}, r"extra_info\.agreement\[\.\.\.\], cannot be read: one of its values"),
        ({"m": 2**39, "n": 2**39}, "more than any machine holds"),
        ({"bind_seconds": [-1.0]}, r"extra_info\.bind_seconds\[0\], cannot be read"),
        ({"device_seconds": [1e308] * 12}, "took 1e.308 seconds .in device_seconds."),
        ({"generation": list(range(100)), "turn": [0] * 100}, "it has 100 generations"),
        ({"generation": [0] * 20_000, "turn": list(range(20_000))}, "it has 20,000 rounds"),
    ],
    ids=ascii,
)
def test_a_field_beyond_belief_is_named(tmp_path, changed, said):
    benchmark = entry(NUMPY, 1000, 20, **changed)
    rounds = max(12, len(benchmark["extra_info"]["turn"]))
    benchmark["stats"]["data"] = [1e-3] * rounds
    with pytest.raises(RecordError, match=said):
        read_run(write_run(tmp_path, [benchmark]))


@pytest.mark.parametrize(
    "machine",
    [
        {"cpu": 3}, {"gpus": 3}, {"gpus": [3]}, {"gpus": [{"model": []}]}, {"caches": []}, {"limits": "fast"},
        {"limits": {"read_gb_per_s": [[1, 2, 3]]}}, {"limits": {"read_gb_per_s": [[1, -2.0]]}},
        {"limits": {"fma_gflops": {"float64": 1e308}}}, {"limits": {"triad_gb_per_s": "x"}},
    ],
    ids=ascii,
)  # fmt: skip
def test_an_odd_machine_is_told_by_its_field(tmp_path, machine):
    with pytest.raises(RecordError, match=rf"benchmark\.json, machine_info, {next(iter(machine))}.*, cannot be read"):
        read_run(write_run(tmp_path, [], machine=machine))


def test_a_machine_nested_without_end_is_refused(tmp_path):
    nested = []
    for _ in range(500):
        nested = [nested]
    with pytest.raises(RecordError, match="more than 12 levels deep"):
        read_run(write_run(tmp_path, [], machine={"x": nested}))


def test_what_does_not_print_is_shown_by_its_escape(tmp_path):
    benchmark = entry(NUMPY, 1000, 20, row="a\nb\x1b", dataset="d\0", summary="two\nlines")
    failure = {"row": "r", "kind": "error", "skipped": False, "reason": "one\n  two\t\x1b[31m" + "x" * 9000}
    run = read_run(write_run(tmp_path, [benchmark], [failure]))
    assert (run.records[0].row.name, run.records[0].case.dataset) == (r"a\nb\x1b", r"d\x00")
    assert run.records[0].row.summary == "two lines"
    assert run.failures[0].reason.startswith(r"one two \x1b[31mxxx")
    assert len(run.failures[0].reason) < 1100


@pytest.mark.parametrize("state", [{"throttled": True}, {"before": None, "after": {"throttled": ["heat"]}}])
def test_a_throttled_device_is_known_before_and_after(tmp_path, state):
    first, second = read_run(
        write_run(tmp_path, [entry(NUMPY, 1000, 20, device_state=state), entry(NUMPY, 1000, 20)])
    ).records
    assert (first.throttled, second.throttled) == (True, False)


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
        ([entry(NUMPY, 1000, 20) | {"extra_info": None}], "extra_info, cannot be read: None is no object"),
        (["a string"], r"benchmarks\[0\] cannot be read: 'a string' is no object"),
        ([entry(NUMPY, 1000, 20, library=["numpy"])], "cannot be read"),
        ([entry(NUMPY, 1000, 20, optimizer=None)], "None is no str"),
        ([entry(NUMPY, 1000, 20, threads=0)], "extra_info.threads, cannot be read: 0 is no int >= 1"),
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
        ('{"benchmarks": 3}', "benchmarks, cannot be read: 3 is no array"),
        ('{"benchmarks": [], "machine_info": [1]}', "machine_info, cannot be read: .1. is no object"),
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
