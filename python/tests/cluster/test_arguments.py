"""Numbers and tasks that are none are refused where they are given, not by the driver later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed")
pytest.importorskip("whorl", reason="the module is not built")

from whorl.cluster import Places  # noqa: E402
from whorl.cluster.events import Policy  # noqa: E402


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_attempts": 0},
        {"max_attempts": 1.5},
        {"backoff_s": -1},
        {"backoff_factor": "a"},
        {"backoff_factor": 0.5},
        {"deadline_s": 0},
        {"deadline_s": float("nan")},
        {"estimate_s": float("inf")},
    ],
)
def test_policies(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=f"policy: {name} is"):
        Policy(**wrong)


@pytest.mark.parametrize("wrong", [{"threads": 1.5}, {"slots": 0}, {"memory_bytes": -1}, {"max_per_node": 0}, {"at_once": 0}])
def test_places(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=f"places: {name} is"):
        Places(**wrong)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"priority": "a"}, "priority"),
        ({"priority": float("nan")}, "priority"),
        ({"weight": 0}, "weight"),
        ({"weight": float("inf")}, "weight"),
        ({"deadline_s": -1}, "deadline_s"),
        ({"bound": 0}, "bound"),
    ],
)
def test_jobs(pool: Any, options: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        pool.submit([], **options)


def test_tasks(pool: Any) -> None:
    class Broken:
        def __iter__(self) -> Iterator[Any]:
            raise LookupError("no tasks today")

    with pytest.raises(TypeError, match=r"found str; one folder is \[folder\]"):
        pool.submit("tasks/t1")
    with pytest.raises(TypeError, match="not iterable"):
        pool.submit(5)
    with pytest.raises(LookupError, match="no tasks today"):
        pool.submit(Broken())
    assert list(pool.submit([])) == []
