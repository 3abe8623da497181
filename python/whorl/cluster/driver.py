"""The driver: carries out what the scheduler decides, with Ray's actors as places.

One thread owns the scheduler and all that belongs to it; everybody else puts events into its inbox. So there are no locks around decisions.
It lives in the process of a `Pool`, or in the actor of a `Cluster`.
"""

from __future__ import annotations

import itertools
import json
import queue
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .events import Deliver, Failure, JobDone, JobError, Kill, Outcome, Policy, Release, Start, Stop, Withdraw
from .journal import Journal
from .metrics import Metrics
from .places import Places, Site, sites_of_node
from .scheduler import Scheduler
from .store import Store, StoreError, open_store, patiently, proof_name, read_json_lines
from .tasks import INLINE_BYTES, TaskSpec, from_line, to_line
from .worker import Worker

__all__ = ["Driver"]

T = TypeVar("T")

TICK_S = 1.0
JOB_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


@dataclass
class _Site:
    site: Site
    state: str = "down"  # down, starting, up, released
    place: str = ""
    actor: Any = None
    failures: int = 0  # starts and deaths in a row without a proof between
    retry_at: float = 0.0
    problem: str = ""
    info: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    is_polled: bool = False


@dataclass
class _Job:
    name: str
    options: dict[str, Any]
    changed: threading.Condition = field(default_factory=threading.Condition)
    results: deque[dict[str, Any]] = field(default_factory=deque)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=10_000))
    seq: int = 0
    next_index: int = 0
    reserved: int = 0
    names: dict[int, str] = field(default_factory=dict)
    expected: int | None = None  # tasks in all, once that is known
    finished_before: int = 0
    failed_before: int = 0
    proof_s: float = 0.0
    started: float = field(default_factory=time.time)
    ended: float | None = None
    state: str = "running"
    errors: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=100))
    final: dict[str, Any] = field(default_factory=dict)


