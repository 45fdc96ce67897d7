"""What ranks do before the first step and after the last: compile in turn, read all at once, write, and then score."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from runs import environment
from stepbench.cases.standardizing import scaling_of, standardize
from stepbench.commands.train_on_ranks import train_as_rank
from stepbench.commands.training_options import Options
from stepbench.training.model_file import load_model
from stepbench.training.sharded import sharded_fit
from stepbench.training.sharded.bound_share import BoundShare
from stepbench.training.sharded.own_rows import bytes_of
from stepbench.training.sharded.rows_of_rank import ArrayRows
from stepbench.training.sharded.world import preparing_seconds
from stepkernels import Config, Problem, ProblemError
from stepkernels.arrays.torch_ranks.ranks import MEETING_SECONDS, Ranks, open_store
from stepkernels.catalog import CATALOG
from trainings import mapped_file

ROW = CATALOG["numpy-blas"]


class CountedRows(ArrayRows):
    """Rows that count how often they are read."""

    read = 0

    def blocks(self):
        self.read += 1
        return super().blocks()


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_rank_compiles_without_reading_and_then_has_the_gradient_of_its_rows(on_disk):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((101, 5)) * 3 + 7, (random.random(101) < 0.5).astype(float)
    scaling, rows = scaling_of(X, list("abcde")), CountedRows(X)
    bound = BoundShare(rows, y, scaling, "float64", lambda problem: ROW.bind(problem, Config()), on_disk=on_disk)
    bound.compile()
    assert rows.read == 0
    share = bound.read()
    assert rows.read == (0 if on_disk else 1)
    whole = ROW.bind(Problem(standardize(X, scaling.mean, scaling.scale), y), Config())
    for workspace in (share, whole):
        workspace.reset(np.arange(5.0), 0.5)
        workspace.gradient()
    for name in ("J", "gw", "gb"):
        np.testing.assert_allclose(getattr(share.snapshot(), name), getattr(whole.snapshot(), name), rtol=1e-12)


def test_the_time_to_prepare_grows_with_all_files_of_the_data(tmp_path):
    (tmp_path / "0.parquet").write_bytes(bytes(1000))
    (tmp_path / "1.parquet").write_bytes(bytes(500))
    assert bytes_of(str(tmp_path)) == bytes_of(str(tmp_path / "*.parquet")) == 1500
    assert bytes_of(str(tmp_path / "1.parquet")) == 500
    assert bytes_of("nowhere.npy") == 0
    assert preparing_seconds(0) == MEETING_SECONDS
    assert preparing_seconds(1e12) == MEETING_SECONDS + 50_000


# In an interpreter of its own, which has loaded torch and nothing else when it forks: both ranks begin at once.
PREPARE = """
import multiprocessing, os, socket, sys, time
from stepkernels.arrays.torch_ranks.ranks import Ranks, RanksLostError, open_store

def prepare(rank, port, allowed, told):
    store = open_store("127.0.0.1", port, 2, 5.0, keeps=rank == 0)
    ranks = Ranks(store, rank, 2, timeout_seconds=5.0, meeting_seconds=5.0)
    try:
        if allowed:
            ranks.allow(allowed)
        time.sleep(8.0 * rank)
        told.put((rank, ranks.all_told(rank)))
        ranks.leave()
    except RanksLostError:
        told.put((rank, None))
    told.close()
    told.join_thread()
    os._exit(0)

if "lo" in {name for _, name in socket.if_nameindex()}:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
forked = multiprocessing.get_context("fork")
told, allowed = forked.Queue(), float(sys.argv[1])
started = [forked.Process(target=prepare, args=(rank, port, allowed, told), daemon=True) for rank in range(2)]
for process in started:
    process.start()
print(*sorted(told.get(timeout=60) for _ in started))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="two processes that have loaded torch already are forked")
@pytest.mark.parametrize(("allowed", "told"), [(0, "(0, None) (1, None)"), (60, "(0, [0, 1]) (1, [0, 1])")])
def test_ranks_wait_for_one_that_prepares_as_long_as_they_allow(allowed, told):
    """They meet within five seconds; the second one takes eight to prepare."""
    printed = subprocess.run(
        [sys.executable, "-c", PREPARE, str(allowed)], env=environment(), capture_output=True, text=True, timeout=120,
        check=True,
    ).stdout  # fmt: skip
    assert printed.strip() == told


@pytest.fixture
def one_rank(monkeypatch, of_no_group):
    """This process, as the only rank."""
    if "lo" in {name for _, name in socket.if_nameindex()}:
        monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    ranks = Ranks(open_store("127.0.0.1", 0, 1, 30.0, keeps=True), 0, 1, timeout_seconds=30.0)
    yield ranks
    ranks.leave()


def test_a_model_that_cannot_be_scored_is_written_all_the_same(one_rank, tmp_path, monkeypatch, capsys):
    def no_memory(*_):
        raise MemoryError("of a score")

    monkeypatch.setattr(sharded_fit, "score_of", no_memory)
    data, model = mapped_file(tmp_path / "data.npy", rows=1_000), tmp_path / "model.npz"
    with pytest.raises(ProblemError, match="did not suffice"):
        train_as_rank(Options(data=str(data)), model, one_rank)
    assert load_model(model).w.shape == (6,)
    assert f"The model was written before it could be scored: {model}." in capsys.readouterr().err
