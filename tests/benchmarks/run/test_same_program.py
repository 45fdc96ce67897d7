"""A run that is resumed goes on with what it was begun with, or says what is different and does not."""

import json
from dataclasses import replace

import pytest

from runs import KERNELS
from stepbench.cases import datasets
from stepbench.cases.datasets import register_files
from stepbench.cases.presets import PRESETS
from stepbench.cases.reading import Reading
from stepbench.run import session
from stepbench.run.choices import Choices, plan_run
from stepbench.run.provenance import differences, fingerprint, write_places
from stepbench.run.resuming import Again, plan_to_resume
from stepkernels.catalog import CATALOG
from stepkernels.interface import Implementation
from stepreports.records.files import RecordError
from stepreports.records.journal import NAME, read_events

KERNEL = "matrix_form.py"


@pytest.fixture
def kernel(tmp_path):
    """A kernel file and its row."""
    file = tmp_path / KERNEL
    file.write_text((KERNELS / KERNEL).read_text())
    return Implementation(name="my-matrix-form", module=str(file), optimizers=("gd",))


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "_FILES", {})
    file = tmp_path / "table.csv"
    file.write_text("a,b,label,c\n" + "".join(f"{i},{i * i},{i % 2},{-i}\n" for i in range(40)))
    return file


def begun(folder, *rows, sizes=("37x5",)):
    """A run that was killed right after its first line; the line."""
    choices = Choices(preset=PRESETS["quick"], rows=[CATALOG["numpy-blas"], *rows], named=True, sizes=list(sizes))
    folder.mkdir()
    plan = plan_run(choices)
    header = session._header(plan, folder)
    with session.Journal(folder, new=True) as journal:
        journal.write("run", **header)
    write_places(folder, plan.data)
    return read_events(folder)[0]


def rewrite(folder, header):
    (folder / NAME).write_text(json.dumps(header) + "\n")


def resume(folder, **again):
    return session.resume(folder, lambda _total: pytest.fail("it went on"), Again(**again))


def test_the_plan_is_the_same_when_nothing_has_changed(tmp_path, kernel, data):
    header = begun(tmp_path / "run", kernel, sizes=["37x5", *register_files([str(data)], "label")])
    plan, changed = plan_to_resume(tmp_path / "run", header["plan"], Again(kernels=[kernel]))
    assert changed == []
    assert differences(header, session._surroundings()) == []
    assert [each.row for each in plan.participants if each.key == kernel.name] == [kernel]
    assert plan.data[0].target == "label"


def test_a_kernel_file_that_has_changed_is_refused(tmp_path, kernel):
    begun(tmp_path / "run", kernel)
    (tmp_path / KERNEL).write_text((KERNELS / KERNEL).read_text() + "# slower\n")
    with pytest.raises(RecordError, match=f"{KERNEL} has changed since the run began"):
        resume(tmp_path / "run", kernels=[kernel])
    with pytest.raises(RecordError, match="has changed"):
        resume(tmp_path / "run", kernels=[kernel], anyway=True)


def test_a_kernel_file_is_not_executed_unless_it_is_given_again(tmp_path, kernel):
    begun(tmp_path / "run", kernel)
    with pytest.raises(RecordError, match=f"of {KERNEL}. Give that file again, with --kernel"):
        resume(tmp_path / "run")


@pytest.mark.parametrize("name", ["numpy-blas", "read-limit", "made-up"])
@pytest.mark.parametrize("field", ["module", "options", "library"])
def test_a_journal_cannot_have_another_module_executed(tmp_path, name, field):
    header = begun(tmp_path / "run")
    rows = {each["row"]["name"]: each["row"] for each in header["plan"]["participants"]}
    row = rows.get(name, rows["numpy-blas"])
    row["name"] = name
    row[field] = {"options": {"order": "F"}}.get(field, str(tmp_path / "evil.py"))
    rewrite(tmp_path / "run", header)
    if name == "made-up":
        with pytest.raises(RecordError, match="no row of this version"):
            resume(tmp_path / "run")
        return
    plan, _ = plan_to_resume(tmp_path / "run", header["plan"], Again())
    assert "evil" not in json.dumps(plan.to_json())
    with pytest.raises(RecordError, match=f"the row {name}'s {field} was"):
        resume(tmp_path / "run")


