"""What is asked of a training: a bad setting is a sentence."""

import warnings

import pytest

from stepkernels.problem import ProblemError
from trainings import CANCER, trained_on

BAD_TRAININGS = {
    "share": ({"held_out": 1.5}, "share held out is 1.5"),
    "too few": ({"held_out": 0.001}, "0.001 of 569 rows cannot be held out"),
    "steps": ({"steps": 0}, "steps is 0; it must be at least 1"),
    "batch": ({"batch_size": 0, "optimizer": "adam"}, "batch_size is 0; it must be at least 1"),
    "seed": ({"seed": -1}, "seed is -1; it must be at least 0"),
    "storage": ({"storage": "float8"}, "storage is 'float8'; it must be one of float16"),
    "storage and dtype": ({"storage": "int8", "dtype": "float64"}, "set dtype to float32"),
    "storage and row": ({"storage": "int8", "row": "numpy-blas"}, "numpy-blas keeps X as it is, not in int8"),
    "rate": ({"learning_rate": 0.1}, "find their own steps"),
    "on disk": ({"on_disk": True}, "Only an .npy file can be left on disk"),
    "row": ({"row": "numpy"}, "no row called 'numpy'"),
    "optimizer": ({"optimizer": "sgd"}, "optimizer is 'sgd'"),
    "target": ({"target": "species"}, "has no column 'species'"),
    "numeric target": ({"target": "mean radius"}, "target 'mean radius' has 456 classes"),
}


@pytest.mark.parametrize(("settings", "sentence"), BAD_TRAININGS.values(), ids=list(BAD_TRAININGS))
def test_a_bad_setting_is_a_sentence(settings, sentence):
    with pytest.raises(ProblemError, match=sentence), warnings.catch_warnings():
        trained_on(CANCER, **settings)
