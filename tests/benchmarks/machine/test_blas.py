"""The BLAS under the baseline: what a fresh process loads, and what the environment makes of it."""

from __future__ import annotations

import pytest

from stepbench.machine import blas
from stepbench.machine.blas import altered_by, blas_in_use

PLAIN = {"name": "openblas", "version": "0.3", "threading": "pthreads", "core_type": "Zen", "threads": 2}


def answers(slow=(), changed=()):
    """A child whose products take twice as long under the variables `slow`, with another core type under `changed`."""
    asked = []

    def ask(threads, without=()):
        asked.append(tuple(without))
        seconds = 2.0 if set(slow) - set(without) else 1.0
        return {"numpy": PLAIN | ({"core_type": "Nehalem"} if set(changed) - set(without) else {}), "seconds": seconds}

    return ask, asked


def test_nothing_is_tried_where_nothing_is_set():
    ask, asked = answers()
    assert altered_by(2, {"HOME": "/home/me", "OMP_NUM_THREADS": "1"}, ask) == []
    assert asked == []


def test_variables_that_change_nothing_are_no_fault():
    ask, _ = answers()
    assert altered_by(2, {"MALLOC_ARENA_MAX": "2", "OMP_DYNAMIC": "false"}, ask) == []


def test_the_one_that_slows_is_named_with_what_it_costs():
    ask, _ = answers(slow=["MALLOC_PERTURB_"])
    (found,) = altered_by(2, {"MALLOC_PERTURB_": "7", "OMP_DYNAMIC": "false"}, ask)
    assert found == {"variable": "MALLOC_PERTURB_", "value": "7", "times_as_long": 2.0, "changes": {}}


def test_another_core_type_is_told_even_if_it_is_no_slower():
    ask, _ = answers(changed=["OPENBLAS_CORETYPE"])
    (found,) = altered_by(2, {"OPENBLAS_CORETYPE": "Nehalem"}, ask)
    assert found["changes"] == {"core_type": ["Nehalem", "Zen"]}


def test_a_child_that_fails_accuses_nothing():
    assert altered_by(2, {"LD_PRELOAD": "x"}, lambda *_: {}) == []


def test_a_fresh_process_tells_the_blas_of_numpy_and_of_scipy():
    found = blas_in_use(1)
    assert set(found) == {"numpy", "scipy"}
    for library in found.values():
        assert set(library) == set(blas.FACTS)
        assert library["name"]
        assert library["threads"] in (1, None)


def test_a_core_type_that_the_user_asks_for_is_seen(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    plain = blas.ask_child.__wrapped__(1)["numpy"]
    if plain["name"] != "openblas" or plain["core_type"] in (None, "Nehalem", "armv8", "neoversen1"):
        pytest.skip(f"no OpenBLAS with a core type to choose: {plain}")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    (found,) = altered_by(1, {"OPENBLAS_CORETYPE": "Nehalem"}, blas.ask_child.__wrapped__)
    assert found["changes"]["core_type"] == ["Nehalem", plain["core_type"]]


def test_a_blas_that_threadpoolctl_does_not_know_is_told_as_it_was_built():
    built = {"Build Dependencies": {"blas": {"name": "accelerate", "version": "14"}}}
    assert blas._facts(blas._built_with(built))["name"] == "accelerate"
    assert blas._facts(blas._built_with(None))["name"] is None
