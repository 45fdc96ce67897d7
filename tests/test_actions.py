"""The actions for a CI runner: what they hand to stepbench is what it takes, and every input arrives there."""

import os
import re
import subprocess
import textwrap

import pytest
from typer.main import get_command

from runs import ROOT
from stepbench.cli import app

ACTIONS = {name: ROOT / ".github" / "actions" / name / "action.yml" for name in ("check", "compare")}
KERNELS = "kernels/one file.py\nkernels/two.py\n"
ASKED = {
    "check": {"KERNEL": KERNELS, "SIMULATE": "true"},
    "compare": {"KERNEL": KERNELS, "BASE": "main", "FAIL_SLOWER": "5%", "SIZES": "1000x20", "MAX_TIME": "5"},
}


def inputs(name):
    (block,) = re.findall(r"^inputs:\n(.*?)^\w", ACTIONS[name].read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return re.findall(r"^  ([\w-]+):$", block, re.MULTILINE)


def last_script(name):
    return textwrap.dedent(ACTIONS[name].read_text("utf-8").rpartition("run: |\n")[2])


@pytest.fixture
def handed_over(tmp_path):
    """What the script of an action calls, with a python that only writes it down."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done > "$CALLED"\n')
    python.chmod(0o755)
    runner = {
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "CALLED": str(tmp_path / "called"),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }

    def call(name, **asked):
        script = last_script(name)
        subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], env=runner | asked, check=True)
        return (tmp_path / "called").read_text().splitlines()

    return call


@pytest.mark.parametrize("name", ACTIONS)
def test_every_input_arrives_and_none_is_taken_for_a_command(name):
    told = ACTIONS[name].read_text("utf-8")
    assert inputs(name) == [each.lower().replace("_", "-") for each in ASKED[name]]
    for each in inputs(name):
        assert f"{each.upper().replace('-', '_')}: ${{{{ inputs.{each} }}}}" in told
    assert "${{" not in last_script(name), "what a stranger writes into a pull request is no part of a script"


@pytest.mark.parametrize("name", ACTIONS)
def test_what_is_handed_over_is_what_the_command_takes(name, handed_over):
    module, *arguments = handed_over(name, **ASKED[name])[1:]
    assert module == "stepbench"
    command = get_command(app).commands[arguments[0]]
    taken = command.make_context(name, arguments[1:]).params
    assert [str(file) for file in taken["kernel"]] == KERNELS.splitlines()
    assert str(taken["markdown"]).endswith("summary.md")
    if name == "compare":
        assert (taken["base"], taken["head"]) == ("main", "HEAD")
        assert (taken["fail_slower"], taken["sizes"], taken["max_time"]) == ("5%", "1000x20", 5.0)
    else:
        assert taken["simulate"] is True


def test_what_was_not_asked_for_is_left_to_the_command(handed_over):
    assert "--sizes" not in handed_over("compare", **ASKED["compare"] | {"SIZES": ""})
    assert "--simulate" not in handed_over("check", **ASKED["check"] | {"SIMULATE": "false"})


@pytest.mark.parametrize("name", ACTIONS)
def test_the_readme_shows_it_with_inputs_that_it_has(name):
    readme = (ROOT / "README.md").read_text("utf-8")
    (example,) = [each for each in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if f"actions/{name}@" in each]
    (given,) = re.findall(rf"actions/{name}@.*\n +with:\n((?: +[\w-]+: .*\n)+)", example)
    assert set(re.findall(r"^ +([\w-]+):", given, re.MULTILINE)) <= set(inputs(name))
    assert len(example.splitlines()) <= 13
