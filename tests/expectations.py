"""What the tests of agreement share: an expected step or update, and a snapshot that meets it."""

import numpy as np

from stepkernels import Adam, Config, Snapshot
from stepkernels.agreement import STEP_FIELDS, Traits, expect_step, expect_update
from stepkernels.reference import Gradient, Point

STABLE = Traits("blocked", "stable")
ADAM = Adam(learning_rate=0.1, beta1=0.8, beta2=0.95, epsilon=1e-3)


def snapshot_of(expectation, dtype="float64", **changes):
    values = {name: np.asarray(expectation[name].value, dtype) for name in STEP_FIELDS}
    return Snapshot(step=1, **(values | changes))


def expected(problem, w, b=0.0, traits=STABLE, **config):
    settings = Config(dtype=problem.dtype, **config)
    zeros = np.zeros(problem.n + 1)
    point = Point(w=np.asarray(w, float), b=b, moment1=zeros, moment2=zeros, step=0)
    return expect_step(problem, settings, point, traits)


def an_update(optimizer, dtype="float64", g=0.5, w=1.0, moment1=0.0, moment2=0.0, step=0, δg=None):
    point = Point(w=np.array([w]), b=w, moment1=np.full(2, moment1), moment2=np.full(2, moment2), step=step)
    gradient = Gradient(J=0.0, gw=np.array([g]), gb=g)
    bound = None if δg is None else Gradient(J=0.0, gw=np.array([δg]), gb=δg)
    return expect_update(Config(dtype=dtype, optimizer=optimizer), point, gradient, bound)
