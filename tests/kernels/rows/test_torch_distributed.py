"""The ranks of torch-distributed-cpu: their shares, the same bits on all of them, and what becomes of a lost one."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from fused_rows import started
from stepkernels import GD, Adam, Config, ProblemError, synthetic_problem
from stepkernels.agreement import Traits, compare, expect_step
from stepkernels.catalog import CATALOG
from stepkernels.reference import Point

torch_distributed = pytest.importorskip("torch.distributed")

from stepkernels.arrays.torch_ranks.ranks import RanksLostError  # noqa: E402
from stepkernels.arrays.torch_ranks.roll_call import RollCall  # noqa: E402
from stepkernels.arrays.torch_ranks.sharded_step import add_in_order, norm_squared, share_of  # noqa: E402

ROW = CATALOG["torch-distributed-cpu"]
ADAM = Adam(learning_rate=0.02, beta1=0.8, beta2=0.99)
FIELDS = ("J", "w", "b", "gw", "gb", "moment1", "moment2", "costs")


def of(ranks, **options):
    return replace(ROW, options={**ROW.options, "ranks": ranks, **options})


def processes_of_ranks():
    living = [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in living if "rank_process" in " ".join(each.cmdline())]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("m", [1, 2, 7, 100, 101])
def test_the_shares_are_all_rows_in_order_and_differ_by_one_row_at_most(count, m):
    shares = [share_of(rank, count, m) for rank in range(count)]
    assert [row for share in shares for row in range(m)[share]] == list(range(m))
    lengths = [share.stop - share.start for share in shares]
    assert lengths == sorted(lengths, reverse=True)
    assert max(lengths) - min(lengths) <= 1


def test_the_parts_are_added_in_the_order_of_the_ranks():
    """1e16 + 1 − 1e16 is 0 in this order, and 1 in another."""
    total = np.empty(1)
    add_in_order(np.array([[1e16], [1.0], [-1e16]]), total)
    assert total[0] == 0.0


def test_the_penalty_is_infinite_or_nan_where_w_is():
    assert norm_squared(np.array([1e200, 1.0])) == np.inf
    assert norm_squared(np.full(4, 1e154)) == np.inf
    assert np.isnan(norm_squared(np.array([np.nan, np.inf])))
    assert norm_squared(np.array([3.0, 4.0], np.float32)) == 25.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("ranks", "m"), [(1, 5), (2, 101), (3, 100), (4, 2)])
def test_a_step_agrees_with_the_truth_at_every_number_of_ranks(ranks, m, dtype):
    """Also where the shares are unequal, and where ranks have no rows at all."""
    problem = started(synthetic_problem(m, 9, dtype))
    for config in (Config(dtype=dtype, l2=0.125), Config(dtype=dtype, optimizer=ADAM)):
        workspace = of(ranks).bind(problem, config)
        before = Point.of(workspace.snapshot())
        workspace.step()
        expectation = expect_step(problem, config, before, Traits.of(ROW))
        agreement = compare(workspace.snapshot(), expectation, dtype)
        assert agreement.agrees, agreement.reason


@pytest.mark.parametrize("ranks", [2, 3])
def test_all_ranks_have_the_same_bits_in_every_repeat(ranks):
    problem = synthetic_problem(1001, 13)
    found = set()
    for _ in range(3):
        workspace = of(ranks).bind(problem, Config(optimizer=ADAM, l2=0.1))
        workspace.train(20)
        for snapshot in workspace.snapshots():
            assert snapshot.step == 20
            found.add(b"".join(getattr(snapshot, name).tobytes() for name in FIELDS))
    assert len(found) == 1


def test_a_reset_reaches_every_rank():
    workspace = of(2).bind(synthetic_problem(50, 3), Config(optimizer=GD(learning_rate=0.1)))
    workspace.train(3)
    moments = np.full(4, 0.5), np.full(4, 0.25)
    workspace.reset(np.array([1.0, -2.0, 3.0]), 0.5, moments, step=7)
    for snapshot in workspace.snapshots():
        assert snapshot.w.tolist() == [1.0, -2.0, 3.0]
        assert (float(snapshot.b), snapshot.step) == (0.5, 7)
        assert snapshot.moment1.tolist() == moments[0].tolist()
        assert snapshot.moment2.tolist() == moments[1].tolist()


def test_a_workspace_that_is_dropped_is_dropped_by_all_and_the_others_go_on():
    kept = of(2).bind(synthetic_problem(50, 3), Config())
    for _ in range(3):
        of(2).bind(synthetic_problem(60, 4), Config()).step()
    kept.step()
    assert len(kept.snapshots()) == 2


@pytest.mark.parametrize(("number", "became"), [(signal.SIGKILL, "has ended"), (signal.SIGSTOP, "is stopped")])
def test_a_lost_rank_is_named_in_time_and_the_next_problem_has_new_ranks(number, became):
    problem = synthetic_problem(50, 3)
    row = of(3, timeout_seconds=6.0)
    workspace = row.bind(problem, Config())
    lost = processes_of_ranks()[-1]
    lost.send_signal(number)
    began = time.monotonic()
    with pytest.raises(RanksLostError, match=rf"rank 2 \(process {lost.pid}\), which {became}"):
        workspace.train(10**6)
    assert time.monotonic() - began < 6.0
    with pytest.raises(RanksLostError, match="Bind the problem again"):
        workspace.step()
    row.bind(problem, Config()).step()
    assert not lost.is_running()
    assert len(processes_of_ranks()) == 2


def test_an_operation_that_is_broken_off_leaves_no_rank_behind(monkeypatch):
    workspace = of(2).bind(synthetic_problem(50, 3), Config())
    monkeypatch.setattr(workspace.own, "update", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        workspace.step()
    psutil.wait_procs(processes_of_ranks(), timeout=10)
    assert processes_of_ranks() == []


def test_the_ranks_end_with_the_process_that_started_them():
    program = (
        "import time\nfrom dataclasses import replace\nfrom stepkernels import *\n"
        "from stepkernels.catalog import CATALOG\n"
        "row = CATALOG['torch-distributed-cpu']\n"
        "row = replace(row, options={**row.options, 'ranks': 3})\n"
        "workspace = row.bind(synthetic_problem(20, 2), Config())\nprint('bound', flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"bound\n"
        ranks = psutil.Process(parent.pid).children()
        assert len(ranks) == 2
        parent.kill()
        _, alive = psutil.wait_procs(ranks, timeout=10)
        assert alive == []


def test_a_number_of_ranks_that_cannot_be_is_refused():
    with pytest.raises(ProblemError, match="at least 1"):
        of(0).bind(synthetic_problem(5, 2), Config())


def test_a_process_that_belongs_to_a_process_group_is_told_so():
    program = (
        "import os, torch.distributed as dist\nfrom stepkernels import *\nfrom stepkernels.catalog import CATALOG\n"
        "dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)\n"
        "try:\n    CATALOG['torch-distributed-cpu'].bind(synthetic_problem(5, 2), Config())\n"
        "except ProblemError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert "belongs to a process group of torch.distributed already" in told.stdout


class SilentStore:
    """One on a host that is out of reach."""

    def check(self, _keys):
        time.sleep(30)


def test_a_store_that_does_not_answer_is_given_up():
    """torch waits for it without end."""
    with pytest.raises(RuntimeError, match="does not answer within"):
        RollCall(SilentStore(), 1, 2).lost(0.1)
