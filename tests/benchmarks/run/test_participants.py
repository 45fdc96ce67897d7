"""Who takes turns: the rows, one of them twice, and the limit of each device in use."""

from dataclasses import replace

from stepbench.run.participants import LIMITS, Participant, Role, participants_of
from stepkernels.catalog import CATALOG

ON_CPU, ON_GPU = CATALOG["numpy-blas"], CATALOG["torch-manual-cuda"]


def keys(*rows, limits=LIMITS):
    return [each.key for each in participants_of(rows, limits)]


def test_every_device_in_use_has_a_limit_that_takes_turns():
    assert keys(ON_CPU, ON_GPU) == [
        "numpy-blas", "torch-manual-cuda", "numpy-blas#1", "read-limit", "read-limit-cuda",
    ]  # fmt: skip
    assert keys(ON_GPU) == ["torch-manual-cuda", "read-limit-cuda"]
    limits = [each for each in participants_of([ON_CPU, ON_GPU], LIMITS) if each.role is Role.LIMIT]
    assert [each.row for each in limits] == list(LIMITS)


def test_a_limit_that_cannot_run_here_takes_no_turns():
    assert keys(ON_CPU, ON_GPU, limits=LIMITS[:1]) == ["numpy-blas", "torch-manual-cuda", "numpy-blas#1", "read-limit"]


def test_the_row_that_runs_twice_is_the_first_that_runs_every_case():
    capped = replace(ON_CPU, name="capped", max_work=1e6)
    assert keys(capped, ON_GPU, ON_CPU, limits=()) == ["capped", "torch-manual-cuda", "numpy-blas", "numpy-blas#1"]
    assert keys(capped, limits=()) == ["capped"]


def test_a_participant_survives_its_json():
    for each in participants_of([ON_CPU, ON_GPU], LIMITS):
        assert Participant.from_json(each.to_json()) == each
