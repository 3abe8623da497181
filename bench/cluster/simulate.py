#!/usr/bin/env python3
"""Simulates a cluster: the real scheduler, with proving replaced by sleeping in virtual time.

  bench/cluster/simulate.py                                   10^6 tasks, 1,000 workers
  bench/cluster/simulate.py --tasks 10000 --workers 50        a short one, as the tests run it
  bench/cluster/simulate.py --faults 0.001 --jobs 8           a worker dies in one task of a thousand; eight jobs

What is real: every event of the scheduler (submission with back-pressure, placement, completion, loss, retry), its data structures and
their cost on this machine. What is not: Ray, the network, the store. What the driver's process computes for a task beside the scheduler
comes in by --driver-us, from `driver_cpu_us_per_task` of bench/cluster/overhead.py, so that the line can say which part is full first.

Prints one JSON line. Exit codes: 0 done, 1 a task was lost or delivered twice.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import json
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python" / "whorl"))

# As a package of its own: the scheduler needs neither the module nor Ray.
from cluster.events import Deliver, JobDone, Kill, Outcome, Policy, Release, Start, Stop, Withdraw  # noqa: E402
from cluster.scheduler import Scheduler  # noqa: E402

GIB = 1 << 30


def simulate(
    num_tasks: int,
    num_workers: int,
    *,
    mean_s: float = 1.0,
    num_jobs: int = 4,
    faults: float = 0.0,
    bound: int = 20_000,
    slots: int = 3,
    driver_us: float = 740.0,
    seed: int = 1,
) -> dict[str, float | int | str]:
    """Run one simulation.

    Parameters
    ----------
    num_tasks, num_workers
        Tasks over all jobs; places, a tenth of which are three times as large as the others.
    mean_s
        Mean of the exponentially distributed time of a proof.
    faults
        Chance that the process dies in an attempt.
    driver_us
        What one task costs the driver's process in Ray calls and in the journal.

    Returns
    -------
    dict
        Counts, `events_per_s` of the scheduler, its share of one core, `busy` of the workers, and `first_bottleneck`.

    Raises
    ------
    RuntimeError
        Where a task was lost or delivered twice.
    """
    chance = random.Random(seed)
    scheduler = Scheduler(Policy(deadline_s=1e6), seed=seed)
    clock = time.perf_counter
    now = 0.0
    spent = 0.0
    events = 0
    effects_seen = 0
    wall_start = clock()

    # (time, number, kind, place, attempt, seconds); a place proves its attempts one after the other
    agenda: list[tuple[float, int, str, str, int, float]] = []
    number = 0
    incarnation = 0
    free_at: dict[str, float] = {}
    busy_s = 0.0
    deaths = 0
    stopped: set[int] = set()
    delivered = [bytearray(num_tasks // num_jobs + 1) for _ in range(num_jobs)]
    left = [num_tasks // num_jobs] * num_jobs
    left[0] += num_tasks - sum(left)
    sizes = list(left)
    handed_in = [0] * num_jobs
    done_jobs = 0
    num_delivered = 0

    def add_worker() -> None:
        nonlocal incarnation, spent, events
        name = f"w{incarnation}"
        size = 3 if incarnation % 10 == 0 else 1
        incarnation += 1
        free_at[name] = now
        begin = clock()
        scheduler.join(name, now, kind="cuda", memory_bytes=size * 24 * GIB, slots=slots)
        spent += clock() - begin
        events += 1

    for _ in range(num_workers):
        add_worker()
    for job in range(num_jobs):
        scheduler.open_job(f"job{job}", bound=bound, weight=1.0 + job % 2)

    def feed(job: int) -> None:
        """Hand in as much as there is room for: what a submitter does that waits for room."""
        nonlocal spent, events
        begin = clock()
        name = f"job{job}"
        while handed_in[job] < sizes[job]:
            index = handed_in[job]
            needs = {"cuda": 60 * GIB if index % 50 == 0 else 8 * GIB}
            if not scheduler.submit(name, index, f"{job}/{index}", now, needs=needs):
                break
            handed_in[job] += 1
            events += 1
            if handed_in[job] == sizes[job]:
                scheduler.seal(name, now)
        spent += clock() - begin

    for job in range(num_jobs):
        feed(job)

    first_half_s = 0.0
    while done_jobs < num_jobs:
        begin = clock()
        effects = scheduler.effects()
        spent += clock() - begin
        hungry: dict[int, int] = {}
        for effect in effects:
            effects_seen += 1
            kind = type(effect)
            if kind is Start:
                assert isinstance(effect, Start)
                seconds = chance.expovariate(1.0 / mean_s)
                start = max(now, free_at[effect.place])
                free_at[effect.place] = start + seconds
                number += 1
                what = "died" if chance.random() < faults else "done"
                heapq.heappush(agenda, (start + seconds, number, what, effect.place, effect.attempt, seconds))
            elif kind is Deliver:
                assert isinstance(effect, Deliver)
                job = int(effect.job[3:])
                if delivered[job][effect.index] if effect.index < len(delivered[job]) else False:
                    raise RuntimeError(f"task {effect.index} of {effect.job} was delivered twice")
                if effect.outcome.failure is not None:
                    raise RuntimeError(f"task {effect.index} of {effect.job} failed: {effect.outcome.error}")
                if effect.index >= len(delivered[job]):
                    delivered[job].extend(bytes(effect.index + 1 - len(delivered[job])))
                delivered[job][effect.index] = 1
                num_delivered += 1
                hungry[job] = hungry.get(job, 0) + 1
                if num_delivered == num_tasks // 2:
                    first_half_s = spent
            elif kind is Withdraw:
                assert isinstance(effect, Withdraw)
                stopped.add(effect.attempt)
            elif kind is JobDone:
                done_jobs += 1
            else:
                assert kind in (Stop, Kill, Release)
        for job, count in hungry.items():
            begin = clock()
            scheduler.read(f"job{job}", count)
            spent += clock() - begin
            feed(job)
        if effects:
            continue
        at = scheduler.next_time()
        if at is None and not agenda:
            raise RuntimeError("nothing is left to happen, and jobs are not done")
        if at is not None and (not agenda or at < agenda[0][0]):
            now = max(now, at)
            begin = clock()
            scheduler.advance(now)
            spent += clock() - begin
            events += 1
            continue
        now, _, what, place, attempt, seconds = heapq.heappop(agenda)
        if place not in free_at:
            continue  # its process died before
        if what == "died":
            deaths += 1
            del free_at[place]
            begin = clock()
            scheduler.lose(place, now, "simulated death")
            spent += clock() - begin
            events += 1
            add_worker()
            continue
        busy_s += seconds
        begin = clock()
        scheduler.finished(attempt, now, Outcome(None, "00", seconds=seconds))
        spent += clock() - begin
        events += 1

    if num_delivered != num_tasks or any(sum(d) != s for d, s in zip(delivered, sizes, strict=True)):
        raise RuntimeError(f"{num_tasks} tasks were handed in and {num_delivered} delivered")
    per_task_us = spent / num_tasks * 1e6
    # They share the driver's core, so their times add.
    driver = 1e6 / (per_task_us + driver_us)
    workers = num_workers / mean_s
    first = "workers" if workers <= driver else "scheduler" if per_task_us > driver_us else "driver: Ray calls and journal"
    return {
        "tasks": num_tasks,
        "workers": num_workers,
        "jobs": num_jobs,
        "deaths": deaths,
        "virtual_s": round(now, 1),
        "busy": round(busy_s / (now * num_workers), 4),
        "wall_s": round(clock() - wall_start, 2),
        "scheduler_s": round(spent, 2),
        "events": events,
        "events_per_s": round(events / spent),
        "us_per_task": round(per_task_us, 2),
        "us_per_task_first_half": round(first_half_s / max(1, num_tasks // 2) * 1e6, 2),
        "scheduler_share_of_virtual_time": round(spent / now, 4),
        "tasks_per_s_of_the_scheduler": round(1e6 / per_task_us),
        "tasks_per_s_of_the_driver": round(driver),
        "tasks_per_s_of_the_workers": round(workers),
        "first_bottleneck": first,
        "workers_that_the_driver_keeps_busy": round(driver * mean_s),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--mean-s", type=float, default=1.0, help="mean time of a proof (default 1)")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--faults", type=float, default=0.0, help="chance that a worker dies in an attempt")
    parser.add_argument(
        "--driver-us", type=float, default=740.0, help="what the driver computes for a task beside the scheduler (default 740)"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    gc.freeze()
    try:
        result = simulate(
            arguments.tasks,
            arguments.workers,
            mean_s=arguments.mean_s,
            num_jobs=arguments.jobs,
            faults=arguments.faults,
            driver_us=arguments.driver_us,
            seed=arguments.seed,
        )
    except RuntimeError as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
