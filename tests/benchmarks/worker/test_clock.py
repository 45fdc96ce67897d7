"""The clock: it waits for its round, synchronizes at both edges, and reports every round once."""

import gc
import itertools
import weakref

from stepbench.worker.clock import Clock


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


def ticking():
    """A clock that moves on by one second each time it is read."""
    return map(float, itertools.count()).__next__


def test_a_round_waits_warms_up_and_synchronizes_at_both_edges():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, recorder.warm_up, iterations=4, now=ticking())
    edges = [clock() for _ in range(6)]
    assert recorder.log == ["wait", "warm up", "synchronize", "synchronize", "round done"] * 3
    assert recorder.reported == [(0.25, None)] * 3
    assert edges == sorted(edges)


def test_the_device_is_timed_inside_the_synchronized_edges():
    recorder = Recorder()
    clock = Clock(recorder, recorder.synchronize, recorder.warm_up, iterations=2, device=recorder, now=ticking())
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
