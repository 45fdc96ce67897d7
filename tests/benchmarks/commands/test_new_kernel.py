"""Kernel files to start from: each is complete and agrees; of the GPU's, what can be said without one."""

import pytest

from checks import verdict_of
from runs import stepbench
from stepbench.checking import Verdict, load_kernel
from stepbench.checking.cuda.compiled import compiled_report
from stepbench.commands.scaffolds import FILES, scaffold


def written(language, folder):
    for path, text in scaffold(language, folder / "my_own.py").items():
        path.write_text(text, encoding="utf-8")
    return folder / "my_own.py"


@pytest.mark.parametrize("language", FILES)
def test_what_is_written_is_a_kernel_file_whose_source_lies_beside_it(tmp_path, language):
    if language == "triton":
        pytest.importorskip("triton", reason="the file imports it")
    row = load_kernel(written(language, tmp_path))
    assert row.name == f"my-{language}-kernel"
    for source in filter(None, (row.cuda_source, row.cpp_source)):
        assert (tmp_path / source).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("language", FILES)
def test_each_agrees_or_passes_what_can_be_had_without_a_gpu(tmp_path, language):
    if language == "triton":
        pytest.importorskip("triton", reason="the file imports it")
    if language == "cuda":
        pytest.importorskip("cuda.bindings", reason="NVRTC compiles the source")
    row = load_kernel(written(language, tmp_path))
    if row.device == "cpu" and row.unavailable():
        pytest.skip(str(row.unavailable()))
    report, _ = verdict_of(row, simulate=True)
    good = {"triton": Verdict.SIMULATED, "cuda": Verdict.COMPILED}.get(language, Verdict.AGREES)
    assert report.verdict in (good, Verdict.AGREES), str(report)


def test_the_cuda_source_compiles(tmp_path):
    pytest.importorskip("cuda.bindings", reason="NVRTC compiles the source")
    report = compiled_report(load_kernel(written("cuda", tmp_path)))
    assert report.verdict is Verdict.COMPILED, report.reason


def test_the_command_writes_overwrites_only_by_force_and_says_what_to_do(tmp_path):
    file = tmp_path / "mine.py"
    first = stepbench("new-kernel", "cpp", "--out", file)
    assert first.returncode == 0, first.stderr
    assert f"stepbench check --kernel {file}" in first.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"mine.py", "mine.cpp"}
    again = stepbench("new-kernel", "cpp", "--out", file)
    assert again.returncode == 2
    assert "--force overwrites it" in again.stderr


@pytest.mark.parametrize("arguments", [("fortran",), ("numpy", "--out", "kernel.txt"), ()])
def test_what_it_does_not_have_is_a_sentence(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    finished = stepbench("new-kernel", *arguments)
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert not list(tmp_path.iterdir())
