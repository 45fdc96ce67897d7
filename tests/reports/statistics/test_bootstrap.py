"""The bootstrap: the resamples that are left out could not have been among the tails."""

from __future__ import annotations

import numpy as np
import pytest

from stepreports.statistics.bootstrap import TAIL, resampled_ranks, tail_ranks


@pytest.mark.parametrize("shape", [(1,), (6,), (5,), (6, 6), (4, 8), (40, 40), (6, 5, 3), (8, 8, 8, 8)])
def test_the_resamples_kept_for_the_tails_give_the_tails_of_all_resamples(shape):
    random_numbers = np.random.default_rng(3)
    for _ in range(20):
        logs = np.concatenate([np.sort(random_numbers.normal(size=turns)) for turns in shape])

        def statistics(ranks, logs=logs):
            return np.sort(np.median(logs[ranks].mean(axis=2), axis=1))

        lowest, highest = tail_ranks(shape)
        everything = statistics(resampled_ranks(shape))
        assert np.array_equal(statistics(lowest)[: TAIL + 1], everything[: TAIL + 1])
        assert np.array_equal(statistics(highest)[-1 - TAIL :], everything[-1 - TAIL :])
