"""What a commit holds, written elsewhere: links within are kept, one that leads outside is refused, by any Python."""

import tarfile
from pathlib import PurePosixPath

import pytest

from repositories import git, repository_of_a_kernel
from stepbench.run.commits.repository import Repository
from stepkernels.problem import ProblemError


@pytest.fixture(params=["as it is", "without a filter"])
def any_python(request, monkeypatch):
    """Also the first versions of 3.11, whose tarfile has no filter."""
    if request.param == "without a filter" and hasattr(tarfile, "data_filter"):
        whole = tarfile.TarFile.extractall

        def extractall(archive, path):
            whole(archive, path, filter="fully_trusted")

        monkeypatch.delattr(tarfile, "data_filter")
        monkeypatch.setattr(tarfile.TarFile, "extractall", extractall)


@pytest.fixture
def exported(tmp_path):
    """The commit of a repository in which one file links to `target`, in a folder of its own."""

    def export(target):
        root = repository_of_a_kernel(tmp_path / "repository")
        (root / "src" / "linked.py").symlink_to(target)
        git(root, "add", ".")
        git(root, "commit", "--quiet", "-m", "link")
        repository, out = Repository.of(root), tmp_path / "out"
        out.mkdir()
        repository.export(repository.commit("HEAD"), [PurePosixPath("src")], out)
        return out / "src"

    return export


@pytest.mark.usefixtures("any_python")
@pytest.mark.parametrize("target", ["beside.py", "../src/beside.py"])
def test_a_link_within_is_kept(exported, target):
    folder = exported(target)
    assert (folder / "linked.py").is_symlink()
    assert (folder / "linked.py").read_text() == (folder / "beside.py").read_text()


@pytest.mark.usefixtures("any_python")
@pytest.mark.parametrize("target", ["/etc/passwd", "../../elsewhere", "../x/../../elsewhere"])
def test_a_link_that_leads_outside_is_refused(exported, target):
    with pytest.raises(ProblemError, match=r"holds what cannot be written elsewhere \(.*linked\.py"):
        exported(target)
