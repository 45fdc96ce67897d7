"""Ranks beside one process: what follows from made-up turns, in numbers, words and on the page."""

import json
import math

import pytest

from stepreports.comparison.scaling_report import scale_told
from stepreports.comparison.scaling_report.scale_figures import apart, case_figure
from stepreports.comparison.scaling_report.scale_page import write_scale
from stepreports.comparison.scaling_report.scale_records import Failed, Parts, ScaleRecord, Timed, read_record
from stepreports.comparison.scaling_report.scaled import composition_of, scaled
from stepreports.records.files import RecordError
from stepreports.statistics.intervals import Verdict

M, N, DTYPE = 100_000, 100, "float64"
GENERATIONS, TURNS = 3, 8


def timed(row, seconds, *, ranks=None, threads=1, replica=0, shares=1, m=M):
    """Turns that differ by a little, alike for all, so that a ratio is exactly what it is made to be."""
    turns = [
        (generation, turn, seconds * (1 + 0.01 * generation + 0.003 * turn))
        for generation in range(GENERATIONS)
        for turn in range(TURNS)
    ]
    return Timed(
        row=row, replica=replica, ranks=ranks, threads=ranks or threads, shares=shares, m=m, n=N, dtype=DTYPE,
        turns=turns,
    )  # fmt: skip


def parts(ranks, *, step, slowest, reading, link, m=M):
    def rounds(value):
        return [[value * (1 + 0.001 * k) for k in range(6)] for _ in range(4)]

    return Parts(
        ranks=ranks, m=m, n=N, dtype=DTYPE,
        step_seconds=rounds(step), slowest_seconds=rounds(slowest), middle_seconds=rounds(0.8 * slowest),
        reading_seconds=rounds(reading), link_seconds=rounds(link),
    )  # fmt: skip


def record(groups, *, weak=False, processors=2, one_thread=10e-3, made_of=(), failed=()):
    """Ranks by their seconds beside two single processes, of 10 ms in one thread and 6 ms in all."""
    singles = [
        timed("numba-fused", one_thread),
        timed("numba-fused-parallel", 6e-3, threads=processors),
        timed("numba-fused-parallel", 6.06e-3, threads=processors, replica=1),
    ]
    ranked = [timed(f"torch-distributed-cpu@{ranks}", seconds, ranks=ranks) for ranks, seconds in groups.items()]
    return ScaleRecord(
        row="numba-fused", weak=weak, ranks=list(groups), processors=processors, hosts=1, machine={"cpu": "Made up"},
        timed=[*singles, *ranked], parts=list(made_of), failed=list(failed),
    )  # fmt: skip


def only_case(found):
    (case,) = found.cases
    return case


def test_everything_is_held_to_the_best_single_process_not_to_one_rank():
    case = only_case(scaled(record({1: 10.5e-3, 2: 12e-3, 4: 3e-3})))
    assert case.best == "numba-fused-parallel"
    gains = {point.ranks: point.gain.value for point in case.points}
    assert gains == pytest.approx({1: 6 / 10.5, 2: 0.5, 4: 2.0})
    assert {point.ranks: point.over_one.value for point in case.points}[2] == pytest.approx(10.5 / 12)


def test_the_efficiency_is_a_gain_for_each_processor():
    """One rank has one of two processors; four ranks have no more than the two there are."""
    case = only_case(scaled(record({1: 12e-3, 2: 6e-3, 4: 6e-3})))
    assert [point.efficiency.value for point in case.points] == pytest.approx([1.0, 1.0, 1.0])


@pytest.mark.parametrize("one_thread", [4e-3, 6.03e-3], ids=["faster", "not to be told apart"])
def test_the_efficiency_counts_the_threads_that_the_best_single_process_has(one_thread):
    """Of sixteen processors a row of one thread uses one: ranks that take twice as long are half as efficient."""
    case = only_case(scaled(record({1: 8e-3, 4: one_thread}, processors=16, one_thread=one_thread)))
    assert (case.best, case.best_threads) == ("numba-fused", 1)
    assert [point.efficiency.value for point in case.points] == pytest.approx([one_thread / 8e-3, 0.25])
    assert "`numba-fused` in one process of 1 thread" in scale_told.cost(case)


def test_it_pays_from_the_fewest_ranks_that_are_faster_beyond_doubt():
    assert only_case(scaled(record({1: 12e-3, 2: 6.05e-3, 4: 3e-3, 8: 2e-3}))).pays_from == 4
    assert only_case(scaled(record({1: 12e-3, 2: 6.05e-3}))).pays_from is None


