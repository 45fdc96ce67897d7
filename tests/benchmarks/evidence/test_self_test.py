"""The harness's measurement of itself: what it promises, and that it can be taken."""

import dataclasses

import pytest

from stepbench.cases.presets import PRESETS
from stepbench.evidence import self_test
from stepbench.evidence.layout_effects import KINDS
from stepbench.evidence.self_test import FULL, Comparison, Effort, SelfTest
from stepreports.statistics.intervals import Verdict
from stepreports.statistics.margins import Place, margins_of


def same(verdict, detectable=0.02):
    return Comparison(verdict=verdict, detectable=detectable)


def test_a_self_test_passes_only_when_every_promise_holds():
    good = SelfTest(
        empty_seconds=1e-7,
        bias={5e-6: 0.03, 50e-6: 0.005, 2e-3: 0.0},
        margins=margins_of([]),
        same=[same(Verdict.SAME)] * 198 + [same(Verdict.FASTER)] * 2,
        slowed=[same(Verdict.SLOWER)] * 95 + [same(Verdict.UNKNOWN)] * 5 + [same(Verdict.UNKNOWN, detectable=0.2)] * 50,
        layout={},
    )
    assert good.passed
    assert (good.seen, len(good.able)) == (95, 100)
    assert not dataclasses.replace(good, bias={50e-6: 0.02}).passed
    assert not dataclasses.replace(good, same=[same(Verdict.SLOWER)] * 3).passed
    assert not dataclasses.replace(good, slowed=[same(Verdict.UNKNOWN)] * 100).passed
    assert not dataclasses.replace(good, slowed=[same(Verdict.UNKNOWN, detectable=0.2)] * 100).passed


def test_in_full_the_self_test_compares_200_times_over_as_many_generations_as_a_standard_run_has_at_least():
    assert len(FULL.pairs) * len(FULL.cases) == 200
    assert FULL.generations == PRESETS["standard"].generations + 1


def test_the_figures_are_told_place_by_place():
    """A kind of case that is too noisy to tell takes nothing from another."""
    quiet, wild = Place.PRIVATE, Place.EDGE
    result = SelfTest(
        empty_seconds=1e-7,
        bias={50e-6: 0.005},
        margins=margins_of([(quiet, {(0, 0): 1.0}, {(0, 0): 1.0}), (wild, {(0, 0): 1.12}, {(0, 0): 1.0})]),
        same=[Comparison(verdict=Verdict.FASTER, detectable=0.2, place=wild)],
        slowed=[Comparison(verdict=Verdict.SLOWER, detectable=0.02, place=quiet)],
        layout={"alike": 0.004, "environment drawn": 0.006, "offset of X drawn": 0.019},
    )
    told = "\n".join(self_test.sentences(result.to_json()))
    assert "Cases about as large as the private cache: a margin of 12.0%; called different 1 times in 1;" in told
    assert "5% seen 1 times in 1 where it could be, of 1." in told
    assert "5% seen 0 times in 0 where it could be, of 0." in told
    assert "differed by 0.4% at small sizes" in told
    assert "by 1.9% where the place of X in its page was" in told
    assert result.to_json()["margin"] == pytest.approx(0.12)


class Silent:
    """A progress that only counts."""

    units = 0

    def describe(self, text): ...
    def note(self, text): ...
    def advance(self):
        self.units += 1


@pytest.mark.slow
def test_the_harness_can_measure_itself():
    progress = Silent()
    effort = Effort(known_seconds=(50e-6,), others=1, sizes=((37, 5),), repeats=1, generations=1, copies=2, turns=6)
    result = self_test.run(progress, effort)
    assert progress.units == self_test.units_of_work(effort)
    assert len(result.same) == len(result.slowed) == 1
    assert len(result.versions.same) == len(result.versions.slowed) == 1
    assert "As stepbench compare judges: identical versions" in "\n".join(self_test.sentences(result.to_json()))
    assert set(result.bias) == {50e-6}
    assert set(result.layout) == set(KINDS)
