"""No broken kernel survives, each is rejected for its own mistake, and no honest one is rejected."""

import hashlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from gallery import GALLERY, Exhibit
from gallery.controls import HONEST, control
from stepbench.checking import bound_row
from stepbench.checking.schedule import check_schedule
from stepbench.checking.tally import Tally
from stepbench.checking.verdicts import Disagreement
from stepkernels import Implementation

SEED = 20260723
MOST_REMEMBERED = 20_000  # three times what is asked of one kernel in one dtype


def remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which depends on nothing but its arguments, with what it lately gave for the same bits."""
    known: OrderedDict[bytes, Any] = OrderedDict()

    def remembered(*arguments: object) -> Any:
        key = hashlib.sha256(pickle.dumps(arguments)).digest()
        if key not in known:
            known[key] = function(*arguments)
        known.move_to_end(key)
        if len(known) > MOST_REMEMBERED:
            known.popitem(last=False)
        return known[key]

    return remembered


@pytest.fixture(scope="module", autouse=True)
def expectations_remembered() -> Iterator[None]:
    """All of the gallery goes through the same data, most of it bit for bit alike until a mistake shows."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("expect_step", "expect_update", "follow"):
            patch.setattr(bound_row, name, remembering(getattr(bound_row, name)))
        yield


def first_disagreement(row: Implementation, seed: int = SEED) -> Disagreement | None:
    """What the judge finds first, going through what `stepbench check` goes through."""
    return next(filter(None, (scheduled.run(row, Tally()) for scheduled in check_schedule(row, seed))), None)


def exhibited(name: str, exhibit: Exhibit, dtype: str) -> Implementation:
    return Implementation(
        name=name,
        module="gallery",
        options={"exhibit": name},
        ops=exhibit.ops,
        dtypes=(dtype,),
        optimizers=exhibit.optimizers,
        residual=exhibit.residual,
        **({"allocates": True} | exhibit.declares),
    )


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name, exhibit in GALLERY.items() for dtype in exhibit.dtypes]
)
def test_a_broken_kernel_is_rejected_for_its_own_mistake(name, dtype):
    exhibit = GALLERY[name]
    found = first_disagreement(exhibited(name, exhibit, dtype))
    assert found is not None, "it survived"
    assert re.match(exhibit.trial, found.trial), found
    assert re.search(exhibit.says, str(found)), found
    assert not [field for field in exhibit.spares if f" {field} is off" in found.sentence], found


@pytest.mark.parametrize(
    "name", ["OnlyTheFirst1024Rows", "OnlyTheFirst65535Rows", "GradientOfTheFirst32kColumns", "RacingReduction"]
)
def test_a_row_that_says_it_compiles_is_not_spared_large_data(name):
    """Few shapes are no cover: a limit that only large data shows is found, in one dtype or the other."""
    row = replace(exhibited(name, GALLERY[name], "float32"), dtypes=("float32", "float64"), compiles_per_shape=True)
    assert first_disagreement(row) is not None


def test_the_gallery_is_large():
    assert len(GALLERY) >= 40


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", HONEST)
def test_an_honest_kernel_is_not_rejected(name, dtype):
    assert first_disagreement(control(name, dtype)) is None
