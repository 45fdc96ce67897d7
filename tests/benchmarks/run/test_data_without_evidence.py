"""Data carry evidence for whoever is judged: where nobody is, they are as they were drawn."""

import numpy as np

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.run.scratch import Scratch
from stepkernels.agreement import Traits
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

JUDGED = [Traits.of(CATALOG["numpy-blas"])]


def test_only_who_is_judged_gets_planted_rows(tmp_path):
    case = Case(op=Op.STEP, dtype="float32", m=3000, n=4)
    data = case.dataset, case.m, case.n, case.dtype, 0
    made = {
        len(traits): Scratch(tmp_path / str(len(traits)), seed=0).ready(case, traits).problem for traits in ([], JUDGED)
    }
    np.testing.assert_array_equal(made[0].X, make_problem(*data, evidence=False).X)
    np.testing.assert_array_equal(made[1].X, make_problem(*data).X)
    assert not np.array_equal(made[0].X, made[1].X)
