"""How long a process may be silent, and when it will never answer.

An answer has a limit that depends on what was asked: a library to load or code to compile takes minutes, a step does
not. Much earlier than that it is known of a process that it is stopped, or that neither it nor anything that it
started has used a processor for a while: it waits for what nobody will send.
"""

from __future__ import annotations

import time

import psutil

LOOK_SECONDS = 1.0  # between two looks
IDLE_SECONDS = 20.0  # without 10 ms of processor time: no library waits so long for anything but a network
LEAST_SECONDS_OF_WORK = 0.01

LOADING_SECONDS = 240.0  # a cold import of torch or JAX takes tens of seconds
COMPILING_SECONDS = 240.0
FIRST_SECONDS = 120.0  # what is called for the first time may still be compiled
AGAIN_SECONDS = 30.0
SECONDS_PER_ELEMENT, SECONDS_PER_CALL = 1e-5, 5e-3  # ten times what the interpreted loop takes on a busy machine


class Patience:
    """Watches a process from the moment that something was asked of it."""

    def __init__(self, process: psutil.Process, limit_seconds: float, idle_seconds: float = IDLE_SECONDS) -> None:
        self.process, self.limit_seconds, self.idle_seconds = process, limit_seconds, idle_seconds
        self.began = self.busy_at = self.looked_at = time.monotonic()
        self.worked, self.looks_stopped = 0.0, 0

    def complaint(self) -> str | None:
        """Why there is no point in waiting any longer, as what the process did; None while there is."""
        now = time.monotonic()
        if now - self.began > self.limit_seconds:
            return f"gave no answer for {self.limit_seconds:.0f} seconds and was ended"
        if now - self.looked_at < LOOK_SECONDS:
            return None
        self.looked_at = now
        try:
            return self._stopped() or self._idle(now)
        except psutil.Error:  # it has ended, which is seen elsewhere
            return None

    def _stopped(self) -> str | None:
        stopped = self.process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
        self.looks_stopped = self.looks_stopped + 1 if stopped else 0
        return "stopped itself and was ended" if self.looks_stopped > 1 else None

    def _idle(self, now: float) -> str | None:
        worked = sum(map(_processor_seconds, [self.process, *self.process.children(recursive=True)]))
        if abs(worked - self.worked) > LEAST_SECONDS_OF_WORK:
            self.worked, self.busy_at = worked, now
        if now - self.busy_at > self.idle_seconds:
            return f"did nothing for {self.idle_seconds:.0f} seconds and was ended"
        return None


def _processor_seconds(process: psutil.Process) -> float:
    """Of the process and of its children that have ended."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.Error:
        return 0.0
