"""What the tests of the cluster share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

IS_LONG = bool(os.environ.get("WHORL_LONG_TESTS"))


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {timeout_s} s")


def up_places(pool: Any, count: int = 2) -> list[dict[str, Any]]:
    """The places that are up, once there are that many."""

    def look() -> list[dict[str, Any]]:
        found = [place for place in pool.status()["places"] if place["state"] == "up"]
        return found if len(found) >= count else []

    found: list[dict[str, Any]] = wait_until(look, f"{count} places")
    return found


def check_all(results: Iterable[Any], seeds: list[int], log_height: int = 5) -> None:
    """All are proved, each once, byte for byte as in one process. `seeds[i]` is the seed of task i."""
    from small_tasks import expected

    by_index: dict[int, Any] = {}
    for result in results:
        assert result.index not in by_index, f"task {result.index} was delivered twice"
        by_index[result.index] = result
    assert sorted(by_index) == list(range(len(seeds)))
    for index, seed in enumerate(seeds):
        result = by_index[index]
        assert result.ok, f"task {index}: {result.failure}: {result.error} {result.history}"
        digest, proof = expected(seed, log_height)
        assert result.digest == digest
        assert result.proof_bytes == proof, f"task {index}: other bytes than in one process"
