#!/usr/bin/env python3
"""What the cluster costs per task: many small proofs on two workers, against the same in one process.

  bench/cluster/overhead.py                              2,000 proofs on 2 workers of one thread
  bench/cluster/overhead.py --tasks 200 --workers 1
  bench/cluster/overhead.py --device cuda --workers 1    on one GPU

One process does what the cluster does for a task (load it, prove, verify, write it durably to a store), one after the other.

* overhead_ms_per_task_by_wall_time: seconds per task and worker, less the seconds per task of one process. Negative where verifying and
  storing beside the next proof saves more than Ray costs.
* driver_cpu_us_per_task: what this process, with the driver in it, computes per task: the bound on tasks per second (simulate.py
  --dispatch-us).
* round_trip_ms: the way of a task to its place and of the word of its end back, through Ray and the driver.
* idle_while_tasks_wait: share of the time in which a place proved nothing although tasks waited (whorl/cluster/report.py).

Prints one JSON line. Exit codes: 0 done, 1 a proof is missing, or differs from the one of one process.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from typing import Any

import numpy as np
import whorl
from whorl.cluster import Places, Pool
from whorl.cluster.report import read_job
from whorl.cluster.store import open_store, proof_name


class Fibonacci(whorl.Air):
    """left, right → right, left + right."""

    width = 2
    num_public_values = 2

    def eval(self, b: Any) -> None:
        local, following = b.main()
        left, right = b.public_values()
        b.when_first_row().assert_eq(local[0], left)
        b.when_first_row().assert_eq(local[1], right)
        b.when_transition().assert_eq(following[0], local[1])
        b.when_transition().assert_eq(following[1], local[0] + local[1])


def make_task(vk: Any, seed: int, log_height: int) -> whorl.Task:
    """A Fibonacci trace of its own for each seed."""
    rows = 1 << log_height
    columns = np.zeros((2, rows), dtype=np.uint32)
    a, b = first = (seed, 3 * seed + 1)
    for row in range(rows):
        columns[0, row], columns[1, row] = a, b
        a, b = b, (a + b) % whorl.MODULUS
    return whorl.Task(vk, [whorl.Trace(0, columns.T, public_values=first)], name=str(seed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--slots", type=int, default=3, help="attempts at a worker (default 3)")
    parser.add_argument("--log-height", type=int, default=5, help="log2 of the rows of a task (default 5: a proof of a millisecond)")
    arguments = parser.parse_args()

    vk = whorl.keygen(whorl.Params.test(2, max(8, arguments.log_height - 2), 3), [Fibonacci()]).vk
    tasks = [make_task(vk, seed, arguments.log_height) for seed in range(1, arguments.tasks + 1)]
    with tempfile.TemporaryDirectory() as folder:
        # One process
        store = open_store(f"{folder}/one")
        prover = whorl.Prover(vk, device=arguments.device, threads=arguments.threads)
        prover.prove(tasks[0].traces)
        one: list[bytes] = []
        prove_s = 0.0
        begin = time.perf_counter()
        for task in tasks:
            digest = task.digest
            before = time.perf_counter()
            proof = prover.prove(task.traces)
            prove_s += time.perf_counter() - before
            whorl.verify(vk, proof)
            one.append(bytes(proof))
            store.write(proof_name(digest), one[-1])
        one_s = time.perf_counter() - begin

        # The cluster
        import ray

        ray.init(
            num_cpus=arguments.workers * arguments.threads,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            namespace="whorl",
        )
        places = Places(device=arguments.device, threads=arguments.threads, max_per_node=arguments.workers, slots=arguments.slots)
        with Pool(f"{folder}/many", places=places) as pool:
            while sum(p["state"] == "up" for p in pool.status()["places"]) < arguments.workers:
                time.sleep(0.05)
            list(pool.submit([make_task(vk, 10**6 + k, arguments.log_height) for k in range(20)]))  # processes, keys and threads are warm
            begin, cpu = time.perf_counter(), time.process_time()
            job = pool.submit(tasks, bound=arguments.tasks)
            results = list(job)
            many_s, cpu_s = time.perf_counter() - begin, time.process_time() - cpu
            same = all(r.ok and r.proof_bytes == one[r.index] for r in results) and len(results) == len(tasks)
            pool._link._journal.flush(30.0)
            record = read_job(open_store(f"{folder}/many"), job.job)
        ray.shutdown()

    overheads = []
    by_place: dict[str, list[Any]] = {}
    for attempt in record.attempts:
        by_place.setdefault(attempt.place, []).append(attempt)
    for attempts in by_place.values():
        for a in attempts:
            t = a.times
            # There (sent → taken) and back (ended → got): the scheduler sends no more than a place has slots for.
            overheads.append((a.got - t["ended"]) + (t["taken"] - a.sent))
    use = record.use_of_places()
    windows = sum(u["idle_s"] / u["idle_share"] if u["idle_share"] else u["busy_s"] for u in use.values())
    per_task_one = one_s / len(tasks)
    per_task_many = many_s * arguments.workers / len(tasks)
    print(
        json.dumps(
            {
                "machine": platform.processor() or platform.machine(),
                "device": arguments.device,
                "tasks": len(tasks),
                "workers": arguments.workers,
                "threads": arguments.threads,
                "slots": arguments.slots,
                "log_height": arguments.log_height,
                "same_bytes": same,
                "one_process_s": round(one_s, 3),
                "one_process_ms_per_task": round(1e3 * per_task_one, 3),
                "prove_ms_per_task": round(1e3 * prove_s / len(tasks), 3),
                "cluster_s": round(many_s, 3),
                "cluster_ms_per_task_and_worker": round(1e3 * per_task_many, 3),
                "overhead_ms_per_task_by_wall_time": round(1e3 * (per_task_many - per_task_one), 3),
                "driver_cpu_us_per_task": round(1e6 * cpu_s / len(tasks)),
                "round_trip_ms_median": round(1e3 * statistics.median(overheads), 3),
                "round_trip_ms_p95": round(1e3 * sorted(overheads)[int(0.95 * len(overheads))], 3),
                "idle_while_tasks_wait": round(sum(u["idle_s"] for u in use.values()) / windows, 4) if windows else None,
            }
        )
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
