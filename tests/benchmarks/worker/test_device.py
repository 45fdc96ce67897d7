"""What is asked of a GPU's driver: events around a round, and one copy of X."""

import ctypes

import numpy as np
import pytest

from stepbench.worker.device import (
    CudaClock,
    DriverError,
    copy_to_device_seconds,
    device_clock,
    device_state,
    host_to_device_seconds,
)


class FakeDriver:
    """The calls of the CUDA driver that a clock of events and a copy make; `device` is the memory copied to."""

    def __init__(self, status=0):
        self.status, self.calls, self.device = status, [], b""

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append(name)
            if name == "cuEventElapsedTime":
                arguments[0]._obj.value = 2.5
            if name == "cuMemcpyHtoD_v2":
                _, host, size = arguments
                self.device += ctypes.string_at(host, size.value)
            return self.status

        return call


def test_events_are_recorded_around_a_round_and_read_in_seconds():
    driver = FakeDriver()
    clock = CudaClock(driver)
    clock.start()
    clock.stop()
    assert clock.seconds() == pytest.approx(ctypes.c_float(2.5).value / 1e3)
    assert driver.calls == [*["cuEventCreate"] * 2, *["cuEventRecord"] * 2, "cuEventSynchronize", "cuEventElapsedTime"]


def test_a_failing_driver_call_raises():
    with pytest.raises(DriverError, match="cuEventCreate returned 201"):
        CudaClock(FakeDriver(status=201))


@pytest.mark.parametrize(("piece", "pieces"), [(2**28, 1), (1000, 2), (600, 3)])
def test_all_of_x_is_copied_to_the_device_and_nothing_else_is_timed(piece, pieces):
    driver, X = FakeDriver(), np.random.default_rng(0).random((50, 7), dtype=np.float32)
    calls_at = []

    def now():
        calls_at.append(len(driver.calls))
        return float(len(calls_at))

    assert host_to_device_seconds(driver, X, piece, now) == 1.0
    assert calls_at == [1, 1 + pieces + 1], "after the buffer is made, and before it is freed"
    assert driver.device == X.tobytes()
    assert driver.calls == ["cuMemAlloc_v2", *["cuMemcpyHtoD_v2"] * pieces, "cuCtxSynchronize", "cuMemFree_v2"]


def test_a_cpu_row_has_no_device_clock_no_device_state_and_no_copy():
    assert device_clock("cpu") is None
    assert device_state("cpu") is None
    assert copy_to_device_seconds("cpu", np.ones((2, 2))) is None
