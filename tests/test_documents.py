"""What the documents say is so: the example is the tested file, the commands exist, the links lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

from stepbench.cases.presets import PRESETS
from stepbench.cli import app
from stepkernels.catalog import CATALOG

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")
COMMANDS = {command.name for command in app.registered_commands}


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_kernel_example_is_the_file_the_tests_check():
    (example,) = re.findall(
        r"<!-- tests/kernel_files/matrix_form\.py -->\n```python\n(.*?)```", text("CONTRIBUTING.md"), re.DOTALL
    )
    assert example == text("tests/kernel_files/matrix_form.py")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_rows_and_presets_in_the_documents_exist(name):
    document = text(name)
    assert set(re.findall(r"stepbench (\w+(?:-\w+)*)(?![\w-]) ?[-A-Z]", document)) <= COMMANDS
    for names in re.findall(r"--(?:rows|require|row) ([a-z][\w,-]*)", document):
        assert set(names.split(",")) <= set(CATALOG)
    assert set(re.findall(r"--preset (\w+)", document)) <= set(PRESETS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files_of_the_repository(name):
    folder = (ROOT / name).parent
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text(name))
    missing = [target for target in targets if not (folder / target).exists()]
    assert missing == []


def test_what_is_claimed_to_run_has_a_job_and_the_other_way_round():
    jobs, project = text(".github/workflows/ci.yml"), tomllib.loads(text("pyproject.toml"))["project"]
    claimed = [each.rpartition(" ")[2] for each in project["classifiers"] if " :: 3." in each]
    (tested,) = re.findall(r"^ +python: \[(.*)\]$", jobs, re.MULTILINE)
    assert re.findall(r"[\d.]+", tested) == claimed
    assert project["requires-python"] == f">={claimed[0]}"
    assert f"Linux and macOS, Python {claimed[0]} to {claimed[-1]}" in text("README.md")
    assert {"ubuntu", "macos"} == set(re.findall(r"system: \[?(ubuntu|macos)", jobs))
    assert "Operating System :: MacOS" in project["classifiers"]
    assert "nox -s minimums" in jobs


def test_each_of_the_twelve_rules_is_told_with_a_file_that_shows_it():
    """Hoefler and Belli, SC 2015: whoever says that a rule is met points at a test or a file of the repository."""
    pattern = r"<!-- stepbench:rules -->\n(.*?)<!-- /stepbench:rules -->"
    (table,) = re.findall(pattern, text("benchmarks/README.md"), re.DOTALL)
    lines = table.splitlines()[2:]
    assert [line.split(".")[0].strip("| ") for line in lines] == [str(number) for number in range(1, 13)]
    for line in lines:
        shown = re.findall(r"`([^`]+)`", line.rstrip("| ").rpartition("|")[2])
        assert shown, line
        assert [name for name in shown if not (ROOT / name).is_file()] == []


def test_the_readmes_example_runs():
    (code,) = re.findall(r"```python\n(from stepkernels import GD.*?)```", text("README.md"), re.DOTALL)
    smaller = code.replace("20_000", "200").replace("print(", "cost = (")
    names = {}
    exec(smaller, names)
    assert 0 < names["cost"] < 0.7
