"""A file that stays on disk is never in memory whole."""

import subprocess
import sys

import numpy as np
import pytest

from runs import environment
from trainings import mapped_file

TRAIN_FROM_DISK = """
import resource, sys, threading
from stepbench.training.fitting import train
from stepbench.training.settings import Training

def status(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1]) * 1024

small, big, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
wanted = Training(on_disk=True, optimizer="adam", learning_rate=0.01, steps=2)
train(small, wanted, lambda *_: None)  # loads and compiles
held = peak = status("RssAnon")
resource.setrlimit(resource.RLIMIT_DATA, (status("VmData") + limit,) * 2)
done = threading.Event()

def watch():
    global peak
    while not done.wait(0.005):
        peak = max(peak, status("RssAnon"))

threading.stack_size(1 << 20)
watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
trained = train(big, wanted, lambda *_: None)
done.set()
watcher.join()
print(peak - held, trained.score.accuracy)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="anonymous memory is read from /proc")
def test_a_file_four_times_the_limit_trains_within_it(tmp_path):
    """The limit is on anonymous memory, and imposed: what exceeded it would be refused."""
    small = mapped_file(tmp_path / "small.npy", columns=32)
    limit, parts = 128 * 2**20, np.load(small)
    rows = 4 * limit // parts[0].nbytes + 1
    data = np.lib.format.open_memmap(tmp_path / "big.npy", mode="w+", dtype=np.float64, shape=(rows, parts.shape[1]))
    for start in range(0, rows, len(parts)):
        data[start : start + len(parts)] = parts[: rows - start]
    data.flush()
    finished = subprocess.run(
        [sys.executable, "-c", TRAIN_FROM_DISK, str(small), str(tmp_path / "big.npy"), str(limit)],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    grown, accuracy = map(float, finished.stdout.split())
    assert grown <= limit
    assert accuracy > 0.8