def test_what_lies_within_what_a_process_differs_from_itself_by_is_no_difference():
    """The copies lie 1 % apart; 0.8 % is the same, 3 % is slower."""
    case = only_case(scaled(record({1: 6.05e-3, 2: 6.2e-3})))
    assert case.margin == pytest.approx(0.01)
    assert [point.verdict for point in case.points] == [Verdict.SAME, Verdict.SLOWER]


def test_a_step_is_made_of_computing_and_waiting():
    made_of = parts(2, step=4e-3, slowest=3e-3, reading=2.5e-3, link=0.5e-3)
    (point,) = only_case(scaled(record({2: 4e-3}, made_of=[made_of]))).points
    assert point.parts.exposed.value == pytest.approx(0.25, rel=1e-3)
    assert point.parts.straggler.value == pytest.approx(1.25)
    assert point.parts.model == pytest.approx(3e-3, rel=1e-2)
    assert point.received == 8 * (N + 2)


def test_rounds_of_one_process_do_not_pass_as_processes():
    """Four rounds that lie far apart: as generations they would have an interval of Student's t."""
    apart = parts(2, step=8e-3, slowest=4e-3, reading=3e-3, link=1e-3)
    apart.reading_seconds = [[seconds] * 6 for seconds in (1e-3, 2e-3, 4e-3, 8e-3)]
    reading = composition_of(apart).reading
    assert 1e-3 <= reading.low <= reading.high <= 8e-3
    assert "rounds of one process" in " ".join(scale_told.how(scaled(record({2: 8e-3}, made_of=[apart]))))


def test_the_model_predicts_every_number_of_ranks_until_what_they_say_takes_longer():
    """A share is read in less time as it is smaller, and the link takes as long for each further rank."""
    made_of = parts(2, step=7.1e-3, slowest=7e-3, reading=7e-3, link=1e-4)
    case = only_case(scaled(record({2: 7.1e-3}, made_of=[made_of])))
    times = {each.ranks: each.seconds for each in case.predicted}
    assert times[4] == pytest.approx(3.5e-3 + 3e-4, rel=3e-2)
    assert times[8] == pytest.approx(1.75e-3 + 7e-4, rel=3e-2)
    assert list(times) == list(range(3, max(times) + 1))
    assert list(times.values()) == sorted(times.values(), reverse=True)
    assert max(times) == pytest.approx((14e-3 / 1e-4) ** 0.5, abs=1)
    assert case.predicted_to_pay_from == 3
    assert "A prediction: 3 would" in scale_told.cost(case)
    assert [each.ranks for each in case.marked] == [3, 4, 8, max(times)]


def test_a_number_of_ranks_between_two_doublings_may_be_the_only_one_that_pays():
    """Three: with four, what they tell one another takes as much longer as reading takes less."""
    made_of = parts(2, step=6.25e-3, slowest=5e-3, reading=5e-3, link=1.25e-3)
    case = only_case(scaled(record({2: 6.25e-3}, made_of=[made_of])))
    assert [each.ranks for each in case.predicted] == [3]
    assert case.predicted_to_pay_from == 3


def test_a_prediction_starts_at_the_step_that_was_measured():
    """Which takes twice as long as the model says, and so do the predictions."""
    made_of = parts(2, step=14.2e-3, slowest=14e-3, reading=7e-3, link=1e-4)
    model, twice = (
        only_case(scaled(record({2: seconds}, made_of=[made_of]))).predicted for seconds in (7.1e-3, 14.2e-3)
    )
    assert [each.seconds for each in twice] == pytest.approx([2 * each.seconds for each in model])


def test_what_is_predicted_to_be_no_faster_than_the_margin_does_not_pay():
    """Three ranks at 5.95 ms beside one process of 6 ms, which is 1 % from itself."""
    made_of = parts(2, step=6.25e-3, slowest=5e-3, reading=5e-3, link=1.25e-3)
    case = only_case(scaled(record({2: 6.25e-3 * 5.95 / 5.8333}, made_of=[made_of])))
    assert case.predicted[0].seconds / case.best_seconds.value == pytest.approx(5.95 / 6, rel=1e-3)
    assert case.predicted_to_pay_from is None


def test_more_ranks_than_processors_are_no_base_of_a_prediction():
    made_of = [parts(4, step=8e-3, slowest=7e-3, reading=7e-3, link=1e-4)]
    assert only_case(scaled(record({1: 9e-3, 4: 8e-3}, made_of=made_of))).predicted == []


def test_where_talking_takes_longer_than_reading_more_ranks_never_pay():
    made_of = parts(2, step=60e-3, slowest=3e-3, reading=3e-3, link=57e-3)
    case = only_case(scaled(record({2: 60e-3}, made_of=[made_of])))
    assert case.predicted_to_pay_from is None
    assert "By the model no number of ranks up to 1,024 would." in scale_told.cost(case)


