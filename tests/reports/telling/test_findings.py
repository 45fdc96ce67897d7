"""The answer in words: what the model behind the synthetic runs must make it say."""

from __future__ import annotations

from stepreports import answer_lines
from stepreports.statistics.intervals import Estimate
from stepreports.statistics.runs import load_run
from stepreports.statistics.views import shares_of_limit, views
from stepreports.telling.doubts import circumstances
from stepreports.telling.findings import answer, headline, overtakings
from stepreports.telling.summary import winners
from stepreports.telling.tables import table
from synthetic_runs import READ_LIMIT, ROWS, SIZES, entries, entry, write_run

CPU_ROWS = [row for row in ROWS if row.device == "cpu"]
NUMPY = ROWS[1]


def run_of(folder, *benchmarks, **options):
    return load_run(write_run(folder, list(benchmarks), **options))


def test_the_headline_names_the_row_to_use_and_where_the_gpu_pays(tmp_path):
    assert headline(load_run(write_run(tmp_path))) == [
        "On the CPU, use `numba-fused-parallel` from 20,000 × 50 up, `numba-fused` below.",
        "From 20,000 × 50 up the GPU is faster: use `cupy-fused`.",
    ]


def test_the_headline_of_one_row_is_that_row(tmp_path):
    assert headline(run_of(tmp_path, entry(NUMPY, 1000, 20))) == ["On the CPU, use `numpy-blas` at 1,000 × 20."]


def test_a_row_that_nothing_beats_anywhere_is_the_answer_and_its_ties_are_named(tmp_path):
    """Alone at the top at the large size, not to be told from another at the small one."""
    twin = {"row": "numpy-twin", "technique": "twin"}
    small = [entry(NUMPY, 1000, 20, noise=0.05), entry(NUMPY, 1000, 20, noise=0.05, seed=1, **twin)]
    large = [entry(NUMPY, 20_000, 50), entry(NUMPY, 20_000, 50, slowdown=0.5, **twin)]
    told = headline(run_of(tmp_path, *small, *large))
    assert told == ["On the CPU, use `numpy-twin`: the fastest at 20,000 × 50, tied with `numpy-blas` below."]


def test_the_headline_names_its_dtype_where_another_has_another_answer(tmp_path):
    def told(twin_in_float32):
        twin = {"row": "numpy-twin", "technique": "twin"}
        pairs = [("float64", 0.5), ("float32", twin_in_float32)]
        rows = [(entry(NUMPY, 1000, 20, dtype=dtype), entry(NUMPY, 1000, 20, dtype=dtype, slowdown=slowdown, **twin))
                for dtype, slowdown in pairs]  # fmt: skip
        return headline(run_of(tmp_path, *(each for pair in rows for each in pair)))

    assert told(0.5) == ["On the CPU, use `numpy-twin` at 1,000 × 20."]
    assert told(2.0) == ["On the CPU in float64, use `numpy-twin` at 1,000 × 20."]


def test_a_gpu_that_does_not_pay_is_said_not_to(tmp_path):
    found = headline(run_of(tmp_path, entry(NUMPY, 1000, 20), entry(ROWS[-2], 1000, 20)))
    assert found[1] == "The GPU does not pay at any size timed."


def test_each_claim_carries_its_interval(tmp_path):
    claims = answer(load_run(write_run(tmp_path)))
    assert all("[" in claim for claim in claims[:-1])
    assert "of the measured limit" in claims[0]
    assert "if the data must be copied first, after" in claims[3]
    assert "99 % intervals" in claims[-1]


def test_rows_that_cannot_be_told_apart_are_named_together(tmp_path):
    twin = {"row": "numpy-twin", "technique": "twin"}
    found = run_of(tmp_path, entry(NUMPY, 1000, 20, noise=0.05), entry(NUMPY, 1000, 20, noise=0.05, seed=1, **twin))
    assert "cannot be told apart" in answer(found)[0]
    assert "or `numpy" in headline(found)[0]


def test_speed_ups_over_the_loop_stop_where_the_loop_stopped(tmp_path):
    claims = answer(load_run(write_run(tmp_path)))
    assert any("At 20,000 × 50, the largest size that `python-loop` ran" in claim for claim in claims)
    for line in winners(load_run(tmp_path)):
        assert (line["over python-loop"] == "–") == (line["size"] in {"100,000 × 100", "1,000,000 × 20"})


def test_a_single_turn_tells_nothing(tmp_path):
    rows = [entry(row, 1000, 20, generations=1, turns=1) for row in CPU_ROWS]
    claims = answer(run_of(tmp_path, *rows))
    assert "cannot be told apart" in claims[0]
    assert "Too few turns for an interval" in claims[-1]


def test_a_quick_run_does_not_claim_the_confidence_of_a_long_one(tmp_path):
    quick = entries(rows=CPU_ROWS, sizes=SIZES[:3], dtypes=["float64"], generations=1)
    assert "97 % intervals" in answer(load_run(write_run(tmp_path, quick)))[-1]


def test_an_interval_of_few_processes_says_whose_it_is(tmp_path):
    def told(generations):
        rows = [entry(row, 1000, 20, generations=generations) for row in CPU_ROWS]
        return answer(run_of(tmp_path, *rows))[-1]

    assert "intervals of 1 process a row, not of their like (" in told(1)
    assert "intervals of 2 processes a row, not of their like (" in told(2)
    assert "intervals of 3 processes a row (" in told(3)


def test_overtaking_happens_between_two_measured_sizes(tmp_path):
    run = load_run(write_run(tmp_path, entries(rows=CPU_ROWS)))
    assert overtakings(views(run)[0]) == [
        "`numba-fused-parallel` overtakes `numba-fused` between 1,000 × 20 and 20,000 × 50."
    ]


def test_the_terminal_gets_sentences_and_lines_with_equal_keys(tmp_path):
    write_run(tmp_path)
    assert answer_lines(tmp_path)
    assert len({tuple(line) for line in winners(load_run(tmp_path))}) == 1


def test_the_share_of_the_limit_is_the_ratio_within_turns_wherever_it_is_told(tmp_path):
    """Two modes of the memory in different turns: their medians divided would say 1, the turns say 1/2."""
    row, limit = entry(NUMPY, 1000, 20), entry(READ_LIMIT, 1000, 20)
    limit["stats"]["data"] = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 2.0]
    row["stats"]["data"] = [2 * seconds for seconds in limit["stats"]["data"]]
    row["extra_info"]["limit_seconds"] = 2.0
    run = run_of(tmp_path, row, limit)
    (share, of_itself) = shares_of_limit(run, run.records)
    assert share == Estimate(0.5, 0.5, 0.5)
    assert of_itself is None
    assert "50 % [50, 50] of the measured limit" in answer(run)[0]
    assert winners(run)[0]["of the limit"] == "50 % [50, 50]"
    assert table(run)["share_of_limit"] == [share.value, None]


def test_company_on_the_machine_and_a_resumption_under_other_versions_are_said(tmp_path):
    undisturbed = answer(load_run(write_run(tmp_path)))
    assert circumstances({}) == circumstances({"other_runs": 0, "resumed_anyway": []}) == []
    assert circumstances({"other_runs": None, "resumed_anyway": None}) == []
    (company,) = circumstances({"other_runs": 1})
    assert company.startswith("1 other run timed on this machine at the same time")
    (anyway,) = circumstances({"resumed_anyway": ["numpy was 2.0 and is 2.1"]})
    assert anyway.endswith("begun otherwise: numpy was 2.0 and is 2.1.")
    assert not {company, anyway} & set(undisturbed)
