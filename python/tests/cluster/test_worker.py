"""One place in this process, without Ray: its stages, its turns, and how it tells what went wrong."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed")
whorl = pytest.importorskip("whorl", reason="the module is not built")

from helpers import wait_until  # noqa: E402
from ray import cloudpickle  # noqa: E402
from small_tasks import expected, fibonacci  # noqa: E402
from whorl.cluster.events import Failure, Outcome  # noqa: E402
from whorl.cluster.places import Places, sites_of_node  # noqa: E402
from whorl.cluster.store import open_store, proof_name  # noqa: E402
from whorl.cluster.worker import Worker, _Turns, _Withdrawn  # noqa: E402


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Worker]:
    open_store(tmp_path / "store")
    return lambda **options: Worker("p", "cpu", 1, str(tmp_path / "store"), **options)


def prove(worker: Worker, task: Any, attempt: int = 1) -> Outcome:
    return worker.prove(attempt, "task", pickle.dumps(task))


def call(function: Any, *args: Any) -> bytes:
    return cloudpickle.dumps((function, args, {}))


def test_a_proof_is_stored_before_it_is_told(make: Any, tmp_path: Path) -> None:
    worker = make()
    outcome = prove(worker, fibonacci(1))
    digest, proof = expected(1)
    assert outcome.failure is None and outcome.digest == digest
    assert open_store(tmp_path / "store").read(proof_name(digest)) == proof
    times = outcome.detail["times"]
    names = ["taken", "loaded", "began", "proved", "verified", "stored", "ended"]
    assert [times[name] for name in names] == sorted(times[name] for name in names)
    assert {"load", "prepare", "whir", "verify", "store"} <= set(outcome.detail["stages"])
    assert outcome.detail["proof_bytes"] == len(proof) and outcome.detail["device_bytes"] > 0
    again = prove(make(), fibonacci(1), 2)
    assert again.failure is None and again.detail["stored"]
    report = worker.report()
    assert report["running"] == {} and report["busy_s"] > 0 and report["store_trouble"] == ""


def test_provers_are_kept_warm_by_key_and_the_oldest_goes(make: Any) -> None:
    worker = make(warm_provers=2)
    for attempt, height in enumerate((5, 11, 12)):
        assert prove(worker, fibonacci(1, height), attempt).failure is None
    keys = [fibonacci(1, height).vk.digest for height in (11, 12)]
    assert list(worker._provers) == keys
    (warm,) = worker._provers[keys[0]]
    assert prove(worker, fibonacci(2, 11), 9).failure is None
    assert worker._provers[keys[0]] == [warm]


@pytest.mark.parametrize(
    ("kind", "payload", "failure", "text"),
    [
        ("folder", "/nowhere", Failure.FILE, "task.json"),
        ("call", call(int, "x"), Failure.BAD, "ValueError"),
        ("call", call(int, "7"), Failure.BAD, "expected a whorl.Task or a folder, found int"),
        ("call", call(fibonacci, 1, 5, False), Failure.BAD, "constraint"),
        ("task", b"no pickle", Failure.BAD, "UnpicklingError"),
        ("ref", None, Failure.FILE, "submit it again"),
    ],
)
def test_what_is_wrong_with_a_task_is_told(make: Any, kind: str, payload: Any, failure: Failure, text: str) -> None:
    outcome = make().prove(1, kind, payload)
    assert outcome.failure is failure and text in outcome.error


def test_a_proof_that_does_not_fit_is_not_started(make: Any) -> None:
    needs = whorl.plan(fibonacci(1, 14)).device_bytes
    outcome = prove(make(memory_bytes=needs - 1), fibonacci(1, 14))
    assert outcome.failure is Failure.TOO_LARGE and outcome.needs_bytes == needs and str(needs - 1) in outcome.error
    assert "whir" not in outcome.detail["stages"]
    assert prove(make(memory_bytes=needs), fibonacci(1, 14)).failure is None


class Broken:
    """A prover that fails as a machine does, a number of times."""

    def __init__(self, real: Any, message: str, times: int) -> None:
        self.real, self.message, self.left = real, message, times

    def plan(self, traces: Any) -> Any:
        return self.real.plan(traces)

    def prove(self, traces: Any, **options: Any) -> Any:
        self.left -= 1
        if self.left >= 0:
            raise whorl.MachineError(self.message, "prove")
        return self.real.prove(traces, **options)


def test_a_device_that_fails_is_told_apart_from_memory_that_ends(make: Any) -> None:
    worker = make()
    task = fibonacci(1)
    for message, failure in [("out of device memory: requested 5, 3 of 9 free", Failure.MEMORY), ("device lost", Failure.MACHINE)]:
        worker._provers[task.vk.digest] = [Broken(whorl.Prover(task.vk), message, 1)]
        outcome = prove(worker, task)
        assert outcome.failure is failure and message in outcome.error


def test_warm_provers_of_other_keys_make_room(make: Any) -> None:
    worker = make()
    assert prove(worker, fibonacci(1, 11), 1).failure is None
    task = fibonacci(1)
    worker._provers[task.vk.digest] = [Broken(whorl.Prover(task.vk), "out of device memory", 1)]
    assert prove(worker, task, 2).failure is None
    assert list(worker._provers) == [task.vk.digest]


def test_several_proofs_at_once_have_provers_of_their_own(make: Any) -> None:
    worker = make(at_once=3)
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda k: prove(worker, fibonacci(k, 11), k), range(12)))
    assert [outcome.failure for outcome in outcomes] == [None] * 12
    (idle,) = worker._provers.values()
    assert 1 <= len(idle) <= 3
    assert worker.report()["busy_s"] > 0


def test_a_proof_without_memory_beside_others_is_made_alone(make: Any) -> None:
    worker = make(at_once=2)
    task = fibonacci(1, 11)
    seen: list[set[int]] = []

    class Watched(Broken):
        def prove(self, traces: Any, **options: Any) -> Any:
            seen.append(set(worker._turns._holders))
            return super().prove(traces, **options)

    worker._provers[task.vk.digest] = [Watched(whorl.Prover(task.vk), "out of device memory", 1)]
    with ThreadPoolExecutor(2) as pool:
        with worker._turns.turn(99):
            pending = pool.submit(prove, worker, task, 1)
            while not seen:
                time.sleep(0.01)
            time.sleep(0.05)
            assert not pending.done()
        assert pending.result(60).failure is None
    # Beside another; then alone, with nobody else let in.
    assert seen == [{1, 99}, {1, -1}]


def test_a_proof_that_is_wrong_for_no_reason_is_the_machine_s_fault(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = make()

    def reject(*arguments: Any, **options: Any) -> None:
        raise whorl.RejectedError("drawn", "kind", "whir")

    monkeypatch.setattr(worker._whorl, "verify", reject)
    outcome = prove(worker, fibonacci(1))
    assert outcome.failure is Failure.MACHINE and "the traces satisfy the key" in outcome.error


def test_an_attempt_can_be_stopped_before_it_comes_and_in_the_middle(make: Any) -> None:
    worker = make()
    worker.stop(1)
    assert prove(worker, fibonacci(1), 1).failure is Failure.CANCELLED
    assert prove(worker, fibonacci(1), 2).failure is None
    inside, go_on = threading.Event(), threading.Event()
    real = worker._load

    def load(kind: str, payload: Any) -> Any:
        inside.set()
        assert go_on.wait(30)
        return real(kind, payload)

    worker._load = load
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(prove(worker, fibonacci(3), 3)))
    thread.start()
    assert inside.wait(30)
    worker.stop(3)
    go_on.set()
    thread.join(30)
    assert outcomes[0].failure is Failure.CANCELLED


def test_what_waits_for_its_turn_can_be_given_back(make: Any) -> None:
    worker = make()
    outcomes: dict[int, Outcome] = {}
    with worker._turns.turn(99):
        threads = [threading.Thread(target=lambda k=k: outcomes.update({k: prove(worker, fibonacci(k), k)})) for k in (1, 2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(worker._turns._waiting) == 2, "both wait")
        worker.withdraw(2)
        worker.withdraw(99)  # proves already: stays
        threads[1].join(30)
        assert outcomes[2].failure is Failure.WITHDRAWN
        assert worker.report()["running"][1]["stage"] == "wait"
    threads[0].join(30)
    assert outcomes[1].failure is None


def test_turns_are_given_in_order() -> None:
    turns = _Turns()
    order: list[int] = []

    def take(attempt: int) -> None:
        with turns.turn(attempt):
            order.append(attempt)

    with turns.turn(0):
        threads = []
        for attempt in range(1, 6):
            threads.append(threading.Thread(target=take, args=(attempt,)))
            threads[-1].start()
            wait_until(lambda attempt=attempt: len(turns._waiting) == attempt, "it waits")
    for thread in threads:
        thread.join(30)
    assert order == [1, 2, 3, 4, 5]
    turns.withdraw(7)
    with pytest.raises(_Withdrawn), turns.turn(7):
        raise AssertionError("it was given back")


def test_an_unknown_device_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    open_store(tmp_path / "store")
    with pytest.raises(whorl.MachineError, match="device tpu not found; available: cpu"):
        Worker("p", "tpu", 1, str(tmp_path / "store"))


# Places


def node(cpus: float, gpus: float = 0, memory: float = 64e9, alive: bool = True) -> dict[str, Any]:
    resources = {"CPU": cpus, "memory": memory, **({"GPU": gpus} if gpus else {})}
    return {"NodeID": "abcdef123456", "NodeManagerHostname": "host", "Alive": alive, "Resources": resources}


def test_a_node_is_divided_by_its_gpus_or_its_cores() -> None:
    cpu = sites_of_node(node(10), Places(threads=4))
    assert [site.name for site in cpu] == ["host-abcdef/cpu0", "host-abcdef/cpu1"]
    assert {(site.num_cpus, site.num_gpus, site.threads, site.memory_bytes) for site in cpu} == {(4.0, 0.0, 4, 32_000_000_000)}
    gpu = sites_of_node(node(16, 4), Places(threads=8))
    assert [(site.device, site.num_gpus, site.threads) for site in gpu] == [("cuda", 1.0, 4)] * 4
    assert sites_of_node(node(0, 2), Places())[0].num_cpus == 0.0
    assert len(sites_of_node(node(16, 4), Places(max_per_node=2))) == 2
    assert sites_of_node(node(16, 4), Places(device="cpu", threads=16))[0].device == "cpu"
    assert sites_of_node(node(3), Places(threads=8))[0].threads == 3
    assert sites_of_node(node(0), Places()) == [] and sites_of_node(node(8, alive=False), Places()) == []
    assert sites_of_node(node(8), Places(device="cuda")) == []
    for wrong in ({"device": "tpu"}, {"threads": 0}, {"slots": 0}, {"warm_provers": 0}):
        with pytest.raises(ValueError, match="expected"):
            Places(**wrong)  # type: ignore[arg-type]
