"""The numbers of a run that the page tells: what a step costs, and the roofline over the measured limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stepbench.lesson import bandwidth as memory
from stepbench.lesson import (
    shown,
    step_costs,
)
from stepbench.lesson.lesson_page import lesson_page
from stepbench.lesson.wording import Wording, marked_up
from stepreports.statistics.intervals import LOUD_SPREAD, ratio
from stepreports.telling import text
from stepreports.telling.summary import alarms


def test_the_costs_are_the_runs(run):
    found = {cost.row: cost for cost in step_costs.costs(run)}
    assert tuple(found) == shown.ROWS
    assert step_costs.timed_case(run).m == shown.SIZE[0]
    for row, cost in found.items():
        record = run.cases[step_costs.timed_case(run)][row]
        assert cost.seconds == record.seconds.value
        assert cost.passes == record.passes_over_x


def test_the_page_has_one_factor_in_the_opening_and_in_the_table(run, pages):
    costs = step_costs.costs(run)
    fastest = max(costs, key=lambda cost: cost.gain)
    found = ratio(*(run.cases[step_costs.timed_case(run)][row].turns for row in (shown.ROWS[0], fastest.row)))
    assert fastest.speedup == text.significant(found.value)
    assert fastest.gain == max(cost.gain for cost in costs) > 1
    assert f"is {fastest.speedup} times as fast" in pages["en"]
    assert f" {fastest.speedup} 倍" in pages["zh"]
    for page in pages.values():
        assert f"<td>{fastest.speedup}×</td>" in page


def test_a_busy_machine_is_told_beside_the_numbers_as_the_report_tells_it(run, busy_run, pages):
    assert step_costs.alarm(step_costs.costs(run)) is None
    assert 'class="alarm"' not in pages["en"] + pages["zh"]
    found = step_costs.alarm(step_costs.costs(busy_run))
    assert alarms(busy_run)
    assert found.spread > found.bound == LOUD_SPREAD
    for language, words in (("en", "this machine was busy"), ("zh", "测量时这台机器很忙")):
        page = lesson_page(busy_run, language)
        assert page.count('class="alarm"') == 3
        assert words in page.split('id="costs"')[0].split('id="techniques"')[1]
        assert 'class="alarm"' in page.split('id="memory"')[1]  # the limits were measured on the same machine
        assert marked_up(text.percent(found.spread)) in page


def test_a_row_whose_time_is_not_believed_is_named_and_not_told(run):
    records = [replace(each, implausible=each.row.name == "numba-fused") for each in run.records]
    found = replace(run, records=records)
    assert step_costs.not_believed(run) == []
    assert step_costs.not_believed(found) == ["numba-fused"]
    for language, words in (
        ("en", 'Not in the table: <span class="glued"><code>numba-fused</code>'),
        ("zh", "表中没有 <code>numba-fused</code>"),
    ):
        page = lesson_page(found, language)
        assert words in page
        assert '<th scope="row">numba-fused</th>' not in page


@pytest.mark.parametrize(
    ("idle", "english", "chinese"),
    [
        (6.4, "could do 6.4 times", "大半闲置"),
        (1.5, "could do 1.5 times", "的 1.5 倍。"),
        (0.8, "held up by arithmetic", "先受限于运算"),
    ],
)
def test_the_words_on_the_roofline_fit_the_machine(run, idle, english, chinese):
    """On one with slow arithmetic nothing is idle, and no number may say that it is."""
    roof = replace(memory.roofline(run), idle=idle)
    told = {language: Wording(language, {"roof": roof}).plain("memory.roofline") for language in ("en", "zh")}
    assert english in told["en"]
    assert chinese in told["zh"]
    assert ("mostly idle" in told["en"]) == ("大半闲置" in told["zh"]) == (idle >= 2)
    assert ("to the left of that" in told["en"]) == ("在交点左侧" in told["zh"]) == (idle > 1)


def test_the_roofline_is_flops_over_bytes_under_the_measured_limits(run):
    roof = memory.roofline(run)
    assert roof.one == roof.flops / roof.x_bytes == 0.5
    assert roof.two == 0.25
    assert roof.ridge * roof.memory_gb_per_s == pytest.approx(roof.peak_gflops)
    assert roof.read_gb_per_s * roof.read_seconds * 1e9 == pytest.approx(roof.x_bytes)
    for mark in roof.marks:
        record = run.cases[step_costs.timed_case(run)][mark.row]
        assert mark.gflops == pytest.approx(roof.flops / record.seconds.value / 1e9)
        assert mark.intensity == pytest.approx(roof.flops / (record.passes_over_x * roof.x_bytes))
