"""The clock: it waits for its round, synchronizes at both edges, and tells of every round once."""

import gc
import itertools
import weakref

from stepbench.worker.clock import Clock


class Recorder:
    """A station and a device that write down what they are asked."""

    def __init__(self):
        self.log, self.told = [], []

    def until_round(self):
        self.log.append("wait")

    def synchronize(self):
        self.log.append("synchronize")

    def start(self):
        self.log.append("device starts")

    def stop(self):
        self.log.append("device stops")

    def seconds(self):
        return 3.0

    def rounded(self, seconds, device_seconds):
        self.log.append("rounded")
        self.told.append((seconds, device_seconds))


def ticking():
    """A clock that moves on by one second each time it is read."""
    return map(float, itertools.count()).__next__


def test_a_round_waits_and_synchronizes_at_both_edges():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, now=ticking())
    edges = [clock() for _ in range(6)]
    assert recorder.log == ["wait", "synchronize", "synchronize", "rounded"] * 3
    assert recorder.told == [(1.0, None)] * 3
    assert edges == sorted(edges)


def test_the_device_is_timed_inside_the_synchronized_edges():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, device=recorder, now=ticking())
    clock(), clock()
    assert recorder.log == ["wait", "synchronize", "device starts", "device stops", "synchronize", "rounded"]
    assert recorder.told == [(1.0, 3.0)]


def test_a_released_clock_keeps_nothing_of_the_workspace():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, device=recorder)
    clock.release()
    alive = weakref.ref(recorder)
    del recorder
    gc.collect()
    assert alive() is None
