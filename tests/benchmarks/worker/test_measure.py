"""The clock: it waits for its round, synchronizes at both edges, and reports every round once. The copy to a device."""

import ctypes
import gc
import itertools
import weakref

import numpy as np
import pytest

from stepbench.worker import device
from stepbench.worker import measure as timing
from stepbench.worker.device import (
    CudaClock,
    DriverError,
    copy_to_device_seconds,
    device_clock,
    device_state,
    host_to_device_seconds,
)
from stepbench.worker.measure import Clock


class Recorder:
    """A turnstile and a device that write down what they are asked."""

    def __init__(self):
        self.log, self.reported = [], []

    def wait(self):
        self.log.append("wait")

    def warm_up(self):
        self.log.append("warm up")

    def synchronize(self):
        self.log.append("synchronize")

    def start(self):
        self.log.append("device starts")

    def stop(self):
        self.log.append("device stops")

    def seconds(self):
        return 3.0

    def round_done(self, seconds, device_seconds):
        self.log.append("round done")
        self.reported.append((seconds, device_seconds))


@pytest.fixture
def ticking(monkeypatch):
    """A clock that moves on by one second each time it is read."""
    ticks = itertools.count()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: float(next(ticks)))


@pytest.mark.usefixtures("ticking")
def test_a_round_waits_warms_up_and_synchronizes_at_both_edges():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, recorder.warm_up, iterations=4)
    edges = [clock() for _ in range(6)]
    assert recorder.log == ["wait", "warm up", "synchronize", "synchronize", "round done"] * 3
    assert recorder.reported == [(0.25, None)] * 3
    assert edges == sorted(edges)


@pytest.mark.usefixtures("ticking")
def test_the_device_is_timed_inside_the_synchronized_edges():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, recorder.warm_up, iterations=2, device=recorder)
    clock(), clock()
    assert recorder.log == [
        "wait",
        "warm up",
        "synchronize",
        "device starts",
        "device stops",
        "synchronize",
        "round done",
    ]
    assert recorder.reported == [(0.5, 1.5)]


def test_a_released_clock_keeps_nothing_of_the_workspace():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, recorder.warm_up, iterations=1, device=recorder)
    clock.release()
    clock.turnstile = None
    alive = weakref.ref(recorder)
    del recorder
    gc.collect()
    assert alive() is None


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


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize(("piece", "pieces"), [(2**28, 1), (1000, 2), (600, 3)])
def test_all_of_x_is_copied_to_the_device_and_nothing_else_is_timed(monkeypatch, piece, pieces):
    monkeypatch.setattr(device, "PIECE_BYTES", piece)
    driver, X = FakeDriver(), np.random.default_rng(0).random((50, 7), dtype=np.float32)
    assert host_to_device_seconds(driver, X) == 1.0
    assert driver.device == X.tobytes()
    assert driver.calls == ["cuMemAlloc_v2", *["cuMemcpyHtoD_v2"] * pieces, "cuCtxSynchronize", "cuMemFree_v2"]


def test_a_cpu_row_has_no_device_clock_no_device_state_and_no_copy():
    assert device_clock("cpu") is None
    assert device_state("cpu") is None
    assert copy_to_device_seconds("cpu", np.ones((2, 2))) is None
