"""A kernel that asks for more memory than there is."""

import numpy as np

from stepkernels import Implementation

IMPLEMENTATION = Implementation(name="too-much-memory", module=__file__)


def bind(problem, config):
    return np.empty(2**45, dtype=np.float64)
