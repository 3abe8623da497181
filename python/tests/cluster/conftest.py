"""A Ray cluster of three nodes on this machine: a head without cores, and two nodes with one core each."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from helpers import IS_LONG  # noqa: E402

# A node that dies is noticed within two seconds, in place of fifteen.
HEALTH = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    """A generous end for each test, so that a hang is a failure with a traceback."""

    def ring(signum: int, frame: object) -> None:
        raise TimeoutError("the test has taken far too long")

    old = signal.signal(signal.SIGALRM, ring)
    signal.alarm(900 if IS_LONG else 240)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "_system_config": HEALTH})
    for _ in range(2):
        made.add_node(num_cpus=1)
    ray.init(address=made.address, namespace="whorl", log_to_driver=False, logging_level="ERROR")
    made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def make_pool(cluster: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes pools with one place a node, quick to try again."""
    from whorl.cluster import Places, Policy, Pool

    pools = []

    def make(store: Any = None, policy: dict[str, Any] | None = None, **places: Any) -> Any:
        settings = {"backoff_s": 0.05, "max_backoff_s": 1.0, **(policy or {})}
        pool = Pool(store or tmp_path / "store", places=Places(device="cpu", threads=1, **places), policy=Policy(**settings))
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        pool.close()


@pytest.fixture
def pool(make_pool: Callable[..., Any]) -> Any:
    return make_pool()


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Appends the counts of a scenario to the file $WHORL_SCENARIOS, from which docs/cluster.md has its table."""

    def write(**counts: Any) -> None:
        path = os.environ.get("WHORL_SCENARIOS")
        if path:
            with open(path, "a") as file:
                file.write(json.dumps({"test": request.node.name, "long": IS_LONG, **counts}) + "\n")

    return write