def test_data_that_have_changed_are_refused_and_moved_data_are_found_with_data(tmp_path, data):
    begun(tmp_path / "run", sizes=register_files([str(data)], "label"))
    moved = tmp_path / "elsewhere" / data.name
    moved.parent.mkdir()
    data.rename(moved)
    with pytest.raises(RecordError, match=r"table\.csv is not there any more. Say where the data are now, with --data"):
        resume(tmp_path / "run")
    datasets._FILES.clear()
    header = read_events(tmp_path / "run")[0]
    plan, _ = plan_to_resume(tmp_path / "run", header["plan"], Again(data=[moved]))
    assert plan.data[0].file == str(moved)
    moved.write_text(moved.read_text() + "1,2,0,3\n")
    with pytest.raises(RecordError, match="has changed since the run began: its times would be those of two problems"):
        resume(tmp_path / "run", data=[moved])


def test_data_are_found_and_their_column_known_wherever_the_run_is_resumed(tmp_path, data, monkeypatch):
    monkeypatch.chdir(tmp_path)
    header = begun(tmp_path / "run", sizes=register_files([data.name], "label", Reading(header=True)))
    monkeypatch.chdir("/")
    datasets._FILES.clear()
    plan_to_resume(tmp_path / "run", header["plan"], Again())
    assert datasets.shape_of("table.csv") == (40, 3)
    path, target, reading = datasets.file_of("table.csv")
    assert (path, target, reading.header) == (data, "label", True)


def test_data_that_only_the_journal_names_are_not_read(tmp_path):
    header = begun(tmp_path / "run")
    header["plan"]["cases"][0]["dataset"] = "/etc/passwd"
    with pytest.raises(RecordError, match="does not say where they are"):
        plan_to_resume(tmp_path / "run", header["plan"], Again())


VERSIONS = {
    "numpy": lambda header: header["machine"]["versions"].update(numpy="1.0"),
    "Python": lambda header: header["machine"].update(python="3.0.0"),
    "the system": lambda header: header["machine"].update(system="Linux 2.4"),
    "the commit": lambda header: header.update(commit={"id": "0" * 40, "dirty": False}),
    "the code of stepbench": lambda header: header.update(code="0" * 64),
    "jax-of-old": lambda header: header["machine"]["versions"].update({"jax-of-old": "1"}),
}
PLACES = {
    "the machine's cpu": lambda header: header["machine"].update(cpu="Z80"),
    "the processor's stepping": lambda header: header["machine"]["processor"].update(stepping="none"),
    "the machine's caches": lambda header: header["machine"].update(caches={"L1": 1}),
    "the machine's allowed cpus": lambda header: header["machine"].update(allowed_cpus=500),
    "the machine's memory bytes": lambda header: header["machine"].update(memory_bytes=2**50),
    "the machine's environment": lambda header: header["machine"].update(environment={"OPENBLAS_CORETYPE": "x"}),
    "the machine's GPUs": lambda header: header["machine"].update(gpus=[{"model": "GPU 9000"}]),
}


@pytest.mark.parametrize("what", [*VERSIONS, *PLACES])
def test_a_difference_is_named_and_only_versions_may_be_overridden(tmp_path, what, monkeypatch):
    header = begun(tmp_path / "run")
    if what == "the commit" and not header["commit"]:
        pytest.skip("not in a checkout")
    (VERSIONS | PLACES)[what](header)
    rewrite(tmp_path / "run", header)
    with pytest.raises(RecordError, match=f"would be of two programs: {what} was"):
        resume(tmp_path / "run")
    went_on = []
    monkeypatch.setattr(session, "_carry_out", lambda *arguments: went_on.append(arguments))
    if what in PLACES:
        with pytest.raises(RecordError, match=what):
            resume(tmp_path / "run", anyway=True)
        assert went_on == []
    else:
        resume(tmp_path / "run", anyway=True)
        assert len(went_on) == 1
        assert read_events(tmp_path / "run")[-1]["anyway"][0].startswith(what), "the journal says so"


def test_a_plan_that_cannot_be_read_is_a_sentence(tmp_path):
    header = begun(tmp_path / "run")
    for plan in (
        {},
        {**header["plan"], "cases": 3},
        {**header["plan"], "participants": [{}]},
        {**header["plan"], "x": 1},
    ):
        rewrite(tmp_path / "run", {**header, "plan": plan})
        with pytest.raises(RecordError, match="the journal is damaged"):
            resume(tmp_path / "run")


def test_a_file_that_is_edited_while_the_run_goes_on_is_not_timed_twice(tmp_path, kernel, data):
    plan = plan_run(Choices(preset=PRESETS["quick"], rows=[kernel], named=True, sizes=register_files([str(data)])))
    for source in (*plan.kernels, *plan.data):
        assert not source.has_changed()
        assert source.sha256 == fingerprint(tmp_path / source.file)
        (tmp_path / source.file).write_text("other")
        assert source.has_changed()
        assert replace(source, file=str(tmp_path / "gone")).has_changed()
