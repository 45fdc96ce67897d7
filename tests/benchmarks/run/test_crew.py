"""The workers of a generation: what one compiles, no other uses."""

from stepbench.machine.children import CACHES
from stepbench.run.crew import compile_caches_of
from stepbench.run.participants import Participant
from stepbench.run.processes import environment_of_worker
from stepkernels.catalog import CATALOG


def test_no_two_workers_share_a_compile_cache(tmp_path):
    fused = CATALOG["numba-fused"]
    participants = [Participant(fused), Participant(fused, replica=1), Participant(CATALOG["numba-fused-parallel"])]
    folders = []
    for each in participants:
        environment = environment_of_worker(each, 2, compile_caches_of(each, tmp_path))
        folders += [environment[name] for name in CACHES]
    assert len(set(folders)) == len(participants) * len(CACHES)
