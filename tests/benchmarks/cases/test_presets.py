"""Presets: every case once, named apart, those that share their data next to one another."""

from itertools import pairwise

import pytest

from stepbench.cases.presets import PRESETS, cases_of


@pytest.fixture(params=PRESETS.values(), ids=list(PRESETS))
def preset(request):
    return request.param


def test_the_cases_of_a_preset_have_names_of_their_own(preset):
    cases = cases_of(preset.groups, [1, 2])
    assert len({case.name for case in cases}) == len(cases)


def test_every_preset_times_real_data(preset):
    assert any(case.dataset != "synthetic" for case in cases_of(preset.groups, [1]))


def test_cases_that_share_data_follow_one_another(preset):
    data = [(case.dataset, case.m, case.n, case.dtype) for case in cases_of(preset.groups, [2])]
    changes = sum(a != b for a, b in pairwise(data))
    assert changes == len(set(data)) - 1