class Driver:
    """Places, jobs and the loop that joins them. All public methods may be called from any thread.

    Parameters
    ----------
    store_url
        Where proofs and jobs are kept.
    places
        How nodes are divided.
    policy
        What is tried again, how often and when.
    store_patience_s
        How long a worker holds a proof while the store is away.
    """

    def __init__(
        self, store_url: str, places: Places | None = None, policy: Policy | None = None, *, store_patience_s: float = 3600.0
    ) -> None:
        self._store: Store = open_store(store_url)
        self._places = places = places or Places()
        self._store_patience_s = store_patience_s
        self._scheduler = Scheduler(policy, seed=secrets.randbits(32))
        self._journal = Journal(self._store)
        self._metrics = Metrics()
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._jobs: dict[str, _Job] = {}
        self._sites: dict[str, _Site] = {}
        self._by_place: dict[str, _Site] = {}
        self._running: dict[int, tuple[str, int, str, float]] = {}  # attempt → job, index, place, start
        self._incarnations = itertools.count(1)
        self._is_draining = False
        self._is_closed = False
        self._next_tick = 0.0
        self._next_poll = 0.0
        self._problem = ""
        actor_of: Any = ray.remote  # its stubs do not know concurrency groups
        self._worker_class = actor_of(concurrency_groups={"prove": places.slots, "control": 4})(Worker)
        self._thread = threading.Thread(target=self._loop, name="whorl-driver", daemon=True)
        self._thread.start()

    # Jobs

    def open_job(
        self,
        name: str | None = None,
        *,
        priority: int = 0,
        weight: float = 1.0,
        bound: int | None = 1000,
        is_read: bool = True,
        deadline_s: float | None = None,
        durable: bool = True,
    ) -> str:
        """Open a job and return its name.

        Parameters
        ----------
        name
            Letters, digits, `.`, `_` and `-`; None: one is made.
        priority, weight, bound, is_read, deadline_s
            As in `Scheduler.open_job`.
        durable
            Whether the tasks are written to the store, so that the job can be resumed.

        Raises
        ------
        JobError
            A name that is none, or is taken.
        StoreError
            The store fails.
        """
        name = name or time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(3)
        if not JOB_NAME.fullmatch(name):
            raise JobError(f"job name {name!r}: expected letters, digits, '.', '_' and '-', at most 100, not '.' or '-' first")
        if self._store.exists(f"jobs/{name}/job.json"):
            raise JobError(f"job {name} is in the store already: resume it, or choose another name")
        options = {"priority": priority, "weight": weight, "bound": bound, "is_read": is_read, "deadline_s": deadline_s, "durable": durable}
        head = {"format": 1, "job": name, "created": time.time(), **options}
        self._open(name, options)
        try:
            patiently(lambda: self._store.write(f"jobs/{name}/job.json", json.dumps(head).encode() + b"\n"), 60.0)
        except StoreError:
            self.cancel(name)
            raise
        return name

    def _open(self, name: str, options: dict[str, Any]) -> _Job:
        def action() -> _Job:
            if self._is_draining:
                raise JobError("the cluster is draining: it takes no more jobs")
            known = self._jobs.get(name)
            if known is not None and known.ended is None:
                raise JobError(f"job {name} is running already")
            self._scheduler.open_job(
                name,
                priority=options["priority"],
                weight=options["weight"],
                bound=options["bound"],
                is_read=options["is_read"],
                deadline_s=options["deadline_s"],
            )
            job = _Job(name, options)
            self._jobs[name] = job
            self._journal.add(name, {"e": "job", "state": "running", "t": time.time()})
            return job

        return self._call(action)

    def offer(self, job: str, specs: Sequence[TaskSpec], wait_s: float = 0.0) -> int:
        """Hand in tasks, as many as there is room for; the rest is to be offered again.

        Parameters
        ----------
        wait_s
            How long to wait for room where there is none.

        Returns
        -------
        int
            How many of them, from the first on, were taken. They are in the store (if the job is durable) and will be proved.
        """
        if not specs:
            return 0
        state = self._job(job)
        end = time.monotonic() + wait_s

        while True:
            if state.ended is not None or state.state != "running":
                raise JobError(f"job {job} takes no more tasks: it is {state.state}")
            count = self._call(partial(self._reserve, state, len(specs)))
            left = end - time.monotonic()
            if count or left <= 0:
                break
            with state.changed:
                state.changed.wait(min(left, 0.5))
        if not count:
            return 0
        first = state.next_index
        state.next_index += count
        try:
            if state.options["durable"]:
                self._write_tasks(job, first, specs[:count])
        except BaseException:
            self._call(lambda: self._unreserve(state, count))
            raise
        self._submit(state, list(enumerate(specs[:count], first)), count)
        return count

    def _reserve(self, state: _Job, at_most: int) -> int:
        count = max(0, min(at_most, self._scheduler.room(state.name) - state.reserved))
        state.reserved += count
        return count

    def _unreserve(self, state: _Job, count: int) -> None:
        state.reserved -= count

    def _write_tasks(self, job: str, first: int, specs: Sequence[TaskSpec]) -> None:
        def write_payload(index: int, data: bytes) -> str:
            name = f"jobs/{job}/payload/{index}.pkl"
            patiently(lambda: self._store.write(name, data), self._store_patience_s)
            return name

        lines = [json.dumps(to_line(index, spec, write_payload), separators=(",", ":")) for index, spec in enumerate(specs, first)]
        data = ("\n".join(lines) + "\n").encode()
        patiently(lambda: self._store.append(f"jobs/{job}/tasks.jsonl", data), self._store_patience_s)

    def _submit(self, state: _Job, tasks: list[tuple[int, TaskSpec]], reserved: int) -> None:
        for _, spec in tasks:
            if isinstance(spec.payload, bytes) and len(spec.payload) > INLINE_BYTES:
                # Once into Ray's object store, which spills to disk, in place of once for each attempt.
                spec.payload = [ray.put(spec.payload)]

        def action() -> None:
            state.reserved -= reserved
            now = time.monotonic()
            for index, spec in tasks:
                if state.state != "running":
                    return
                state.names[index] = spec.name
                self._scheduler.submit(state.name, index, spec.identity, now, payload=spec, needs=spec.needs)

        self._call(action)

    def seal(self, job: str) -> None:
        """Say that no more tasks come."""
        state = self._job(job)
        if state.options["durable"] and state.state == "running":
            line = json.dumps({"sealed": state.next_index}).encode() + b"\n"
            patiently(lambda: self._store.append(f"jobs/{job}/tasks.jsonl", line), self._store_patience_s)

        def action() -> None:
            if state.state == "running":
                state.expected = state.next_index
                self._scheduler.seal(job, time.monotonic())

        self._call(action)

    def take(self, job: str, at_most: int = 100, wait_s: float = 0.0) -> tuple[list[dict[str, Any]], bool]:
        """Take results of a job, each once.

        Returns
        -------
        list
            Results, see `pool.Result`.
        bool
            Whether there will be no more.
        """
        state = self._job(job)
        with state.changed:
            state.changed.wait_for(lambda: state.results or state.ended is not None, wait_s)
            taken = [state.results.popleft() for _ in range(min(at_most, len(state.results)))]
            is_end = state.ended is not None and not state.results
        if taken:

            def read() -> None:
                self._scheduler.read(job, len(taken))
                with state.changed:
                    state.changed.notify_all()

            self._post(read)
        return taken, is_end

    def events(self, job: str, after: int = 0, wait_s: float = 0.0) -> tuple[list[dict[str, Any]], int, bool]:
        """Deliveries after number `after`, of the last 10,000; the number to go on from; whether the job has ended.

        Unlike `take` this leaves them there: any number of watchers may look.
        """
        state = self._job(job)
        with state.changed:
            state.changed.wait_for(lambda: state.seq > after or state.ended is not None, wait_s)
            count = min(state.seq - after, len(state.log))
            found = list(itertools.islice(state.log, len(state.log) - count, None)) if count > 0 else []
            return found, state.seq, state.ended is not None

    def cancel(self, job: str, indices: Sequence[int] | None = None) -> None:
        """Cancel a job, or some of its tasks."""
        state = self._job(job)

        def action() -> None:
            if state.ended is None:
                if indices is None:
                    state.state = "cancelled"
                self._scheduler.cancel(job, time.monotonic(), indices)

        self._call(action)

    def resume(self, job: str, *, is_read: bool = False, retry_failed: bool = False, replay: bool = False) -> dict[str, Any]:
        """Go on with a job from the store: prove what is not proved.

        Parameters
        ----------
        is_read
            Whether somebody takes the results.
        retry_failed
            Try those again that failed, too.
        replay
            Deliver what was finished before as well.

        Returns
        -------
        dict
            tasks, finished_before, failed_before, left.

        Raises
        ------
        JobError
            The job is not in the store, or runs.
        """
        if not JOB_NAME.fullmatch(job):
            raise JobError(f"job name {job!r}: expected letters, digits, '.', '_' and '-'")
        try:
            head = json.loads(self._store.read(f"jobs/{job}/job.json"))
        except FileNotFoundError:
            raise JobError(f"job {job} not found in {self._store.url}") from None
        if not head.get("durable", True):
            raise JobError(f"job {job} cannot be resumed: it was submitted with durable=False, so its tasks are not in the store")
        self.flush()
        finished: dict[int, dict[str, Any]] = {}
        failed: dict[int, dict[str, Any]] = {}
        for line in read_json_lines(self._store, f"jobs/{job}/journal.jsonl"):
            if line.get("e") == "done":
                finished[line["i"]] = line
                failed.pop(line["i"], None)
            elif line.get("e") == "failed" and line.get("failure") != Failure.CANCELLED.value:
                failed[line["i"]] = line
        there = self._stored_digests()
        finished = {i: line for i, line in finished.items() if line["digest"] in there}
        failed = {i: line for i, line in failed.items() if i not in finished}
        lines: dict[int, dict[str, Any]] = {}
        sealed: int | None = None
        for line in read_json_lines(self._store, f"jobs/{job}/tasks.jsonl"):
            if "sealed" in line:
                sealed = line["sealed"]
            else:
                lines[line["i"]] = line
        skipped = set(finished) | (set() if retry_failed else set(failed))
        left = [lines[i] for i in sorted(lines) if i not in skipped]
        options = {key: head.get(key) for key in ("priority", "weight", "bound", "deadline_s", "durable")}
        state = self._open(job, {**options, "bound": options["bound"] or 10_000, "is_read": is_read})
        state.next_index = max(lines, default=-1) + 1
        state.finished_before = len(finished)
        state.failed_before = 0 if retry_failed else len(failed)
        state.expected = len(lines)
        if sealed is None or sealed != len(lines):
            state.errors.append({"index": -1, "error": f"the submission was cut short: {len(lines)} tasks are known"})
        if replay:
            with state.changed:
                for index in sorted(finished):
                    result = {"index": index, "name": lines[index].get("name", ""), "digest": finished[index]["digest"], "before": True}
                    state.results.append(_result(**result))
        threading.Thread(target=self._feed, args=(state, left), name=f"whorl-feed-{job}", daemon=True).start()
        return {"tasks": len(lines), "finished_before": len(finished), "failed_before": len(failed), "left": len(left)}

    def _stored_digests(self) -> set[str]:
        return {
            leaf.removesuffix(".bin")
            for folder in self._store.names("proofs")
            for leaf in self._store.names(f"proofs/{folder}")
            if leaf.endswith(".bin")
        }

    def _feed(self, state: _Job, lines: list[dict[str, Any]]) -> None:
        """Hand in the tasks of a manifest as there is room."""
        position = 0
        while position < len(lines) and state.state == "running" and not self._is_closed:
            try:
                count = self._call(partial(self._reserve, state, min(500, len(lines) - position)))
            except JobError:
                return  # cancelled and gone, or the driver is closed
            if not count:
                with state.changed:
                    state.changed.wait(0.2)
                continue
            tasks = []
            for line in lines[position : position + count]:
                spec = from_line(line, lambda name: patiently(lambda: self._store.read(name), self._store_patience_s))
                tasks.append((int(line["i"]), spec))
            position += count
            self._submit(state, tasks, count)
        if position == len(lines):

            def seal() -> None:
                if state.state == "running":
                    self._scheduler.seal(state.name, time.monotonic())

            self._post(seal)

    def submit_all(self, specs: Sequence[TaskSpec], name: str | None = None, **options: Any) -> str:
        """Write a whole job to the store and prove it without a reader: what `whorl-cluster submit --detach` does.

        Returns
        -------
        str
            Name of the job. When this returns, the job outlives everything.
        """
        name = name or time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(3)
        if not JOB_NAME.fullmatch(name):
            raise JobError(f"job name {name!r}: expected letters, digits, '.', '_' and '-', at most 100, not '.' or '-' first")
        if self._store.exists(f"jobs/{name}/job.json"):
            raise JobError(f"job {name} is in the store already: resume it, or choose another name")
        for first in range(0, len(specs), 10_000):
            self._write_tasks(name, first, specs[first : first + 10_000])
        line = json.dumps({"sealed": len(specs)}).encode() + b"\n"
        patiently(lambda: self._store.append(f"jobs/{name}/tasks.jsonl", line), self._store_patience_s)
        head = {
            "format": 1,
            "job": name,
            "created": time.time(),
            "priority": 0,
            "weight": 1.0,
            "bound": None,
            "deadline_s": None,
            "durable": True,
        }
        head.update({key: value for key, value in options.items() if value is not None})
        patiently(lambda: self._store.write(f"jobs/{name}/job.json", json.dumps(head).encode() + b"\n"), self._store_patience_s)
        self.resume(name)
        return name

    def job_status(self, job: str) -> dict[str, Any]:
        """How a job stands: state, counts, rate, errors, what it waits for. From the store where it is not running here."""
        state = self._jobs.get(job)
        if state is None:
            return self._status_from_store(job)

        def action() -> dict[str, Any]:
            counts = state.final or self._scheduler.job_status(job)
            return {**counts, "places": len(self._scheduler.place_status())}

        counts = self._call(action)
        elapsed = (state.ended or time.time()) - state.started
        proved = counts["proved"]
        trouble = self.store_trouble()
        waits_for = ""
        if state.ended is None:
            if counts["places"] == 0:
                waits_for = "a place" + (f": {self._problem}" if self._problem else "")
            elif trouble:
                waits_for = f"the store: {trouble}"
            elif counts["unread"] and state.options["bound"] is not None and counts["unread"] >= state.options["bound"]:
                waits_for = "its reader"
        return {
            "job": job,
            "state": state.state if state.ended is not None or state.state != "cancelled" else "cancelling",
            "expected": state.expected,
            "finished_before": state.finished_before,
            "failed_before": state.failed_before,
            **counts,
            "elapsed_s": elapsed,
            "proofs_per_s": proved / elapsed if elapsed > 0 else 0.0,
            "waits_for": waits_for,
            "store_trouble": trouble,
            "errors": list(state.errors),
        }

    def _status_from_store(self, job: str) -> dict[str, Any]:
        if not JOB_NAME.fullmatch(job) or not self._store.exists(f"jobs/{job}/job.json"):
            raise JobError(f"job {job} not found")
        from .report import read_job

        return read_job(self._store, job).summary()

    def jobs(self) -> list[str]:
        """Jobs that this driver has, and those in the store."""
        return sorted({*self._jobs, *self._store.names("jobs")})

    def status(self) -> dict[str, Any]:
        """The whole: places, jobs that run, totals, trouble of the store."""

        def action() -> dict[str, Any]:
            places = self._scheduler.place_status()
            return {
                "store": self._store.url,
                "store_trouble": self.store_trouble(),
                "draining": self._is_draining,
                "totals": self._scheduler.totals(),
                "late_proofs": self._scheduler.late_proofs,
                "ignored_outcomes": self._scheduler.ignored_outcomes,
                "jobs": [job.name for job in self._jobs.values() if job.ended is None],
                "places": [
                    {
                        "name": state.place or name,
                        "site": name,
                        "state": state.state,
                        "problem": state.problem,
                        "pid": state.info.get("pid"),
                        "node": state.site.node,
                        **places.get(state.place, {}),
                        "report": state.report,
                    }
                    for name, state in sorted(self._sites.items())
                ],
            }

        return self._call(action)

    def store_trouble(self) -> str:
        """Why the store cannot be written to at the moment; empty where it can."""
        if self._journal.trouble:
            return self._journal.trouble
        return next((s.report["store_trouble"] for s in list(self._sites.values()) if s.report.get("store_trouble")), "")

    def read_proof(self, digest: str) -> bytes:
        """Bytes of a proof in the store. Raises FileNotFoundError where it is not there, ValueError for what is no digest."""
        return self._store.read(proof_name(digest))

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Wait until the journal is in the store; False where that takes too long."""
        return self._journal.flush(timeout_s)

    def drain(self) -> None:
        """Take no more tasks, start nothing more, finish what runs, release the places."""

        def action() -> None:
            self._is_draining = True
            self._scheduler.drain(time.monotonic())
            for state in self._sites.values():
                if state.state in ("down", "starting"):
                    self._end_site(state, "released")

        self._call(action)

    def is_drained(self) -> bool:
        """Whether a drain has come to its end."""
        return self._call(lambda: self._is_draining and not self._scheduler.place_status())

    def close(self) -> None:
        """End all workers and the loop. Jobs stay as they are in the store."""
        if self._is_closed:
            return

        def action() -> None:
            for state in self._sites.values():
                self._end_site(state, "released")

        try:
            self._call(action)
        finally:
            self._is_closed = True
            self._inbox.put(None)
            self._thread.join(30.0)
            self._journal.close()

    # The loop

    def _call(self, action: Callable[[], T]) -> T:
        """Run something on the loop's thread and wait for it."""
        if threading.current_thread() is self._thread:
            return action()
        if self._is_closed:
            raise JobError("the pool is closed")
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(action())
            except BaseException as error:
                future.set_exception(error)

        self._inbox.put(run)
        while True:
            try:
                return future.result(timeout=5.0)
            except TimeoutError:
                if future.done():
                    raise
                if not self._thread.is_alive():
                    raise JobError("the pool is closed") from None

    def _post(self, action: Callable[[], None]) -> None:
        self._inbox.put(action)

    def _loop(self) -> None:
        while True:
            now = time.monotonic()
            due = self._scheduler.next_time()
            at = self._next_tick if due is None else min(due, self._next_tick)
            events: list[Callable[[], None] | None] = []
            try:
                events.append(self._inbox.get(timeout=max(0.0, at - now)) if at > now else self._inbox.get_nowait())
                for _ in range(1000):
                    events.append(self._inbox.get_nowait())
            except queue.Empty:
                pass
            for event in events:
                if event is None:
                    return
                self._guard(event)
            self._guard(lambda: self._scheduler.advance(time.monotonic()))
            if time.monotonic() >= self._next_tick:
                self._next_tick = time.monotonic() + TICK_S
                self._guard(self._tick)
            while effects := self._scheduler.effects():
                for effect in effects:
                    self._guard(lambda effect=effect: self._carry_out(effect))  # type: ignore[misc]

    def _guard(self, action: Callable[[], object]) -> None:
        """The loop goes on whatever one event does; what it was is shown by `status`."""
        try:
            action()
        except Exception as error:
            self._problem = f"{type(error).__name__}: {error}"
            import logging

            logging.getLogger("whorl.cluster").exception("an event of the driver failed")

    def _carry_out(self, effect: Any) -> None:
        if isinstance(effect, Start):
            self._start(effect)
        elif isinstance(effect, Deliver):
            self._deliver(effect)
        elif isinstance(effect, (Stop, Withdraw)):
            state = self._by_place.get(effect.place)
            if state is not None:
                method = state.actor.stop if isinstance(effect, Stop) else state.actor.withdraw
                method.options(concurrency_group="control").remote(effect.attempt)
        elif isinstance(effect, Kill):
            state = self._by_place.get(effect.place)
            if state is not None:
                self._place_is_gone(state, effect.reason)
        elif isinstance(effect, Release):
            state = self._by_place.get(effect.place)
            if state is not None:
                self._end_site(state, "released")
        elif isinstance(effect, JobDone):
            self._job_done(effect.job)

    def _start(self, effect: Start) -> None:
        state = self._by_place[effect.place]
        spec: TaskSpec = effect.payload
        attempt, place = effect.attempt, effect.place
        self._running[attempt] = (effect.job, effect.index, place, time.time())
        reference = state.actor.prove.options(concurrency_group="prove").remote(attempt, spec.kind, spec.payload)

        def done(future: Future[Any]) -> None:
            error = future.exception()
            outcome = None if error is not None else future.result()
            self._inbox.put(lambda: self._ended(place, attempt, outcome, error))

        reference.future().add_done_callback(done)

    def _ended(self, place: str, attempt: int, outcome: Outcome | None, error: BaseException | None) -> None:
        if error is not None:
            if isinstance(error, ray.exceptions.RayActorError):
                self._died(place, error)
                return
            outcome = Outcome(Failure.MACHINE, error=_first_line(error))
        assert outcome is not None
        started = self._running.pop(attempt, None)
        if started is not None:
            self._note_attempt(attempt, started, outcome)
        state = self._by_place.get(place)
        if state is not None and outcome.failure is None:
            state.failures = 0
        self._scheduler.finished(attempt, time.monotonic(), outcome)

    def _note_attempt(self, attempt: int, started: tuple[str, int, str, float], outcome: Outcome) -> None:
        job, index, place, since = started
        detail = outcome.detail
        result = outcome.failure.value if outcome.failure else "stored" if detail.get("stored") else "proved"
        times = detail.get("times", {"taken": since, "ended": time.time()})
        stages = detail.get("stages", {})
        self._metrics.attempt(result, stages, place, detail.get("device_bytes", 0))
        line = {
            "e": "attempt",
            "a": attempt,
            "i": index,
            "place": place,
            "outcome": result,
            "sent": since,
            "got": time.time(),
            "times": times,
        }
        if stages:
            line["stages"] = {name: round(seconds, 6) for name, seconds in stages.items()}
        if outcome.error:
            line["error"] = outcome.error[:500]
        self._journal.add(job, line)
        state = self._jobs.get(job)
        if state is not None and result == "proved":
            state.proof_s += outcome.seconds

    def _died(self, place: str, error: BaseException) -> None:
        """A worker's process, or its node, is gone."""
        state = self._by_place.get(place)
        if state is None:
            return  # known already: each of its attempts says so
        is_memory = isinstance(error, ray.exceptions.OutOfMemoryError) or "OutOfMemory" in str(error)
        reason = _first_line(error)
        self._scheduler.lose(place, time.monotonic(), reason, Failure.MEMORY if is_memory else Failure.LOST)
        self._place_is_gone(state, reason)

    def _place_is_gone(self, state: _Site, reason: str) -> None:
        """The scheduler has forgotten the place: note its attempts, end its process, start another."""
        place = state.place
        now = time.time()
        for attempt in [a for a, entry in self._running.items() if entry[2] == place]:
            entry = self._running.pop(attempt)
            outcome = Outcome(Failure.LOST, error=reason, detail={"times": {"taken": entry[3], "ended": now}})
            self._note_attempt(attempt, entry, outcome)
        for job in self._jobs.values():
            if job.ended is None:
                self._journal.add(job.name, {"e": "place", "place": place, "state": "gone", "t": now, "reason": reason[:300]})
        state.failures += 1
        state.problem = reason
        self._end_site(state, "down")
        # The first death in a row is followed by a start at once.
        state.retry_at = time.monotonic() + (0.0 if state.failures == 1 else min(60.0, 0.5 * 2.0 ** (state.failures - 2)))
        self._next_tick = min(self._next_tick, state.retry_at)

    def _end_site(self, state: _Site, new_state: str) -> None:
        actor, state.actor = state.actor, None
        if state.place:
            self._by_place.pop(state.place, None)
            self._metrics.place_gone(state.place)
        state.place = ""
        state.report = {}
        state.state = new_state
        if actor is not None:
            ray.kill(actor, no_restart=True)

    def _deliver(self, effect: Deliver) -> None:
        outcome = effect.outcome
        state = self._jobs[effect.job]
        times = outcome.detail.get("times", {})
        result = _result(
            index=effect.index,
            name=state.names.pop(effect.index, ""),
            digest=outcome.digest,
            failure=outcome.failure.value if outcome.failure else "",
            error=outcome.error,
            seconds=outcome.seconds,
            attempts=effect.attempts,
            history=list(effect.history),
            place=outcome.detail.get("place", ""),
            stored=bool(outcome.detail.get("stored")),
            duplicate=bool(outcome.detail.get("duplicate")),
            began=times.get("began", 0.0),
        )
        if outcome.failure is None:
            self._journal.add(
                effect.job, {"e": "done", "i": effect.index, "digest": outcome.digest, "t": time.time(), "attempts": effect.attempts}
            )
            self._metrics.delivered("proved")
        else:
            line = {"e": "failed", "i": effect.index, "failure": outcome.failure.value, "error": outcome.error[:2000], "t": time.time()}
            self._journal.add(effect.job, line)
            self._metrics.delivered(outcome.failure.value)
            if outcome.failure is not Failure.CANCELLED:
                state.errors.append(
                    {"index": effect.index, "name": result["name"], "failure": outcome.failure.value, "error": outcome.error}
                )
        with state.changed:
            state.seq += 1
            state.log.append({"seq": state.seq, **result})
            if state.options["is_read"]:
                state.results.append(result)
            state.changed.notify_all()

    def _job_done(self, name: str) -> None:
        state = self._jobs[name]
        counts = self._scheduler.job_status(name)
        self._scheduler.forget(name)
        state.state = "cancelled" if state.state == "cancelled" else "done"
        line = {"e": "job", "state": state.state, "t": time.time(), "proved": counts["proved"], "failed": counts["failed"]}
        self._journal.add(name, line)
        with state.changed:
            state.final = {**counts, "running": 0, "waiting": 0}
            state.ended = time.time()
            state.changed.notify_all()
        ended = [job.name for job in self._jobs.values() if job.ended is not None and not job.results]
        for old in ended[:-1000]:
            del self._jobs[old]

    # Nodes and places

    def _tick(self) -> None:
        nodes = {node["NodeID"]: node for node in ray.nodes()}  # type: ignore[no-untyped-call]
        wanted: dict[str, Site] = {}
        for node in nodes.values():
            for site in sites_of_node(node, self._places):
                wanted[site.name] = site
        for name, state in list(self._sites.items()):
            if name not in wanted:
                if state.place and state.state == "up":
                    self._scheduler.lose(state.place, time.monotonic(), "its node left the cluster")
                    self._place_is_gone(state, "its node left the cluster")
                self._end_site(state, "released")
                del self._sites[name]
        for name, site in wanted.items():
            if name not in self._sites:
                self._sites[name] = _Site(site)
        for state in self._sites.values():
            if state.state == "down" and not self._is_draining and time.monotonic() >= state.retry_at:
                self._start_site(state)
        downs = [s.retry_at for s in self._sites.values() if s.state == "down"]
        if downs and not self._is_draining:
            self._next_tick = min(self._next_tick, max(min(downs), time.monotonic() + 0.05))
        if time.monotonic() >= self._next_poll:
            # At most some 200 reports a second, however many places there are.
            self._next_poll = time.monotonic() + max(TICK_S, len(self._by_place) / 200)
            self._poll()
        self._metrics.state(
            self._scheduler.totals(), sum(job.ended is None for job in self._jobs.values()), len(self._by_place), bool(self.store_trouble())
        )

    def _start_site(self, state: _Site) -> None:
        site = state.site
        place = f"{site.name}#{next(self._incarnations)}"
        state.state = "starting"
        actor = self._worker_class.options(
            num_cpus=site.num_cpus,
            num_gpus=site.num_gpus,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(site.node, soft=False),
        ).remote(
            place,
            site.device,
            site.threads,
            self._store.url,
            site.memory_bytes,
            self._places.warm_provers,
            site.at_once,
            self._store_patience_s,
        )
        state.actor = actor
        state.place = place

        def done(future: Future[Any]) -> None:
            error = future.exception()
            info = None if error is not None else future.result()
            self._inbox.put(lambda: self._greeted(state, place, info, error))

        actor.hello.options(concurrency_group="control").remote().future().add_done_callback(done)

    def _greeted(self, state: _Site, place: str, info: dict[str, Any] | None, error: BaseException | None) -> None:
        if state.place != place:
            return
        if info is None:
            self._problem = state.problem = f"{state.site.name}: {_first_line(error)}"
            self._place_is_gone(state, state.problem)
            return
        state.state = "up"
        state.info = info
        self._by_place[place] = state
        for job in self._jobs.values():
            if job.ended is None:
                self._journal.add(job.name, {"e": "place", "place": place, "state": "up", "t": time.time()})
        self._scheduler.join(place, time.monotonic(), kind=info["kind"], memory_bytes=info["memory_bytes"], slots=self._places.slots)

    def _poll(self) -> None:
        for state in list(self._by_place.values()):
            if state.is_polled:
                continue
            state.is_polled = True
            place = state.place

            def done(future: Future[Any], state: _Site = state, place: str = place) -> None:
                error = future.exception()
                report = None if error is not None else future.result()
                self._inbox.put(lambda: self._reported(state, place, report, error))

            state.actor.report.options(concurrency_group="control").remote().future().add_done_callback(done)

    def _reported(self, state: _Site, place: str, report: dict[str, Any] | None, error: BaseException | None) -> None:
        state.is_polled = False
        if state.place != place:
            return
        if report is None:
            if isinstance(error, ray.exceptions.RayActorError):
                self._died(place, error)
            return
        state.report = report
        self._metrics.place(place, report)
        if report["store_trouble"]:
            self._scheduler.hold(place, time.monotonic())

    def _job(self, name: str) -> _Job:
        state = self._jobs.get(name)
        if state is None:
            raise JobError(f"job {name} not found")
        return state


def _first_line(error: object) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    # Ray puts the remote error last, and its own account of the death first.
    return (lines[-1] if isinstance(error, ray.exceptions.RayTaskError) else lines[0])[:500]


def _result(**values: Any) -> dict[str, Any]:
    blank: Mapping[str, Any] = {
        "index": -1,
        "name": "",
        "digest": "",
        "failure": "",
        "error": "",
        "seconds": 0.0,
        "attempts": 0,
        "history": [],
        "place": "",
        "stored": False,
        "duplicate": False,
        "began": 0.0,
        "before": False,
    }
    return {**blank, **values}
