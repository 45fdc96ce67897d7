"""A rank that is killed or stopped ends the training on all, in time and in words, and leaves nothing behind."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pytest

from stepbench.machine.child_processes import DIES_WITH_PARENT
from trainings import mapped_file

KILLS = int(os.environ.get("STEPBENCH_TEST_KILLS", "10"))
TIMEOUT_SECONDS = 8.0
STARTING_SECONDS = 120.0
ENDING_SECONDS = 40.0  # for processes that have said all they had to say, on a machine that has other things to do


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return mapped_file(tmp_path_factory.mktemp("ranks") / "data.npy", rows=20_000)


class Training:
    """A training without end on so many ranks, with a checkpoint."""

    def __init__(self, data, folder, ranks, *arguments, launcher=()):
        self.folder = folder
        asked = ("stepbench", "train", data, "--optimizer", "adam", "--tol", 0, "--steps", 10**9, *arguments,
                 "--timeout", TIMEOUT_SECONDS, "--checkpoint", folder / "kept", "--out", folder / "model.npz",
                 *(() if launcher else ("--ranks", ranks)))  # fmt: skip
        command = [sys.executable, "-m", DIES_WITH_PARENT, os.getpid(), "module", *launcher, *asked]
        self.process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.told, self.below = [], []
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self):
        """What the launcher and the ranks say, and when: they have one stream, which ends with the last of them."""
        for line in self.process.stderr:
            self.told.append((time.monotonic(), line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (*self.below, *self._found()):
            if each.is_running():
                each.kill()
        self.process.wait()
        self.listener.join()
        self.process.stderr.close()

    def _found(self):
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def wait_until_it_learns(self):
        """Until there is a checkpoint of this training; what is below it then is kept in mind."""
        ends, begun = time.monotonic() + STARTING_SECONDS, time.time()
        path = self.folder / "kept" / "checkpoint.npz"
        while not (path.exists() and path.stat().st_mtime > begun):
            assert self.process.poll() is None, self.told
            assert time.monotonic() < ends
            time.sleep(0.02)
        self.below = self._found()

    def rank(self, number):
        return next(
            each for each in self.below if each.environ().get("RANK") == str(number) and "train" in each.cmdline()
        )

    def end(self, within=0.0):
        """What it says, once it has ended by itself and nothing is left of it."""
        self.process.wait(within + ENDING_SECONDS)
        _, alive = psutil.wait_procs(self.below, timeout=ENDING_SECONDS)
        assert alive == []
        self.listener.join(ENDING_SECONDS)
        return "".join(line for _, line in self.told)

    def end_within_timeout(self, sentence, count=1):
        """The same, of ranks that say a sentence so often within --timeout of now, as they promise.

        The launcher may take longer to end.
        """
        began = time.monotonic()
        told = self.end(TIMEOUT_SECONDS)
        said = [when - began for when, line in self.told if sentence in line]
        assert len(said) == count, told
        assert max(said) <= TIMEOUT_SECONDS
        return told


def torchrun(ranks):
    return ("torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks), "-m")


@pytest.mark.slow
def test_ranks_killed_at_drawn_moments_are_named_and_the_training_goes_on_from_its_checkpoint(data, tmp_path):
    draws = random.Random(23)
    for k in range(KILLS):
        resumed = ("--resume",) if k else ()
        with Training(data, tmp_path, 2, *resumed) as training:
            training.wait_until_it_learns()
            number = draws.randrange(2)
            lost = training.rank(number)
            time.sleep(draws.random() * 0.5)
            lost.kill()
            told = training.end_within_timeout(
                f"rank {number} (process {lost.pid}), which has ended. Rank {1 - number} ends, too."
            )
            assert training.process.returncode == 1
            assert "Traceback" not in told
    assert not (tmp_path / "model.npz").exists()
    with np.load(tmp_path / "kept" / "checkpoint.npz") as checkpoint:
        assert checkpoint["iterations"] >= KILLS  # each took a step or more, from where the one before it was


@pytest.mark.parametrize("number", [0, 1])
def test_a_stopped_rank_is_named_in_time_and_ended(data, tmp_path, number):
    with Training(data, tmp_path, 2) as training:
        training.wait_until_it_learns()
        stopped = training.rank(number)
        stopped.suspend()
        training.end_within_timeout(
            f"rank {number} (process {stopped.pid}), which is stopped. Rank {1 - number} ends, too."
        )
        assert training.process.returncode == 1


def test_a_killed_rank_of_torchrun_is_named_by_the_others(data, tmp_path):
    with Training(data, tmp_path, 3, launcher=torchrun(3)) as training:
        training.wait_until_it_learns()
        lost = training.rank(1)
        lost.kill()
        training.end_within_timeout(f"rank 1 (process {lost.pid}), which has ended", count=2)
        assert training.process.returncode == 1


def test_a_checkpoint_that_cannot_be_written_any_more_is_told_by_all_ranks(data, tmp_path):
    with Training(data, tmp_path, 2) as training:
        training.wait_until_it_learns()
        (tmp_path / "kept").rename(tmp_path / "before")
        (tmp_path / "kept").write_text("a file, and no folder")
        told = training.end_within_timeout("checkpoint.npz could not be written (", count=2)
        assert training.process.returncode == 2
        assert "lost" not in told
        assert "Traceback" not in told
    assert (tmp_path / "before" / "checkpoint.npz").exists()


@pytest.mark.parametrize("number", [0, 1])
def test_a_file_that_a_rank_cannot_read_any_more_is_told_by_all_ranks(data, tmp_path, number):
    """Rank 0 is the one that tells the others how it goes."""
    (tmp_path / "parts").mkdir()
    for k, part in enumerate(np.array_split(np.load(data), 2)):
        pd.DataFrame(part, columns=[*"abcdef", "kind"]).to_parquet(tmp_path / "parts" / f"{k}.parquet")
    with Training(tmp_path / "parts", tmp_path, 2, "--on-disk") as training:
        training.wait_until_it_learns()
        (tmp_path / "parts" / f"{number}.parquet").unlink()
        told = training.end_within_timeout(f"There is no file {tmp_path}/parts/{number}.parquet.", count=2)
        assert training.process.returncode == 2
        assert f"Rank {number}: There is no file" in told
        assert "Traceback" not in told


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_training_that_is_ended_from_outside(data, tmp_path, number):
    with Training(data, tmp_path, 2) as training:
        training.wait_until_it_learns()
        training.process.send_signal(number)
        told = training.end()
        assert training.process.returncode == {signal.SIGKILL: -9}.get(number, 128 + number)
        assert "Traceback" not in told


def ranks_apart(arguments_of, variables_of=lambda _: {}):
    """Two ranks that nobody has launched, as on two hosts; their exit statuses and what they said."""
    started = []
    for rank in range(2):
        variables = {
            "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
            "LOCAL_WORLD_SIZE": "2", **variables_of(rank),
        }  # fmt: skip
        if started:
            variables["MASTER_PORT"] = started[0][1]
        command = [sys.executable, "-m", "stepbench", "train", *map(str, arguments_of(rank))]
        process = subprocess.Popen(
            command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append((process, variables["MASTER_PORT"]))
    return [(process.communicate(timeout=120)[1], process.returncode) for process, _ in started]


def free_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_ranks_with_different_data_are_told_so(data, tmp_path):
    table = np.load(data)
    table[0, 0] += 1.0
    np.save(tmp_path / "data.npy", table)
    for told, status in ranks_apart(
        lambda rank: [tmp_path / "data.npy" if rank else data, "--out", tmp_path / "m.npz"]
    ):
        assert status == 2
        assert "Rank 1 has other data than rank 0: data.npy" in told
        assert "Traceback" not in told
    assert not (tmp_path / "m.npz").exists()


def test_a_file_that_one_rank_does_not_have_is_told_by_both(data, tmp_path):
    for told, status in ranks_apart(lambda rank: ["gone.npy" if rank else data, "--out", tmp_path / "m.npz"]):
        assert status == 2
        assert "Rank 1: There is no data set called 'gone.npy', and no such file." in told


def test_variables_that_are_missing_are_named(data):
    environment = {**os.environ, "RANK": "0", "WORLD_SIZE": "2"}
    command = [sys.executable, "-m", "stepbench", "train", str(data)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 2
    assert finished.stderr.startswith("MASTER_ADDR and MASTER_PORT must be set for a rank; `torchrun")


@pytest.mark.usefixtures("of_no_group")
def test_a_world_that_does_not_meet_is_told_in_time(monkeypatch):
    from stepbench.training.sharded.world import join
    from stepkernels import ProblemError

    variables = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NUMBA_NUM_THREADS", os.environ.get("NUMBA_NUM_THREADS", "1"))
    began = time.monotonic()
    with pytest.raises(ProblemError, match=r"did not meet, .* 2 s\. .* rank 1, which never came"):
        join(10.0, meeting_seconds=2.0)
    assert time.monotonic() - began < 60.0
