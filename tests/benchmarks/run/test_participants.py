"""Who takes turns: the rows, one of them twice, and the limit of each device in use."""

from dataclasses import replace

from stepbench.run.participants import LIMITS, Participant, Role, participants_of, with_control
from stepkernels.catalog import CATALOG

ON_CPU, ON_GPU = CATALOG["numpy-blas"], CATALOG["torch-manual-cuda"]


def everyone(*rows, can_run=lambda _limit: True):
    return participants_of(rows, can_run)


def keys(*rows, **can_run):
    return [each.key for each in everyone(*rows, **can_run)]


def test_every_device_in_use_has_a_limit_that_takes_turns():
    assert keys(ON_CPU, ON_GPU) == [
        "numpy-blas", "torch-manual-cuda", "numpy-blas#1", "read-limit", "read-limit-cuda",
    ]  # fmt: skip
    assert keys(ON_GPU) == ["torch-manual-cuda", "torch-manual-cuda#1", "read-limit-cuda"]
    limits = [each for each in everyone(ON_CPU, ON_GPU) if each.role is Role.LIMIT]
    assert [each.row for each in limits] == list(LIMITS)


def test_a_limit_that_cannot_run_here_takes_no_turns():
    found = keys(ON_CPU, ON_GPU, can_run=lambda limit: limit.device == "cpu")
    assert found == ["numpy-blas", "torch-manual-cuda", "numpy-blas#1", "read-limit"]


def test_a_device_that_is_not_in_use_is_not_looked_for():
    asked = []
    keys(ON_CPU, can_run=lambda limit: asked.append(limit.device))
    assert asked == ["cpu"]


def test_the_row_that_runs_twice_is_the_first_that_runs_every_case():
    capped = replace(ON_CPU, name="capped", max_work=1e6)
    assert keys(capped, ON_GPU, ON_CPU)[2:4] == ["numpy-blas", "numpy-blas#1"]
    assert keys(capped) == ["capped", "read-limit"]


def test_a_participant_survives_its_json():
    for each in everyone(ON_CPU, ON_GPU):
        assert Participant.from_json(each.to_json()) == each


def test_a_comparison_has_a_control_also_where_every_row_has_a_work_cap():
    capped, free = (Participant(CATALOG[name]) for name in ("python-loop", "numpy-blas"))
    assert [each.key for each in with_control([capped])] == ["python-loop", "python-loop#1"]
    assert [each.key for each in with_control([free, replace(free, replica=1)])] == ["numpy-blas", "numpy-blas#1"]
