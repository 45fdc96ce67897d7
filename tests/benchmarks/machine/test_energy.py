"""Energy from a made-up powercap tree and a made-up NVML: what is counted, once, and why nothing is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from stepbench.machine.energy import (
    EnergyError,
    GpuCounter,
    Spent,
    beyond_idle,
    energy_by_device,
    powercap,
    spent_during,
)

MOST = 262_143_328_850  # microjoules, as a real package has it


def zone(root, place, name, joules=1.0, most=MOST):
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{round(joules * 1e6)}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder / "energy_uj"


@pytest.fixture
def tree(tmp_path):
    """Two packages with memory, and what a package and the whole machine count a second time."""
    zone(tmp_path, "intel-rapl:0", "package-0")
    zone(tmp_path, "intel-rapl:0:0", "core")
    zone(tmp_path, "intel-rapl:0:1", "dram")
    zone(tmp_path, "intel-rapl:1", "package-1")
    zone(tmp_path, "intel-rapl:2", "psys")
    zone(tmp_path, "intel-rapl-mmio:0", "package-0")
    (tmp_path / "intel-rapl").mkdir()
    return tmp_path


def test_packages_and_memory_are_counted_and_nothing_twice(tree):
    assert powercap(tree).names == ("package-0", "dram-0", "package-1")


def test_what_is_spent_is_what_the_counters_went_up(tree):
    clock = iter([10.0, 12.0])

    def work():
        zone(tree, "intel-rapl:0", "package-0", 21.0)
        zone(tree, "intel-rapl:0:1", "dram", 4.0)
        zone(tree, "intel-rapl:0:0", "core", 100.0)

    spent = spent_during(work, powercap(tree), lambda: next(clock))
    assert spent.joules == pytest.approx(23.0)
    assert (spent.seconds, spent.watts) == (2.0, pytest.approx(11.5))


def test_a_counter_that_began_again_is_counted_on(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", MOST / 1e6 - 5.0)
    spent = spent_during(lambda: zone(tmp_path, "intel-rapl:0", "package-0", 7.0), powercap(tmp_path))
    assert spent.joules == pytest.approx(12.0, abs=1e-3)


def test_rest_is_subtracted_for_as_long_as_the_work_took():
    assert beyond_idle(Spent(100.0, 4.0), Spent(20.0, 2.0)) == pytest.approx(60.0)
    with pytest.raises(EnergyError, match="no more was used than at rest"):
        beyond_idle(Spent(30.0, 4.0), Spent(20.0, 2.0))


def test_a_virtual_machine_has_none(tmp_path):
    with pytest.raises(EnergyError, match="shows no counter of energy"):
        powercap(tmp_path)
    (tmp_path / "intel-rapl").mkdir()
    with pytest.raises(EnergyError, match="shows no counter of energy"):
        powercap(tmp_path)


def test_what_only_root_may_read_is_said(tree):
    (tree / "intel-rapl:1/energy_uj").unlink()
    with pytest.raises(EnergyError, match="only root may read"):
        powercap(tree)


def test_without_its_range_a_counter_is_not_believed(tree):
    (tree / "intel-rapl:1/max_energy_range_uj").write_text("0")
    with pytest.raises(EnergyError, match="where they begin again"):
        powercap(tree)


def test_a_counter_that_goes_away_meanwhile_is_no_number(tree):
    counters = powercap(tree)
    with pytest.raises(EnergyError, match="a second time"):
        spent_during((tree / "intel-rapl:0/energy_uj").unlink, counters)


class NVMLError(Exception):
    pass


def nvml(*readings, error=None):
    told = iter(readings)

    def energy(_gpu):
        if error:
            raise NVMLError(error)
        return next(told)

    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=energy,
    )


def test_a_gpus_counter_is_in_millijoules():
    counter = GpuCounter(nvml(1000, 1000, 4500))
    assert counter.joules(counter.read(), counter.read()) == pytest.approx(3.5)


def test_a_gpu_without_a_counter_says_so():
    with pytest.raises(EnergyError, match="no counter of energy: Not Supported"):
        GpuCounter(nvml(error="Not Supported"))


def test_a_record_has_what_was_read_or_the_reason():
    (told,) = energy_by_device(["cpu"]).values()
    assert told.startswith(("read from package", "not read: "))
