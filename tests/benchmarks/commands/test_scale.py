"""scale: ranks in turns with single processes, by one command, under torchrun, and on several hosts."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest
from typer.testing import CliRunner

from runs import environment, stepbench
from stepbench.cases.case import Size
from stepbench.cli import app
from stepbench.commands.scale import Options, question_of
from stepbench.run.in_turns import InTurns
from stepbench.run.scaling import hosts
from stepbench.run.scaling.far_ranks import free_port
from stepbench.run.scaling.hosts import HostLine, hosts_of
from stepbench.run.scaling.scale_question import OF_ONE_THREAD, ScaleQuestion, participants_of_place, require_scalable
from stepbench.run.scaling.scale_timed import timed_of
from stepkernels.catalog import CATALOG
from stepkernels.problem import ProblemError

pytest.importorskip("torch.distributed")

MARK = "STEPBENCH_TEST_OUT"  # in the environment of all that a test starts
SMALL = ("--sizes", "300x5", "--ranks", "1,2", "--base", "numba-fused")
UNCOMPILED = ("--sizes", "300x5", "--row", "python-loop", "--base", "python-loop")  # its processes begin at once


def question(**changed):
    asked = {
        "row": "numba-fused", "ranks": (1, 2, 4), "sizes": [Size(m=1000, n=20)], "dtypes": ("float64",),
        "bases": ("numba-fused", "numba-fused-parallel"),
    }  # fmt: skip
    return ScaleQuestion(**asked | changed)


def few_turns(*arguments, under=(), **variables):
    """The command with one generation of two turns; with all of them it is one that hosts run together."""
    command = [sys.executable, "-m", *under, "few_turns", "scale", *map(str, arguments)]
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, timeout=300, check=False
    )


def torchrun(ranks):
    return ("torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks), "-m")


def assert_scaled(finished, folder, ranks):
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr
    told = json.loads((folder / "scale.json").read_text())
    assert told["failed"] == []
    assert sorted({each["ranks"] for each in told["timed"] if each["ranks"]}) == ranks
    assert [each["ranks"] for each in told["parts"]] == ranks
    assert finished.stdout.count("Scaling: ") == 1
    assert (folder / "scale.html").is_file()


def nobody_is_left(folder):
    """Of what was started for a result in this folder: other tests have ranks of their own at the same time."""
    told = f"{MARK}={folder}"
    return not any(told in environment_of(each) for each in psutil.process_iter())


def environment_of(process):
    try:
        return [f"{name}={value}" for name, value in process.environ().items()]
    except (psutil.Error, OSError):
        return []


def test_strong_scaling_keeps_the_size_and_weak_scaling_the_share():
    assert [(place.case.m, place.ranks) for place in question().places] == [(1000, (1, 2, 4))]
    weak = question(weak=True).places
    assert [(place.case.m, place.ranks, place.shares) for place in weak] == [
        (1000, (1,), 1),
        (2000, (1, 2), 2),
        (4000, (1, 4), 4),
    ]


@pytest.mark.parametrize(("weak", "ranks"), [(True, [1, 2, 4]), (False, [2, 4])])
def test_weak_scaling_always_times_one_share_on_one_rank(weak, ranks):
    assert question_of(Options(weak=weak, ranks="2,4")).ranks == ranks


def test_the_best_of_one_process_takes_turns_twice_and_each_number_of_ranks_once():
    asked = question()
    keys = [each.key for each in participants_of_place(asked, asked.places[0])]
    assert keys == [
        "numba-fused",
        "numba-fused-parallel",
        "numba-fused-parallel#1",
        *(f"torch-distributed-cpu@{count}" for count in (1, 2, 4)),
    ]


def test_what_is_timed_says_how_many_threads_it_has():
    """A row of one thread has one, whatever may be used; ranks have one each; any other row may use all."""
    asked = question(ranks=(1, 2))
    (place,) = asked.places
    place = place._replace(case=replace(place.case, threads=16))
    participants = participants_of_place(asked, place)
    found = InTurns({(each.key, place.case.name): {(0, 0): 1.0} for each in participants}, {})
    assert [each.threads for each in timed_of(place, participants, found)] == [1, 16, 16, 1, 2]


def test_rows_of_one_thread_are_rows_that_take_a_gradient():
    assert all("gradient" in CATALOG[name].ops and not CATALOG[name].options for name in OF_ONE_THREAD)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ranks": ()}, "--ranks takes whole numbers from 1 to 64"),
        ({"ranks": (0,)}, "--ranks takes whole numbers from 1 to 64"),
        ({"ranks": (65,)}, "--ranks takes whole numbers from 1 to 64"),
        ({"row": "nope"}, "'nope' does not take the gradient of a rank's rows here"),
        ({"row": "numpy-blas"}, "each rank has one thread"),
        ({"bases": ()}, "--base names no row"),
        ({"bases": ("nope",)}, "There is no row called 'nope'"),
        ({"sizes": [Size(m=3, n=5)]}, "3 rows cannot be shared among 4 ranks, so that each has one"),
        ({"sizes": [Size(m=10**9, n=1000)]}, "may need .* GiB"),
    ],
)
def test_what_cannot_be_timed_is_refused_before_anything_starts(changed, told):
    with pytest.raises(ProblemError, match=told):
        require_scalable(question(**changed))


@pytest.mark.slow
def test_ranks_take_turns_with_a_single_process(tmp_path):
    out = tmp_path / "out"
    finished = few_turns(
        *SMALL,
        "--out",
        out,
        "--json",
        tmp_path / "told.json",
        "--markdown",
        tmp_path / "pr.md",
        **{MARK: str(tmp_path)},
    )
    assert_scaled(finished, out, [1, 2])
    (case,) = json.loads((tmp_path / "told.json").read_text())["cases"]
    assert [point["ranks"] for point in case["ranks"]] == [1, 2]
    assert case["best"] == "numba-fused"
    assert (tmp_path / "pr.md").read_text() == (out / "scale.md").read_text()
    assert nobody_is_left(tmp_path)


@pytest.mark.slow
def test_weak_scaling_has_a_size_for_each_number_of_ranks(tmp_path):
    finished = few_turns("--weak", *UNCOMPILED, "--ranks", "2", "--out", tmp_path / "out")
    assert finished.returncode == 0, finished.stderr
    told = json.loads((tmp_path / "out" / "scale.json").read_text())
    assert sorted({(each["m"], each["ranks"]) for each in told["timed"] if each["ranks"]}) == [
        (300, 1),
        (600, 1),
        (600, 2),
    ]


@pytest.mark.slow
def test_under_torchrun_its_ranks_take_part_and_all_of_them_end(tmp_path):
    mark = {MARK: str(tmp_path)}
    finished = few_turns(*UNCOMPILED, "--out", tmp_path / "out", under=torchrun(2), **mark)
    assert_scaled(finished, tmp_path / "out", [1, 2])
    assert nobody_is_left(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        *((("--timeout", each), "--timeout is no time to wait") for each in ("nan", "inf", "0", "-1")),
        (("--ranks", "0"), "--ranks takes whole numbers"),
        (("--ranks", "1,3"), "--ranks is 1,3, and torchrun has started 2"),
        (("--row", "nope"), "'nope' does not take the gradient"),
        (("--sizes", "1x5"), "1 rows cannot be shared among 2 ranks"),
        (("--base", ""), "--base names no row"),
    ],
)
@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_rank_refuses_what_it_is_asked_before_it_meets_the_others(monkeypatch, tmp_path, rank, arguments, told):
    """They would never come: nobody else was started."""
    alone = {"RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in alone.items():
        monkeypatch.setenv(name, value)
    finished = CliRunner().invoke(app, ["scale", *arguments, "--out", str(tmp_path / "out")])
    assert finished.exit_code == 2, finished.stderr
    assert told in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "out").exists()


def test_torchrun_cannot_be_asked_for_more_ranks_than_it_started(tmp_path):
    finished = few_turns("--ranks", "1,3", "--out", tmp_path / "out", under=torchrun(2))
    assert finished.returncode != 0
    assert "--ranks is 1,3, and torchrun has started 2" in finished.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_hosts_in_a_file_run_one_command_together(tmp_path):
    """Two addresses of this machine, the second reached through a shell instead of ssh."""
    (tmp_path / "hosts").write_text("# ours\n127.0.0.1 1\n127.0.0.2   # the other\n")
    finished = stepbench(
        "scale", *UNCOMPILED, "--ranks", "2", "--hosts", tmp_path / "hosts", "--by", "env HOST={host} sh -c",
        "--out", tmp_path / "out", GLOO_SOCKET_IFNAME="lo", **{MARK: str(tmp_path)},
    )  # fmt: skip
    assert_scaled(finished, tmp_path / "out", [2])
    assert json.loads((tmp_path / "out" / "scale.json").read_text())["hosts"] == 2
    assert nobody_is_left(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "must name two hosts or more"),
        ("a\n", "must name two hosts or more"),
        ("a\na 2\n", "each once"),
        ("a 0\nb\n", r"Line 1 of .* is 'a 0'; write a host and its number of ranks"),
        ("a\n-o ProxyCommand=x\n", r"Line 2 of .*; write a host"),
        ("a 1 2\nb\n", r"Line 1 of .*; write a host"),
        ("a\nb\0c\n", r"Line 2 of .*; write a host"),
        (b"\xff\xfe", "it is no text"),
    ],
)
def test_hosts_that_are_none_are_refused(tmp_path, content, told):
    file = tmp_path / "hosts"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ProblemError, match=told):
        hosts_of(file)


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("ssh", r"it must have \{host\} where the host belongs"),
        ("ssh '{host}", r"cannot be taken apart as a shell does \(no closing quotation\)"),
        ("nossh {host}", "there is no program 'nossh' here"),
        ("{host}", r"there is no program '127\.0\.0\.2' here"),
        ("'' {host}", "there is no program '' here"),
    ],
)
def test_what_cannot_start_the_others_is_refused_before_anything_starts(monkeypatch, start, told):
    monkeypatch.setattr(hosts, "ChildProcess", pytest.fail)
    with pytest.raises(ProblemError, match=told):
        hosts.run_on_hosts([HostLine("127.0.0.1", 1), HostLine("127.0.0.2", 1)], start, [])


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (
            "sh -c 'echo no way to {host} >&2; exit 255' --",
            "status 255, and all others were ended. Its last words: no way",
        ),
        ("sh -c 'exit 3' {host}", "status 3, and all others were ended. Its last words: it said nothing."),
    ],
)
def test_a_host_that_cannot_be_started_ends_the_others_and_is_named(tmp_path, by, told):
    """Before the ten minutes are over for which torchrun waits for it, and a test for no more than five."""
    (tmp_path / "hosts").write_text("127.0.0.1\n127.0.0.2\n")
    finished = stepbench(
        "scale", *SMALL, "--hosts", tmp_path / "hosts", "--by", by, "--out", tmp_path / "out", **{MARK: str(tmp_path)}
    )
    assert finished.returncode == 2
    assert "On 127.0.0.2 the command ended with exit" in finished.stderr
    assert told in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
    assert nobody_is_left(tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["192.0.2.1", "a" * 64, "a..b"])
def test_an_address_of_another_host_is_told(address):
    with pytest.raises(ProblemError, match=f"{re.escape(address)} is not an address of this host"):
        free_port(address)
