"""What can go wrong, each as a test on a Ray cluster of several nodes. docs/cluster.md has the table."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed")
pytest.importorskip("whorl", reason="the module is not built")

import ray
from helpers import IS_LONG, check_all, up_places, wait_until
from small_tasks import VECTORS, die_always, die_once, expected, fibonacci, hang_once, out_of_memory, slow, wait_for
from whorl.cluster import Call, JobError
from whorl.cluster.report import read_job
from whorl.cluster.store import open_store


def attempts_of(pool: Any, job: str) -> Counter[str]:
    """How the attempts of a job ended, from its journal."""
    pool._link._journal.flush(10.0)
    return Counter(attempt.outcome for attempt in read_job(pool._link._store, job).attempts)


def test_proofs_are_the_bytes_of_one_process(pool: Any, note: Any) -> None:
    seeds = list(range(40))
    job = pool.submit(fibonacci(seed) for seed in seeds)
    results = list(job)
    check_all(results, seeds)
    assert {result.place for result in results} <= {place["name"] for place in up_places(pool)}
    note(tasks=40, attempts=sum(attempts_of(pool, job.job).values()))


def test_every_kind_of_task_is_taken(pool: Any, tmp_path: Path) -> None:
    import whorl

    whorl.save_task(fibonacci(1), tmp_path / "task")
    reference = ray.put(fibonacci(2))
    tasks = [
        tmp_path / "task",
        fibonacci(0),
        Call(fibonacci, 3),
        lambda: fibonacci(4),
        reference,
        Call(str, tmp_path / "task"),
        fibonacci(6, log_height=13),
    ]
    results = {result.index: result for result in pool.submit(tasks)}
    assert [results[i].digest for i in range(7)] == [
        expected(1)[0],
        expected(0)[0],
        expected(3)[0],
        expected(4)[0],
        expected(2)[0],
        expected(1)[0],
        expected(6, 13)[0],
    ]
    assert bytes(results[6].proof) == expected(6, 13)[1]
    with pytest.raises(TypeError, match="int is no task"):
        list(pool.submit([5]))


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the test vectors are not here")
def test_vectors_give_their_recorded_proofs(pool: Any) -> None:
    names = ["fib_2e5", "interactions", "mixture", "cached", "preprocessed", "keccak_5_perms"]
    for result in pool.submit([VECTORS / name for name in names]):
        assert result.ok, result.error
        assert result.proof_bytes == (VECTORS / result.name / "proof.bin").read_bytes()


def test_a_worker_killed_in_mid_proof(pool: Any, note: Any) -> None:
    seeds = list(range(24))
    places = up_places(pool)
    job = pool.submit(fibonacci(seed, 15) for seed in seeds)

    def proving() -> Any:
        for state in list(pool._link._sites.values()):
            if state.actor is not None and state.state == "up":
                report = ray.get(state.actor.report.options(concurrency_group="control").remote())
                if any(a["stage"] not in ("load", "wait", "verify", "store") for a in report["running"].values()):
                    return state.info["pid"]
        return None

    pid = wait_until(proving, "a proof in the middle")
    os.kill(pid, signal.SIGKILL)
    check_all(job, seeds, 15)
    outcomes = attempts_of(pool, job.job)
    assert outcomes["lost"] >= 1
    assert pid in {place["pid"] for place in places}
    note(tasks=24, attempts=sum(outcomes.values()), lost=outcomes["lost"])


def test_a_node_lost_with_its_objects(cluster: Any, make_pool: Any, note: Any) -> None:
    node = cluster.add_node(num_cpus=1, resources={"extra": 100})
    cluster.wait_for_nodes()
    pool = make_pool()
    try:
        up_places(pool, 3)

        @ray.remote(num_cpus=0, max_retries=3)
        def make(seed: int) -> Any:
            return fibonacci(seed)

        @ray.remote(num_cpus=0, resources={"extra": 1})
        class Holder:
            def put(self) -> Any:
                return [ray.put(fibonacci(99))]

        node_id = next(n["NodeID"] for n in ray.nodes() if n["Alive"] and n["Resources"].get("extra"))
        there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id, soft=True)
        seeds = list(range(30))
        references = [make.options(scheduling_strategy=there).remote(seed) for seed in seeds]
        ray.wait(references, num_returns=len(references), fetch_local=False)
        holder = Holder.remote()
        (lost,) = ray.get(holder.put.remote())
        gate = Path(pool._link._store.url) / "gate"
        # Both remaining places wait, so that the node dies before its objects are asked for.
        blockers = pool.submit([Call(wait_for, 1000 + k, str(gate)) for k in range(9)], priority=1)
        wait_until(lambda: blockers.status()["running"] == 9, "places that wait")
        job = pool.submit([*references, lost])
        cluster.remove_node(node, allow_graceful=False)
        node = None
        gate.touch()
        results = list(job)
        assert len(list(blockers)) == 9
        check_all([r for r in results if r.index < 30], seeds)
        (gone,) = [r for r in results if r.index == 30]
        # What a process put there by hand died with it, and nobody can make it again: reported, and the rest goes on.
        assert gone.failure == "file" and "lost" in gone.error
        note(tasks=31, proved=30, reported_lost=1, attempts=sum(attempts_of(pool, job.job).values()))
    finally:
        if node is not None:
            cluster.remove_node(node)


def test_a_node_that_joins_is_used(cluster: Any, pool: Any) -> None:
    up_places(pool)
    node = cluster.add_node(num_cpus=1)
    try:
        places = {place["name"] for place in up_places(pool, 3)}
        job = pool.submit([Call(slow, seed, 0.05) for seed in range(60)])
        results = list(job)
        check_all(results, list(range(60)))
        assert {result.place for result in results} == places
    finally:
        cluster.remove_node(node)
    wait_until(lambda: len([p for p in pool.status()["places"] if p["state"] == "up"]) == 2, "the node has left")


def test_a_worker_that_hangs_is_replaced_at_its_deadline(pool: Any, tmp_path: Path, note: Any) -> None:
    seeds = list(range(12))
    tasks: list[Any] = [fibonacci(seed) for seed in seeds]
    tasks[3] = Call(hang_once, 3, str(tmp_path / "hung"))
    job = pool.submit(tasks, deadline_s=2.0)
    check_all(job, seeds)
    outcomes = attempts_of(pool, job.job)
    assert outcomes["lost"] >= 1  # the journal says that the process is gone, the history that it hung
    note(tasks=12, attempts=sum(outcomes.values()))


def test_completions_that_come_twice_and_late(pool: Any, note: Any) -> None:
    driver = pool._link
    real = driver._ended
    late: list[Any] = []
    seen: set[int] = set()

    def ended(place: str, attempt: int, outcome: Any, error: Any) -> None:
        entry = driver._running.get(attempt)
        index = entry[1] if entry else -1
        if index % 3 == 0 and index not in seen and error is None:
            # the proof is done and stored, but word of it is lost with its place; it arrives later
            seen.add(index)
            late.append((place, attempt, outcome, None))
            driver._scheduler.lose(place, time.monotonic(), "drawn")
            state = driver._by_place.get(place)
            if state is not None:
                driver._place_is_gone(state, "drawn")
            return
        real(place, attempt, outcome, error)
        real(place, attempt, outcome, error)  # twice
        for earlier in late:
            real(*earlier)
            real(*earlier)
        late.clear()

    driver._ended = ended
    seeds = list(range(15))
    job = pool.submit(fibonacci(seed) for seed in seeds)
    check_all(job, seeds)
    status = pool.status()
    assert status["ignored_outcomes"] >= 15
    note(tasks=15, ignored=status["ignored_outcomes"], late_used=status["late_proofs"])


def test_the_same_task_submitted_twice_is_proved_once(pool: Any, note: Any) -> None:
    gate = Path(pool._link._store.url) / "gate"
    first = pool.submit([Call(wait_for, 5, str(gate)), *(fibonacci(seed) for seed in range(20))])
    second = pool.submit([Call(wait_for, 5, str(gate)), *(fibonacci(seed) for seed in range(20))])
    third = pool.submit([fibonacci(0)] * 5)
    wait_until(lambda: second.status()["submitted"] == 21 and third.status()["submitted"] == 5, "all are handed in")
    gate.touch()
    for job in (first, second):
        check_all(job, [5, *range(20)])
    check_all(third, [0] * 5)
    proved = sum(attempts_of(pool, job.job)["proved"] for job in (first, second, third))
    assert 20 <= proved <= 21  # seed 5 has two identities, the call and the task, and one digest
    note(tasks=47, proofs_made=proved)


def test_poison_among_a_hundred_good_tasks(make_pool: Any, note: Any) -> None:
    pool = make_pool(policy={"max_attempts": 3})
    seeds = list(range(100))
    tasks: list[Any] = [fibonacci(seed) for seed in seeds]
    tasks += [fibonacci(7, right=False), Call(die_always), Call(int, "x"), "/nowhere/task", Call(out_of_memory)]
    random.Random(5).shuffle(order := list(range(len(tasks))))
    job = pool.submit([tasks[i] for i in order])
    results = {order[result.index]: result for result in job}
    assert sorted(results) == list(range(105))
    for seed in seeds:
        assert results[seed].ok, results[seed]
        assert results[seed].proof_bytes == expected(seed)[1]
    bad = {i: (results[i].failure, results[i].attempts) for i in range(100, 105)}
    assert bad == {100: ("bad", 1), 101: ("lost", 3), 102: ("bad", 1), 103: ("file", 3), 104: ("memory", 3)}
    assert "next main" in results[100].error and "row" in results[100].error
    assert "invalid literal" in results[102].error
    status = job.status()
    assert (status["proved"], status["failed"]) == (100, 5) and len(status["errors"]) == 5
    note(tasks=105, proved=100, reported=5, attempts=sum(attempts_of(pool, job.job).values()))


def test_cancel_of_queued_and_of_running_tasks(pool: Any, note: Any) -> None:
    import whorl  # noqa: F401

    up_places(pool)
    gate = Path(pool._link._store.url) / "gate"
    job = pool.submit([Call(wait_for, seed, str(gate)) for seed in range(20)])
    wait_until(lambda: job.status()["running"] >= 4 and job.status()["submitted"] == 20, "tasks that run")
    job.cancel([19, 0])
    wait_until(lambda: job.status()["cancelled"] == 2, "two are cancelled")
    job.cancel()
    gate.touch()
    results = list(job)
    assert sorted(r.index for r in results) == list(range(20))
    assert {r.failure for r in results} == {"cancelled"}
    assert job.status()["state"] == "cancelled"
    # proofs that run are stopped in the middle, and the places are free again
    big = pool.submit([fibonacci(seed, 17) for seed in range(6)])
    wait_until(lambda: big.status()["running"] >= 2 and big.status()["submitted"] == 6, "proofs that run")
    big.cancel()
    assert big.wait(60)["cancelled"] + big.status()["proved"] == 6
    check_all(pool.submit([fibonacci(50)]), [50])
    note(tasks=26, cancelled=20 + big.status()["cancelled"])


def test_drain_finishes_what_runs_and_resume_goes_on(make_pool: Any, tmp_path: Path, note: Any) -> None:
    pool = make_pool()
    seeds = list(range(30))
    up_places(pool)
    gate = tmp_path / "gate"
    job = pool.submit([Call(wait_for, seed, str(gate)) for seed in seeds], job="drained")
    wait_until(lambda: job.status()["running"] == 6 and job.status()["submitted"] == 30, "full places")
    pool._link.drain()
    gate.touch()
    pool.drain(60)
    status = job.status()
    assert status["proved"] == 6 and status["waiting"] == 24
    assert not [p for p in pool.status()["places"] if p["state"] == "up"]
    with pytest.raises(JobError, match="draining"):
        pool.submit([fibonacci(1)])
    pool.close()
    again = make_pool()
    resumed = again.resume("drained", replay=True)
    check_all(resumed, seeds)
    assert resumed.status()["finished_before"] == 6 and resumed.status()["submitted"] == 24
    note(tasks=30, before=6, after=24)


def test_a_store_that_is_away_for_a_while(make_pool: Any, tmp_path: Path, note: Any) -> None:
    pool = make_pool(policy={"deadline_s": 20.0})
    seeds = list(range(40))
    up_places(pool)
    job = pool.submit([Call(slow, seed, 0.05) for seed in seeds])
    results = [next(iterator := iter(job))]
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    wait_until(lambda: job.status()["store_trouble"], "the job says that its store is away")
    assert "away" in job.status()["waits_for"]
    time.sleep(2.0)
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    results += iterator
    check_all(results, seeds)
    wait_until(lambda: not job.status()["store_trouble"], "the trouble has passed")
    outcomes = attempts_of(pool, job.job)
    assert outcomes["proved"] == 40, "nothing was proved twice"
    pool._link._journal.flush(10.0)
    assert len(read_job(open_store(tmp_path / "store"), job.job).done) == 40
    note(tasks=40, attempts=sum(outcomes.values()))


def test_a_full_disk_for_a_while(make_pool: Any, tmp_path: Path, note: Any) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        pool = make_pool(store=disk / "store")
        seeds = list(range(60))
        up_places(pool)
        (disk / "ballast").write_bytes(b"x" * (1 << 19))
        job = pool.submit([Call(slow, seed, 0.02) for seed in seeds], durable=False)
        more = os.open(disk / "more", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(more, b"x" * 4096)
        except OSError:
            pass  # full
        finally:
            os.close(more)
        wait_until(lambda: "space" in job.status()["store_trouble"], "the job says that the disk is full")
        time.sleep(1.0)
        (disk / "more").unlink()
        (disk / "ballast").unlink()
        check_all(job, seeds)
        note(tasks=60, attempts=sum(attempts_of(pool, job.job).values()))
        pool.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_a_slow_reader_holds_back_the_tasks(pool: Any, note: Any) -> None:
    pulled = 0

    def tasks() -> Iterator[Any]:
        nonlocal pulled
        for seed in range(200):
            pulled += 1
            yield fibonacci(seed)

    job = pool.submit(tasks(), bound=10)
    iterator = iter(job)
    results = [next(iterator)]
    wait_until(
        lambda: job.status()["unread"] + job.status()["running"] + job.status()["waiting"] <= 210 and pulled >= 10, "the queue is full"
    )
    time.sleep(1.5)
    most = pulled
    # 10 in the queue or unread, those the reader's batch has taken, and at most one batch in the submitter's hand
    assert most <= 60, f"{most} tasks were made for a reader that has read 1"
    time.sleep(0.5)
    assert pulled == most
    assert job.status()["waits_for"] == "its reader", job.status()
    results += iterator
    check_all(results, list(range(200)))
    note(tasks=200, made_while_reader_slept=most)


def test_ten_thousand_tiny_tasks_starve_nobody(pool: Any, note: Any) -> None:
    count = 10_000 if IS_LONG else 1_500
    tiny = pool.submit((fibonacci(seed) for seed in range(count)), bound=count)
    wait_until(lambda: tiny.status()["proved"] > 50, "the large job has begun", 120)
    small = pool.submit([fibonacci(10**6 + seed) for seed in range(50)])
    check_all(small, [10**6 + seed for seed in range(50)])
    proved_then = tiny.status()["proved"]
    assert proved_then < count, "the small job did not wait for the end of the large one"
    results = list(tiny)
    assert sorted(r.index for r in results) == list(range(count)) and all(r.ok for r in results)
    for result in results[:: max(1, count // 200)]:
        assert result.proof_bytes == expected(result.index)[1]
    note(tasks=count + 50, large_done_when_small_was=proved_then)


def test_a_storm_that_kills_a_random_worker_every_second(pool: Any, note: Any) -> None:
    seconds = 60 if IS_LONG else 12
    up_places(pool)
    chance = random.Random(11)
    over = threading.Event()
    killed = 0

    def storm() -> None:
        nonlocal killed
        while not over.wait(1.0):
            pids = [p["pid"] for p in pool.status()["places"] if p["state"] == "up" and p["pid"]]
            if pids:
                try:
                    os.kill(chance.choice(pids), signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass  # it had ended by itself

    seeds: list[int] = []

    def tasks() -> Iterator[Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seeds.append(len(seeds))
            yield Call(slow, seeds[-1], 0.02)

    thread = threading.Thread(target=storm)
    job = pool.submit(tasks(), bound=100)
    thread.start()
    try:
        results = list(job)
    finally:
        over.set()
        thread.join()
    check_all(results, seeds)
    outcomes = attempts_of(pool, job.job)
    assert killed >= seconds // 2 and outcomes["lost"] > 0
    note(tasks=len(seeds), killed=killed, attempts=sum(outcomes.values()), lost=outcomes["lost"])


def test_a_task_that_kills_its_process_once_is_proved(pool: Any, tmp_path: Path) -> None:
    tasks: list[Any] = [fibonacci(seed) for seed in range(10)]
    tasks[4] = Call(die_once, 4, str(tmp_path / "died"))
    check_all(pool.submit(tasks), list(range(10)))


def test_a_task_that_fits_nowhere_is_refused_with_the_figures(make_pool: Any) -> None:
    import whorl

    needs = whorl.plan(fibonacci(1, 17)).device_bytes
    pool = make_pool(memory_bytes=needs - 1)
    results = {r.index: r for r in pool.submit([fibonacci(0), fibonacci(1, 17)])}
    assert results[0].ok
    assert results[1].failure == "too_large" and f"needs {needs} bytes, the largest place has {needs - 1}" in results[1].error
    named = list(pool.submit([fibonacci(2)], needs={"cpu": 10 * needs}))
    assert named[0].failure == "too_large" and named[0].attempts == 0


def test_a_proof_in_the_store_that_is_damaged_is_made_again(pool: Any) -> None:
    (first,) = pool.submit([fibonacci(77)])
    path = Path(pool._link._store.url) / "proofs" / first.digest[:2] / f"{first.digest}.bin"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    # another driver, which does not remember
    for state in pool._link._sites.values():
        if state.info.get("pid"):
            os.kill(state.info["pid"], signal.SIGKILL)
    pool._link._call(lambda: pool._link._scheduler._remembered.clear())
    (second,) = pool.submit([fibonacci(77)])
    assert not second.stored and second.proof_bytes == expected(77)[1]


def test_a_resumed_job_reads_its_tasks_from_the_store(make_pool: Any, tmp_path: Path) -> None:
    """Large tasks have files of their own there; references are lost, and said to be."""
    pool = make_pool()
    up_places(pool)
    gate = tmp_path / "gate"
    tasks = [Call(wait_for, 100 + k, str(gate)) for k in range(6)]
    reference = ray.put(fibonacci(3))
    job = pool.submit([*tasks, fibonacci(1, 14), fibonacci(2), reference], job="large")
    wait_until(lambda: job.status()["submitted"] == 9, "all are handed in")
    pool.close()
    gate.touch()
    again = make_pool()
    results = {r.index: r for r in again.resume("large")}
    assert sorted(results) == list(range(9))
    assert results[6].proof_bytes == expected(1, 14)[1] and results[7].proof_bytes == expected(2)[1]
    assert results[8].failure == "file" and "submit it again" in results[8].error
    # what failed stays failed, unless it is asked for
    assert list(again.resume("large")) == []
    assert again.handle("large").status()["failed_before"] == 1
    assert [r.index for r in again.resume("large", retry_failed=True)] == [8]


def test_resume_of_what_is_not_there_says_so(pool: Any) -> None:
    with pytest.raises(JobError, match="nobody not found"):
        pool.resume("nobody")
    with pytest.raises(JobError, match="job name"):
        pool.resume("../up")
    job = pool.submit([fibonacci(1)], durable=False)
    job.wait(60)
    with pytest.raises(JobError, match="durable=False"):
        pool.resume(job.job)
    with pytest.raises(JobError, match="in the store already"):
        pool.submit([fibonacci(1)], job=job.job)


def test_no_process_is_left(cluster: Any, make_pool: Any) -> None:
    pool = make_pool()
    pids = [place["pid"] for place in up_places(pool)]
    pool.close()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "workers have ended")
    shutil.rmtree(pool._link._store.url)