def test_the_fastest_number_of_ranks_is_within_the_figure():
    """Nine, which is not written below the axis."""
    made_of = parts(2, step=7.1e-3, slowest=7e-3, reading=7e-3, link=1.7e-4)
    case = only_case(scaled(record({2: 7.1e-3}, made_of=[made_of])))
    (axes,) = case_figure(case).axes
    assert axes.get_xlim()[1] > case.predicted[-1].ranks > axes.get_xticks()[-1]


def test_numbers_of_ranks_below_the_axis_are_not_written_into_one_another():
    assert apart([1, 2, 3], [4, 8, 16, 32, 37]) == [1, 2, 3, 4, 8, 16, 32]


def weak_record():
    one = [timed("numba-fused", 10e-3), timed("numba-fused-parallel", 6e-3, threads=2), timed("t@1", 11e-3, ranks=1)]
    two = [
        timed("numba-fused", 20e-3, shares=2, m=2 * M),
        timed("numba-fused-parallel", 12e-3, threads=2, shares=2, m=2 * M),
        timed("t@1", 22e-3, ranks=1, shares=2, m=2 * M),
        timed("t@2", 12.5e-3, ranks=2, shares=2, m=2 * M),
    ]
    return ScaleRecord(
        row="numba-fused", weak=True, ranks=[1, 2], processors=2, hosts=1, machine={}, timed=[*one, *two]
    )


def test_weak_scaling_leads_with_the_best_single_process_and_tells_one_share_as_what_it_is():
    ((one, two),) = scaled(weak_record()).series
    assert (one.ranks, two.ranks) == (1, 2)
    assert two.point.efficiency.value == pytest.approx(12 / 12.5)
    assert two.one_share.value == pytest.approx(11 / 12.5)
    assert two.point.over_one.value == pytest.approx(22 / 12.5)
    assert two.case.threads.value == pytest.approx(20 / 12)
    (line,) = scale_told.answers(scaled(weak_record()))
    assert "a share each: 96 % [96, 96] efficient beside `numba-fused-parallel` in one process of 2 threads" in line
    assert "One share on one rank takes 88 % [" in line
    assert "ranks gain 1.76×" in line
    explained = " ".join(scale_told.how(scaled(weak_record())))
    assert "the efficiency is the gain over it" in explained
    assert "One share takes: the time of one share on one rank, of this" in explained


def test_weak_scaling_without_one_share_still_has_a_line_a_case():
    """One rank failed, at every size."""
    made = weak_record()
    made.timed = [each for each in made.timed if each.ranks != 1]
    found = scaled(made)
    ((two,),) = found.series
    assert (two.ranks, two.one_share, two.point.over_one) == (2, None, None)
    (line,) = scale_told.answers(found)
    assert "96 % [96, 96] efficient" in line
    assert "One share on one rank was not timed." in line
    assert scale_told.lines_of_series([two])[0]["one share takes"] == "–"


def test_a_case_without_a_single_process_says_nothing():
    without = record({2: 4e-3})
    without.timed = [each for each in without.timed if each.ranks]
    assert scaled(without).cases == []


def test_what_failed_is_told_and_the_rest_stays(tmp_path):
    failed = [Failed(participant="torch-distributed-cpu@4", m=M, n=N, dtype=DTYPE, reason="it was lost")]
    found, page = write_scale(tmp_path, record({2: 4e-3}, failed=failed))
    assert [point.ranks for point in only_case(found).points] == [2]
    for told in (page.read_text(), (tmp_path / "scale.md").read_text()):
        assert "torch-distributed-cpu@4" in told
        assert "float64: it was lost." in told


@pytest.mark.parametrize("made", [record({1: 9e-3, 2: 5e-3}), weak_record()], ids=["strong", "weak"])
def test_a_page_a_summary_and_json_are_written_and_the_record_read_back(tmp_path, made):
    found, page = write_scale(tmp_path, made)
    assert read_record(tmp_path) == made
    assert "<svg" in page.read_text() or made.weak
    told = json.loads(json.dumps(scale_told.as_json(found), allow_nan=False))
    assert len(told["cases"]) == len(found.cases)
    assert scale_told.in_markdown(found) == (tmp_path / "scale.md").read_text()
    assert all(math.isfinite(point["seconds"]) for case in told["cases"] for point in case["ranks"])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"row": 3}', "\x00", "[" * 100_000])
def test_another_file_is_no_scaling(tmp_path, content):
    (tmp_path / "scale.json").write_text(content)
    with pytest.raises(RecordError, match=r"is no scaling that this version wrote"):
        read_record(tmp_path)
