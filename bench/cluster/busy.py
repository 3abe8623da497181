#!/usr/bin/env python3
"""How busy the pool keeps one device: a job of 200 tasks of the size of segments, each with traces of its own.

  bench/cluster/busy.py --device cuda --log-rows 20 --width 300        about 1.3 GB of traces a task
  bench/cluster/busy.py --device cpu --threads 2 --log-rows 12 --width 30 --tasks 40
  bench/cluster/busy.py --device cuda --task-folders DIR               the task folders in DIR, each once

Such folders of the proofs of a real Ethereum block, an eighth as high: whorl bench segment --proof N --scale 3 --task-out DIR/N

Task folders are made before the clock runs, a few (--folders); a task is one of them with a number in a column that nothing constrains,
so that each has a digest and a proof of its own. Reading, hashing, verifying and storing are inside the timed region, as in a real job.

Prints one JSON line: `busy` is the share of the time from the first proof's begin to the last one's in which the place was in a proof, and
`gpu_utilisation` what nvidia-smi said each half second, where it is there. Exit codes: 0 done, 1 a proof is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray
import whorl
from ray import cloudpickle
from whorl.cluster import Call, Places, Pool
from whorl.cluster.report import read_job
from whorl.cluster.store import open_store

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Products(whorl.Air):
    """Triples a, b, a * b, and one column that may be anything."""

    def __init__(self, triples: int) -> None:
        self.triples = triples
        self.width = 3 * triples + 1

    def eval(self, b: Any) -> None:
        local, _ = b.main()
        for k in range(self.triples):
            b.assert_eq(local[3 * k] * local[3 * k + 1], local[3 * k + 2])


def numbered(folder: str, number: int) -> whorl.Task:
    """The task of a folder with a number in its last column; runs on the worker."""
    task = whorl.load_task(folder)
    words = np.array(task.traces[0].main.words, order="F", copy=True)
    words[0, -1] = number
    return whorl.Task(task.vk, [whorl.Trace(0, whorl.Matrix.from_words(words))], name=f"{task.name} {number}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--folders", type=int, default=4)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--threads", type=int, default=4, help="threads of the place on the host")
    parser.add_argument("--slots", type=int, default=6, help="attempts at the place; enough to read as fast as it proves")
    parser.add_argument("--at-once", type=int, help="proofs that the place makes at once (default: 3 on a GPU, else 1)")
    parser.add_argument("--log-rows", type=int, default=20)
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--task-folders", type=Path, help="prove the task folders in this one, in place of tasks made here")
    parser.add_argument("--test-params", action="store_true", help="parameters of tests, in place of those of an application (100 bits)")
    arguments = parser.parse_args()

    triples = max(1, arguments.width // 3)
    log_stacked = min(24, max(12, arguments.log_rows))
    params = whorl.Params.test(4, log_stacked - 4, 4) if arguments.test_params else whorl.Params.app(log_stacked)
    vk = whorl.keygen(params, [Products(triples)]).vk
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = 1 << arguments.log_rows
        if arguments.task_folders:
            tasks: list[Any] = sorted(path for path in arguments.task_folders.iterdir() if (path / "task.json").exists())[1:]
            warm_up: Any = min(path for path in arguments.task_folders.iterdir() if (path / "task.json").exists())
            trace_bytes = sum(part.stat().st_size for path in tasks for part in path.glob("air*.bin")) // len(tasks)
        else:
            trace_bytes = 4 * rows * (3 * triples + 1)
            for k in range(arguments.folders):
                columns = np.zeros((rows, 3 * triples + 1), dtype=np.uint32, order="F")
                for j in range(triples):
                    a, b = chance.integers(0, whorl.MODULUS, (2, rows), dtype=np.uint64)
                    columns[:, 3 * j], columns[:, 3 * j + 1], columns[:, 3 * j + 2] = a, b, a * b % whorl.MODULUS
                whorl.save_task(whorl.Task(vk, [whorl.Trace(0, columns)], name=f"products {k}"), f"{folder}/task{k}")
            tasks = [Call(numbered, f"{folder}/task{k % arguments.folders}", k) for k in range(arguments.tasks)]
            warm_up = Call(numbered, f"{folder}/task0", 10**6)
        samples: list[float] = []
        over = threading.Event()

        def sample() -> None:
            command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
            while not over.wait(0.5):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode == 0:
                    samples.append(float(done.stdout.split()[0]))

        places = Places(
            device=arguments.device, threads=arguments.threads, max_per_node=1, slots=arguments.slots, at_once=arguments.at_once
        )
        # Tasks are made on the worker, so Ray's object store holds next to nothing.
        ray.init(
            num_gpus=1 if arguments.device == "cuda" else 0,
            object_store_memory=1 << 30,
            include_dashboard=False,
            log_to_driver=False,
            namespace="whorl",
        )
        with Pool(f"{folder}/store", places=places) as pool:
            list(pool.submit([warm_up]))  # process, key and device are warm
            thread = threading.Thread(target=sample, daemon=True)
            if arguments.device == "cuda" and shutil.which("nvidia-smi"):
                thread.start()
            begin = time.perf_counter()
            job = pool.submit(tasks)
            results = list(job)
            elapsed = time.perf_counter() - begin
            over.set()
            pool._link._journal.flush(30.0)
            record = read_job(open_store(f"{folder}/store"), job.job)
        ray.shutdown()
        bad = [r for r in results if not r.ok]
        for result in bad[:3]:
            print(f"task {result.index}: {result.failure}: {result.error}", file=sys.stderr)
        use = record.use_of_places()
        stages: dict[str, list[float]] = {}
        for attempt in record.attempts:
            for stage, seconds in attempt.stages.items():
                stages.setdefault(stage, []).append(seconds)
        proofs = [a.end - a.begin for a in record.attempts if a.outcome == "proved"]
        print(
            json.dumps(
                {
                    "device": arguments.device,
                    "tasks": len(tasks),
                    "trace_bytes": trace_bytes,
                    "slots": arguments.slots,
                    "at_once": arguments.at_once,
                    "elapsed_s": round(elapsed, 2),
                    "proofs": sum(r.ok and not r.stored for r in results),
                    "proof_s_median": round(statistics.median(proofs), 4) if proofs else None,
                    "busy": round(1 - max((u["idle_share"] for u in use.values()), default=1.0), 4),
                    "gpu_utilisation_mean": round(statistics.mean(samples), 1) if samples else None,
                    "stage_s_median": {stage: round(statistics.median(values), 4) for stage, values in stages.items()},
                }
            )
        )
        return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
