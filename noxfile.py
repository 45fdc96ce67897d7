# /// script
# dependencies = ["nox>=2025.2"]
# ///
"""Everything a developer, a user or a CI runner does, one session each. `nox -l` lists them."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "lint", "types", "smoke"]

PROJECT = nox.project.load_toml("pyproject.toml")
PINNED = ("--constraint", "constraints.txt")
CPU_ROWS = ".[estimator,history,jax]"
SIDE_BY_SIDE = ("-n", "logical", "--maxprocesses", "4", "--dist", "worksteal")
INDEX, MARKS = (
    "stepreports.publish",
    ("stepbench.evidence.marks", "stepbench.evidence.training_marks"),
)  # what is published
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def dependencies(group: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(PROJECT, group)  # type: ignore[no-any-return]


def gpu_extra() -> str | None:
    """The extra for this machine's NVIDIA driver ("cuda12" or "cuda13"), or None without one."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int(0)
    if driver.cuDriverGetVersion(ctypes.byref(version)):
        return None
    return "cuda13" if version.value >= 13_000 else "cuda12"


@nox.session
def bench(session: nox.Session) -> None:
    """Check, time and report every row that can run here: `nox -s bench -- --preset standard`."""
    extra = gpu_extra()
    session.install(*PINNED, f".[{extra},triton]" if extra else ".")
    session.run("stepbench", "run", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The laws, the mathematics, the gallery of broken kernels, the harness: against the built package."""
    session.install(*PINNED, CPU_ROWS, *dependencies("tests"), *dependencies("simulate"))
    session.run("pytest", *SIDE_BY_SIDE, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and the directions of imports."""
    session.install(*PINNED, *dependencies("lint"))
    session.install("--no-deps", "-e", ".")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Static types, strictly."""
    session.install(*PINNED, ".", *dependencies("types"))
    session.run("mypy")


@nox.session
def smoke(session: nox.Session) -> None:
    """Every benchmark at tiny sizes, a whole small run with its report, `check`; and no published figure is stale."""
    session.install(*PINNED, CPU_ROWS)
    suite = session.run("python", "-c", "from stepbench.worker.suite import FOLDER; print(FOLDER)", silent=True)
    session.run("pytest", suite.strip(), "-q", "--benchmark-columns=median", "--benchmark-sort=name")
    out = Path(session.create_tmp()) / "run"
    shutil.rmtree(out, ignore_errors=True)
    session.run("stepbench", "run", "--sizes", "1000x20", "--dtypes", "float32", "--out", str(out))
    session.run("stepbench", "report", str(out))
    session.run("pytest-benchmark", "compare", str(out / "benchmark.json"), "--columns=median", silent=True)
    session.run("stepbench", "check")
    for module in (INDEX, *MARKS):
        session.run("python", "-m", module, "--check")


@nox.session
def report(session: nox.Session) -> None:
    """Render runs again: `nox -s report -- reports/runs/<run>`."""
    session.install(*PINNED, ".")
    session.run("stepbench", "report", *session.posargs)


@nox.session
def published(session: nox.Session) -> None:
    """Rewrite the index of published runs and the figures of the READMEs: `nox -s published -- reports/runs/<run>`."""
    session.install(*PINNED, ".")
    session.run("python", "-m", INDEX, *session.posargs)
    for module in MARKS:
        session.run("python", "-m", module, "--check" if "--check" in session.posargs else "--write")


@nox.session
def peers(session: nox.Session) -> None:
    """Our classifier beside those of other libraries, of which it installs what it can: `nox -s peers -- --trial`."""
    session.install(*PINNED, ".")
    for requirement in dependencies("peers"):
        try:
            session.install(*PINNED, requirement)
        except nox.command.CommandFailed:
            session.warn(f"{requirement} could not be installed here; the others go on without it.")
    session.run("python", "-m", "stepbench.evidence.peers", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """The report's page in a real browser; needs Chromium."""
    session.install(*PINNED, ".", *dependencies("tests"), *dependencies("browser"))
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        session.error(f"No Chromium was found (looked for {', '.join(CHROMIUM)}). Install your system's package.")
    session.run("pytest", "tests/browser", *session.posargs, env={"STEPBENCH_CHROMIUM": path})


@nox.session
def gpu(session: nox.Session) -> None:
    """Every CUDA row, on a GPU, with compute-sanitizer where it is on PATH; a row that does not run is a failure."""
    extra = gpu_extra()
    if extra is None:
        session.error("No NVIDIA driver was found; this session needs a GPU.")
    session.install(*PINNED, f".[{extra},triton,estimator]", *dependencies("tests"))
    session.run("pytest", "-m", "gpu", "--require-gpu", *session.posargs)


@nox.session
def minimums(session: nox.Session) -> None:
    """The oldest versions that pyproject.toml allows, on every test but the slow ones: `-- tests/kernels` for some."""
    session.install("uv")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", ".[estimator,history]", *dependencies("tests"))
    session.run("pytest", "-m", "not slow", *SIDE_BY_SIDE, *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """The wheel and the source distribution, and the command line from a bare install of the wheel's files."""
    session.install("build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    wheel = next(Path("dist").glob("*.whl"))
    session.install(*PINNED, str(wheel))
    session.run("stepbench", "list")


if __name__ == "__main__":
    nox.main()
