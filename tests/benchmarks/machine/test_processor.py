"""The processor as the system tells it: exactly enough that two of one name are two."""

from __future__ import annotations

import json

import pytest

from stepbench.machine import processor as module
from stepbench.machine.processor import cpu_name, hypervisor, numa_nodes, processor

X86 = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 143
model name\t: Intel(R) Xeon(R) Processor @ 2.70GHz
stepping\t: 8
microcode\t: 0x1
flags\t\t: fpu sse4_2 avx avx2 fma avx512f amx_tile hypervisor
"""
ARM = """processor\t: {number}
Features\t: fp asimd sve {more}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: {part}
CPU revision\t: 1
"""


@pytest.fixture(autouse=True)
def on_linux(monkeypatch):
    monkeypatch.setattr(module.platform, "system", lambda: "Linux")


@pytest.fixture
def told(tmp_path):
    def processor_of(text):
        (tmp_path / "cpuinfo").write_text(text)
        return processor(tmp_path / "cpuinfo")

    return processor_of


def test_an_x86_processor_is_told_by_its_numbers_and_what_it_can_do(told, tmp_path):
    assert told(X86 + "\n" + X86) == {
        "vendor": "GenuineIntel", "family": "6", "model": "143", "stepping": "8", "variant": None, "microcode": "0x1",
        "instruction_sets": ["sse4_2", "avx", "avx2", "fma", "avx512f", "amx_tile"],
    }  # fmt: skip
    assert cpu_name(tmp_path / "cpuinfo") == "Intel(R) Xeon(R) Processor @ 2.70GHz"


def test_an_arm_processor_without_a_name_is_told_by_its_part(told):
    one, other = (told(ARM.format(number=0, part=part, more="bf16")) for part in ("0xd0c", "0xd40"))
    assert (one["vendor"], one["family"], one["model"], other["model"]) == ("0x41", "8", "0xd0c", "0xd40")


def test_of_two_kinds_of_core_both_are_told_and_only_what_both_can_do(told):
    found = told(ARM.format(number=0, part="0xd0c", more="bf16") + "\n" + ARM.format(number=1, part="0xd40", more=""))
    assert found["model"] == "0xd0c / 0xd40"
    assert found["instruction_sets"] == ["asimd", "sve"]


def test_what_cannot_be_read_is_not_known(tmp_path):
    assert set(processor(tmp_path / "absent").values()) == {None}
    assert numa_nodes(tmp_path) is None


def test_nodes_are_counted(tmp_path):
    for name in ("node0", "node1", "online"):
        (tmp_path / name).mkdir()
    assert numa_nodes(tmp_path) == 2


@pytest.mark.parametrize("nested", [False, True])
def test_the_hypervisor_is_as_lscpu_has_it(nested):
    line = {"field": "Hypervisor vendor:", "data": "KVM"}
    lines = [{"field": "Virtualization features:", "data": None, "children": [line]}] if nested else [line]
    assert hypervisor(lambda *_: json.dumps({"lscpu": lines})) == "KVM"


@pytest.mark.parametrize("answer", ["", "[]", '{"lscpu": []}', "lscpu: invalid option -- json"])
def test_without_an_answer_there_is_none(answer):
    assert hypervisor(lambda *_: answer) is None


def test_an_apple_processor_is_told_by_its_family(monkeypatch):
    monkeypatch.setattr(module.platform, "system", lambda: "Darwin")
    answers = {"hw.cpufamily": "1867590060", "hw.optional": "hw.optional.arm.FEAT_BF16: 0\nhw.optional.neon: 1"}
    found = processor(ask=lambda *command: answers.get(command[-1], ""))
    assert (found["family"], found["model"], found["instruction_sets"]) == ("1867590060", None, ["neon"])
