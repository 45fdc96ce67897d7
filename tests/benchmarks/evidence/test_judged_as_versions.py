"""Pairs of a self-test as a comparison of versions: a slow-down is seen as one, and nothing of what is the same."""

import numpy as np

from stepbench.evidence.judged_as_versions import judged

CASES = [f"case {k}" for k in range(7)]
GENERATIONS, TURNS, SLOWER = 4, 16, 0.05


def timed(factor=1.0, noise=0.004):
    random = np.random.default_rng([int(1000 * factor), int(1e4 * noise)])
    return {
        case: {
            (generation, turn): float(factor * np.exp(noise * random.normal()))
            for generation in range(GENERATIONS)
            for turn in range(TURNS)
        }
        for case in CASES
    }


def pairs(factor=1.0, noise=0.004):
    base, version = timed(1.0, noise), timed(factor, 1.01 * noise)
    return {case: (base[case], version[case]) for case in CASES}


def test_on_a_quiet_machine_a_slow_down_is_seen_in_every_case_and_nothing_else():
    found = judged([pairs(), pairs(0.9999)], [pairs(1 + SLOWER)], pairs(), SLOWER)
    assert (len(found.same), found.false_alarms) == (14, 0)
    assert (len(found.slowed), len(found.able), found.seen) == (7, 7, 7)


def test_where_the_base_differs_from_itself_nothing_could_have_been_seen():
    found = judged([pairs()], [pairs(1 + SLOWER)], pairs(1.2), SLOWER)
    assert (found.able, found.seen, found.false_alarms) == ([], 0, 0)


def test_a_version_that_is_not_the_same_is_a_false_alarm_among_those_that_are():
    assert judged([pairs(0.8)], [], pairs(), SLOWER).false_alarms == len(CASES)


def test_the_figures_are_counts():
    told = judged([pairs()], [pairs(1 + SLOWER)], pairs(), SLOWER).to_json()
    assert told == {"same": 7, "false_alarms": 0, "slower": SLOWER, "slowed": 7, "able": 7, "seen": 7}
