"""The scheduler: which task runs where, and when.

A state machine without threads, Ray or a clock: every call says what time it is, and `effects()` returns what is to be done. So the same
code serves ten GPUs, a simulation of a thousand workers in virtual time (bench/cluster), and property tests that draw random events.

Words
-----
unit
    one proof that is wanted. Two tasks with one identity are one unit: it is proved once and delivered to each of them.
attempt
    a unit on its way through one place. Its number is never used again, so a report is about one attempt or about none.
place
    what proves: one GPU, or a group of cores, in one process. It takes up to `slots` attempts: one is proved, others are read or stored.
site class
    places of one kind and one memory size. Units wait in *lines*, one per set of classes where they fit: no event looks at all of them.

Fair shares
-----------
Among jobs of the highest priority that have a fitting unit, the one with the least work per weight is served (start-time fair queueing).
Work is seconds of a place: an estimate when an attempt starts, corrected when it ends. A job that comes back from idleness does not
collect what it did not use.

Cost
----
Each event costs O(log jobs) plus O(classes · slots), both small; only a new or a vanished class moves the units that wait, once each.
"""

from __future__ import annotations

import heapq
import random
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .events import Deliver, Effect, Failure, JobDone, JobError, Kill, Outcome, Policy, Release, Start, Stop, Withdraw

__all__ = ["Scheduler"]

_WAITING, _BACKING_OFF, _RUNNING, _OVER = range(4)


@dataclass(slots=True, eq=False)
class _Unit:
    identity: str
    payload: Any
    needs: dict[str, int]
    subscribers: list[tuple[_Job, int]]
    order: int
    state: int = _WAITING
    line: _LineKey | None = None
    exceeded: dict[str, int] = field(default_factory=dict)  # memory ran out at places of this many bytes
    failures: int = 0
    file_failures: int = 0
    starts: int = 0
    is_suspect: bool = False  # was there when a process died: runs alone, so that the guilty one is found
    attempt: int = 0
    withdrawn: bool = False
    homeless_since: float | None = None
    history: list[str] = field(default_factory=list)
    abandoned: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Job:
    name: str
    order: int
    priority: int
    weight: float
    bound: int | None
    is_read: bool
    deadline_s: float
    is_sealed: bool = False
    is_cancelled: bool = False
    is_done: bool = False
    live: dict[int, _Unit] = field(default_factory=dict)
    unread: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"submitted": 0, "proved": 0, "failed": 0, "cancelled": 0, "retries": 0})
    work_s: float = 0.0
    share: float = 0.0  # work per weight, in the virtual time of its priority
    mean_s: float | None = None
    queues: dict[_LineKey, deque[_Unit]] = field(default_factory=dict)
    stamps: dict[_LineKey, int] = field(default_factory=dict)


_Class = tuple[str, int]  # kind, bytes
_LineKey = tuple[frozenset[_Class], bool]  # where a unit fits, and whether it has to run alone
_HeapEntry = tuple[int, float, int, "_Job"]


@dataclass(slots=True, eq=False)
class _Place:
    name: str
    site: _Class
    slots: int
    running: dict[int, _Unit] = field(default_factory=dict)
    charged: dict[int, tuple[_Job, float]] = field(default_factory=dict)  # the job that pays, and the estimate it paid
    started: dict[int, float] = field(default_factory=dict)  # oldest first
    is_alone: bool = False
    is_draining: bool = False
    quiet_since: float = 0.0
    timer_at: float | None = None


class Scheduler:
    """Places, jobs and units, and the decisions about them.

    Parameters
    ----------
    policy
        What is tried again, how often and when.
    seed
        Seed of the chance in the back-off.

    Raises
    ------
    JobError
        From calls about a job that is not there, is there already, or takes no more tasks.
    """

    def __init__(self, policy: Policy | None = None, seed: int = 0) -> None:
        self.policy = policy = policy or Policy()
        self.ignored_outcomes = 0  # double, or late without use
        self.late_proofs = 0  # late, and still the first proof of their unit
        self._random = random.Random(seed)
        self._effects: list[Effect] = []
        self._jobs: dict[str, _Job] = {}
        self._units: dict[str, _Unit] = {}
        self._places: dict[str, _Place] = {}
        self._attempts: dict[int, tuple[_Unit, _Place]] = {}
        self._abandoned: dict[int, _Unit] = {}
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._lines: dict[_LineKey, list[_HeapEntry]] = {}
        self._lines_of: dict[_Class, list[_LineKey]] = {}
        self._line_cache: dict[tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]], frozenset[_Class]] = {}
        # members of each class by the number of attempts they have; dicts, because sets have no order that repeats
        self._by_load: dict[_Class, list[dict[str, _Place]]] = {}
        self._class_size: dict[_Class, int] = {}
        self._class_order: list[_Class] = []
        self._ever: set[_Class] = set()
        self._clock: dict[int, float] = {}
        self._timers: list[tuple[float, int, str, Any]] = []
        self._homeless: dict[str, _Unit] = {}
        self._num_waiting = 0
        self._next = 0
        self._estimate_s = policy.estimate_s
        self._is_draining = False

    # Jobs

    def open_job(
        self,
        name: str,
        *,
        priority: int = 0,
        weight: float = 1.0,
        bound: int | None = None,
        is_read: bool = True,
        deadline_s: float | None = None,
    ) -> None:
        """Open a job, which takes tasks until it is sealed.

        Parameters
        ----------
        priority
            Jobs of a higher priority are served first, always.
        weight
            Share of the places among jobs of one priority, relative to the others.
        bound
            Tasks that are not yet delivered and read, at most; None for no bound.
        is_read
            Whether somebody reads what is delivered, and says so by `read`. Otherwise only tasks that are not delivered count.
        deadline_s
            In place of the policy's.
        """
        if name in self._jobs:
            raise JobError(f"open_job: job {name} is there already")
        if not weight > 0:
            raise JobError(f"open_job: weight is {weight}, expected more than 0")
        if bound is not None and bound < 1:
            raise JobError(f"open_job: bound is {bound}, expected at least 1")
        deadline = self.policy.deadline_s if deadline_s is None else deadline_s
        self._jobs[name] = _Job(name, self._number(), priority, weight, bound, is_read, deadline)

    def room(self, job: str) -> int:
        """How many tasks `submit` takes now; a large number where the job has no bound."""
        found = self._job(job)
        if found.is_sealed or found.is_cancelled or self._is_draining:
            return 0
        return 1 << 30 if found.bound is None else max(0, found.bound - len(found.live) - found.unread)

    def submit(self, job: str, index: int, identity: str, now: float, payload: Any = None, needs: Mapping[str, int] | None = None) -> bool:
        """Add one task to a job.

        Parameters
        ----------
        index
            Its number in the job.
        identity
            What names the same task: tasks with one identity are proved once.
        payload
            Passed on in `Start`.
        needs
            Bytes of memory by kind of device, where they are known: {"cuda": 20_000_000_000}.

        Returns
        -------
        bool
            False, and nothing happens, where there is no room.
        """
        found = self._job(job)
        if found.is_sealed or found.is_cancelled:
            raise JobError(f"submit: job {job} is {'cancelled' if found.is_cancelled else 'sealed'}")
        if index in found.live:
            raise JobError(f"submit: task {index} of job {job} is there already")
        if self.room(job) == 0:
            return False
        found.counts["submitted"] += 1
        digest = self._remembered.get(identity)
        if digest is not None:
            self._remembered.move_to_end(identity)
            self._deliver(found, index, Outcome(None, digest, detail={"duplicate": True}), 0, ())
            return True
        unit = self._units.get(identity)
        if unit is None:
            unit = _Unit(identity, payload, dict(needs or {}), [(found, index)], self._number())
            self._units[identity] = unit
            found.live[index] = unit
            self._enqueue(unit, now)
        else:
            unit.subscribers.append((found, index))
            found.live[index] = unit
            if unit.state == _WAITING and unit.line is not None:
                self._append(found, unit, unit.line)
        self._fill(now)
        return True

    def seal(self, job: str, now: float) -> None:
        """Say that no more tasks come. The job is done when all are delivered."""
        found = self._job(job)
        found.is_sealed = True
        self._end_if_done(found)

    def read(self, job: str, count: int) -> None:
        """Say that `count` deliveries were read, which makes room."""
        found = self._jobs.get(job)
        if found is not None:
            found.unread = max(0, found.unread - count)

    def cancel(self, job: str, now: float, indices: Iterable[int] | None = None) -> None:
        """Cancel a whole job, or some of its tasks: those that wait at once, those that run when they have stopped.

        A unit that another job waits for goes on.
        """
        found = self._job(job)
        if indices is None:
            found.is_cancelled = True
        for index in list(found.live) if indices is None else [i for i in indices if i in found.live]:
            unit = found.live[index]
            unit.subscribers.remove((found, index))
            self._deliver(found, index, Outcome(Failure.CANCELLED, error="cancelled"), unit.starts, tuple(unit.history))
            if not unit.subscribers:
                if unit.state == _RUNNING:
                    place = self._attempts[unit.attempt][1]
                    self._effects.append(Stop(place.name, unit.attempt))
                self._retire(unit)
            elif indices is not None and unit.line in found.queues and not any(job is found for job, _ in unit.subscribers):
                found.queues[unit.line] = deque(other for other in found.queues[unit.line] if other is not unit)
        if indices is None:
            found.queues.clear()
            found.stamps.clear()
        self._end_if_done(found)
        self._fill(now)

    # Places

    def join(self, place: str, now: float, *, kind: str, memory_bytes: int, slots: int = 3) -> None:
        """Add a place.

        Parameters
        ----------
        kind
            Kind of device, as in `needs`.
        memory_bytes
            Memory for proofs.
        slots
            Attempts at one time.
        """
        if place in self._places:
            raise ValueError(f"join: place {place} is there already")
        if slots < 1:
            raise ValueError(f"join: {slots} slots, expected at least 1")
        site = (kind, memory_bytes)
        self._ever.add(site)
        added = _Place(place, site, slots, is_draining=self._is_draining)
        self._places[place] = added
        is_new = site not in self._class_size
        self._class_size[site] = self._class_size.get(site, 0) + 1
        loads = self._by_load.setdefault(site, [])
        while len(loads) <= slots:
            loads.append({})
        if not added.is_draining:
            loads[0][place] = added
        if is_new:
            self._reclassify(now)
        if added.is_draining:
            self._release_if_idle(added, now)
        self._fill(now)

    def lose(self, place: str, now: float, reason: str = "the process ended", failure: Failure = Failure.LOST) -> None:
        """Say that the process of a place, or its node, is gone. What it had is tried again elsewhere.

        `failure` is `MEMORY` where the system killed the process for want of memory: then a larger place is looked for.
        """
        found = self._places.get(place)
        if found is not None:
            self._drop_place(found, now, failure, reason)
            self._fill(now)

    def drain(self, now: float, place: str | None = None) -> None:
        """Start nothing more at this place, or anywhere; what runs is finished. Places without work are released."""
        if place is None:
            self._is_draining = True
        for found in list(self._places.values()) if place is None else [self._places[place]]:
            found.is_draining = True
            self._by_load[found.site][len(found.running)].pop(found.name, None)
            self._release_if_idle(found, now)

    def hold(self, place: str, now: float) -> None:
        """Restart the deadline of a place: it said why it finishes nothing, for instance that the store is away."""
        found = self._places.get(place)
        if found is not None:
            found.quiet_since = now
            found.started = dict.fromkeys(found.started, now)

    # Outcomes and time

    def finished(self, attempt: int, now: float, outcome: Outcome) -> None:
        """Say how an attempt ended. An outcome that comes twice, or too late to matter, changes nothing but a count."""
        pair = self._attempts.pop(attempt, None)
        if pair is None:
            self._finished_late(attempt, now, outcome)
            return
        unit, place = pair
        deadline = self._deadline_of(place)
        self._leave(place, attempt)
        place.quiet_since = now
        if place.running and self._deadline_of(place) < deadline:
            # The others may have waited behind this one, whose deadline was longer.
            place.started = dict.fromkeys(place.started, now)
        self._watch(place, now)
        self._charge(place, attempt, outcome.seconds, outcome.failure is None)
        failure = outcome.failure
        if unit.state == _OVER:  # cancelled meanwhile
            if failure is None:
                self._remember(unit.identity, outcome.digest)
        elif failure is None:
            self._prove(unit, outcome)
        elif failure is Failure.WITHDRAWN:
            self._enqueue(unit, now, at_front=True)
        elif failure is Failure.BAD:
            self._fail(unit, outcome)
        elif failure is Failure.TOO_LARGE:
            unit.needs[place.site[0]] = max(outcome.needs_bytes, place.site[1] + 1)
            self._enqueue(unit, now, at_front=True)
        else:
            if failure is Failure.MEMORY:
                unit.exceeded[place.site[0]] = max(place.site[1], unit.exceeded.get(place.site[0], 0))
            self._retry(unit, now, place, outcome)
        if failure is Failure.MACHINE and place.name in self._places:
            # A device that failed once fails what follows too. The others at this place are not to blame.
            self._drop_place(place, now, None, outcome.error)
            self._effects.append(Kill(place.name, outcome.error))
        self._release_if_idle(place, now)
        self._fill(now)

    def advance(self, now: float) -> None:
        """Let time pass: back-offs end, deadlines fire, patience runs out."""
        is_changed = False
        while self._timers and self._timers[0][0] <= now:
            _, _, what, subject = heapq.heappop(self._timers)
            is_changed = True
            if what == "retry":
                if subject.state == _BACKING_OFF:
                    self._enqueue(subject, now)
            elif what == "deadline":
                if subject.timer_at is not None and subject.timer_at <= now:
                    self._check_deadline(subject, now)
            elif what == "homeless":
                if subject.identity in self._homeless and self._homeless[subject.identity] is subject:
                    self._refuse_if_hopeless(subject, now)
        if is_changed:
            self._fill(now)

    def next_time(self) -> float | None:
        """When `advance` has something to do next; None: never."""
        return self._timers[0][0] if self._timers else None

    def effects(self) -> list[Effect]:
        """Take what is to be done since the last call, in order."""
        taken, self._effects = self._effects, []
        return taken

    def forget(self, job: str) -> None:
        """Forget a job that is done."""
        found = self._job(job)
        if found.live:
            raise JobError(f"forget: job {job} has {len(found.live)} tasks that are not finished")
        del self._jobs[job]

    # Views

    def job_status(self, job: str) -> dict[str, Any]:
        """Counts of a job: submitted, proved, failed, cancelled, retries, waiting, running, unread, work_s."""
        found = self._job(job)
        running = sum(1 for unit in found.live.values() if unit.state == _RUNNING)
        return {
            **found.counts,
            "running": running,
            "waiting": len(found.live) - running,
            "unread": found.unread,
            "work_s": found.work_s,
            "priority": found.priority,
            "weight": found.weight,
            "sealed": found.is_sealed,
        }

    def jobs(self) -> list[str]:
        """Names of the jobs that are not forgotten."""
        return list(self._jobs)

    def place_status(self) -> dict[str, dict[str, Any]]:
        """For each place its kind, memory_bytes, slots, attempts and whether it drains."""
        return {
            name: {
                "kind": place.site[0],
                "memory_bytes": place.site[1],
                "slots": place.slots,
                "attempts": len(place.running),
                "draining": place.is_draining,
            }
            for name, place in self._places.items()
        }

    def totals(self) -> dict[str, int]:
        """Units by state over all jobs: waiting, running, backing_off, homeless."""
        running = len(self._attempts)
        return {
            "waiting": self._num_waiting,
            "running": running,
            "backing_off": sum(1 for unit in self._units.values() if unit.state == _BACKING_OFF),
            "homeless": len(self._homeless),
        }

    # Private: lines

    def _number(self) -> int:
        self._next += 1
        return self._next

    def _job(self, name: str) -> _Job:
        found = self._jobs.get(name)
        if found is None:
            raise JobError(f"job {name} not found")
        return found

    def _fitting(self, unit: _Unit) -> frozenset[_Class]:
        key = (tuple(sorted(unit.needs.items())), tuple(sorted(unit.exceeded.items())))
        cached = self._line_cache.get(key)
        if cached is None:
            hard = [site for site in self._class_order if unit.needs.get(site[0], 0) <= site[1]]
            larger = [site for site in hard if unit.exceeded.get(site[0], -1) < site[1]]
            if not larger:
                # memory ran out at the largest place: it is tried there again, because others may have held the memory
                largest = max((size for _, size in hard), default=0)
                larger = [site for site in hard if site[1] == largest]
            cached = frozenset(larger)
            self._line_cache[key] = cached
        return cached

    def _enqueue(self, unit: _Unit, now: float, at_front: bool = False) -> None:
        unit.state = _WAITING
        unit.attempt = 0
        unit.withdrawn = False
        sites = self._fitting(unit)
        self._num_waiting += 1
        if not sites:
            unit.line = None
            self._homeless[unit.identity] = unit
            self._refuse_if_hopeless(unit, now)
            return
        unit.homeless_since = None
        key = (sites, unit.is_suspect)
        unit.line = key
        if key not in self._lines:
            self._lines[key] = []
            for site in sites:
                self._lines_of.setdefault(site, []).append(key)
        for job, _ in unit.subscribers:
            self._append(job, unit, key, at_front)

    def _append(self, job: _Job, unit: _Unit, key: _LineKey, at_front: bool = False) -> None:
        queue = job.queues.get(key)
        if queue is None:
            queue = job.queues[key] = deque()
        if not queue:
            # a job that had nothing to do starts level with those that are served
            if not any(job.queues.values()):
                job.share = max(job.share, self._clock.get(job.priority, 0.0))
            self._push(job, key)
        if at_front:
            queue.appendleft(unit)
        else:
            queue.append(unit)

    def _push(self, job: _Job, key: _LineKey) -> None:
        stamp = self._number()
        job.stamps[key] = stamp
        heapq.heappush(self._lines[key], (-job.priority, job.share, stamp, job))

    def _top(self, key: _LineKey) -> _HeapEntry | None:
        """The job to be served in this line; drops entries that have become wrong."""
        heap = self._lines[key]
        while heap:
            entry = heap[0]
            job = entry[3]
            if job.stamps.get(key) != entry[2]:
                heapq.heappop(heap)
                continue
            queue = job.queues.get(key)
            while queue and (queue[0].state != _WAITING or queue[0].line != key):
                queue.popleft()
            if not queue:
                heapq.heappop(heap)
                job.queues.pop(key, None)
                job.stamps.pop(key, None)
                continue
            if entry[1] != job.share:
                heapq.heappop(heap)
                self._push(job, key)
                continue
            return entry
        return None

    def _pick(self, site: _Class, is_idle: bool) -> tuple[_Job, _Unit] | None:
        """The next unit for a place of this class, or None.

        A unit that has to run alone starts at idle places only. When it is its turn, places that are not idle get nothing: so one of them
        runs dry for it.
        """
        best: _HeapEntry | None = None
        best_key: _LineKey | None = None
        for key in self._lines_of.get(site, ()):
            entry = self._top(key)
            if entry is not None and (
                best is None or entry[:2] < best[:2] or (entry[:2] == best[:2] and self._is_older(entry, key, best, best_key))
            ):
                best, best_key = entry, key
        if best is None or best_key is None or (best_key[1] and not is_idle):
            return None
        job = best[3]
        return job, job.queues[best_key].popleft()

    @staticmethod
    def _is_older(a: _HeapEntry, a_key: _LineKey, b: _HeapEntry, b_key: _LineKey | None) -> bool:
        assert b_key is not None
        return a[3].queues[a_key][0].order < b[3].queues[b_key][0].order

    def _fill(self, now: float) -> None:
        """Start what can be started: idle places first, small ones before large ones."""
        if self._num_waiting > len(self._homeless):
            max_slots = max((len(loads) for loads in self._by_load.values()), default=1) - 1
            for load in range(max_slots):
                for site in self._class_order:
                    loads = self._by_load[site]
                    if load >= len(loads) - 1:
                        continue
                    members = loads[load]
                    while members:
                        place = next((p for p in members.values() if p.slots > load and not p.is_alone), None)
                        picked = self._pick(site, is_idle=load == 0) if place is not None else None
                        if place is None or picked is None:
                            break
                        self._start(place, picked[0], picked[1], now)
        if self._num_waiting == len(self._homeless):
            self._steal()

    def _start(self, place: _Place, job: _Job, unit: _Unit, now: float) -> None:
        attempt = self._number()
        estimate = self._estimate_of(job)
        self._num_waiting -= 1
        unit.state = _RUNNING
        unit.line = None
        unit.attempt = attempt
        unit.starts += 1
        if not place.running:
            place.quiet_since = now
        self._by_load[place.site][len(place.running)].pop(place.name)
        place.running[attempt] = unit
        place.charged[attempt] = (job, estimate)
        place.started[attempt] = now
        place.is_alone = unit.is_suspect
        self._by_load[place.site][len(place.running)][place.name] = place
        self._attempts[attempt] = (unit, place)
        self._clock[job.priority] = max(self._clock.get(job.priority, 0.0), job.share)
        job.share += estimate / job.weight
        # The share has grown, so entries in the heaps are too small: `_top` replaces them when it meets them.
        self._watch(place, now)
        index = next(index for subscriber, index in unit.subscribers if subscriber is job)
        self._effects.append(Start(place.name, attempt, unit.payload, job.name, index))

    def _steal(self) -> None:
        """Where nothing waits and a place is idle, ask a place that holds several attempts for the last one back."""
        idle = [site for site in self._class_order if self._by_load[site][0]]
        if not idle:
            return
        looked_at = 0
        for site in self._class_order:
            for load in range(len(self._by_load[site]) - 1, 1, -1):
                for place in self._by_load[site][load].values():
                    looked_at += 1
                    if looked_at > 16:  # one event does not look at every place
                        return
                    attempt, unit = next(reversed(place.running.items()))
                    if unit.withdrawn or unit.state != _RUNNING or not unit.subscribers:
                        continue
                    if self._estimate_of(unit.subscribers[0][0]) < self.policy.steal_after_s:
                        continue
                    if self._fitting(unit).isdisjoint(idle):
                        continue
                    unit.withdrawn = True
                    self._effects.append(Withdraw(place.name, attempt))
                    return

    def _leave(self, place: _Place, attempt: int) -> None:
        loads = self._by_load[place.site]
        loads[len(place.running)].pop(place.name, None)
        del place.running[attempt]
        del place.started[attempt]
        if place.name in self._places and not place.is_draining:
            loads[len(place.running)][place.name] = place
        if not place.running:
            place.is_alone = False

    def _estimate_of(self, job: _Job) -> float:
        return self._estimate_s if job.mean_s is None else job.mean_s

    def _charge(self, place: _Place, attempt: int, seconds: float, is_typical: bool) -> None:
        """Replace the estimate that a job was charged by what the attempt took."""
        job, estimate = place.charged.pop(attempt)
        if is_typical:
            job.mean_s = seconds if job.mean_s is None else 0.9 * job.mean_s + 0.1 * seconds
            self._estimate_s = 0.99 * self._estimate_s + 0.01 * seconds
        job.work_s += seconds
        job.share += (seconds - estimate) / job.weight
        if seconds < estimate:  # `_top` replaces entries that are too small, not those that are too large
            for key, queue in job.queues.items():
                if queue:
                    self._push(job, key)

    # Private: ends

    def _deliver(self, job: _Job, index: int, outcome: Outcome, attempts: int, history: tuple[str, ...]) -> None:
        job.live.pop(index, None)
        kind = "proved" if outcome.failure is None else "cancelled" if outcome.failure is Failure.CANCELLED else "failed"
        job.counts[kind] += 1
        if job.is_read:
            job.unread += 1
        self._effects.append(Deliver(job.name, index, outcome, attempts, history))

    def _end_if_done(self, job: _Job) -> None:
        if not job.live and (job.is_sealed or job.is_cancelled) and not job.is_done:
            job.is_done = True
            self._effects.append(JobDone(job.name))

    def _retire(self, unit: _Unit) -> None:
        """Nobody waits for this unit any more."""
        if unit.state == _WAITING:
            self._num_waiting -= 1
        unit.state = _OVER
        unit.line = None
        if self._units.get(unit.identity) is unit:
            del self._units[unit.identity]
        if self._homeless.get(unit.identity) is unit:
            del self._homeless[unit.identity]
        for attempt in unit.abandoned:
            self._abandoned.pop(attempt, None)
        unit.abandoned.clear()

    def _finish(self, unit: _Unit, outcome: Outcome) -> None:
        subscribers, unit.subscribers = unit.subscribers, []
        starts, history = unit.starts, tuple(unit.history)
        self._retire(unit)
        for job, index in subscribers:
            self._deliver(job, index, outcome, starts, history)
        for job in {id(job): job for job, _ in subscribers}.values():
            self._end_if_done(job)

    def _prove(self, unit: _Unit, outcome: Outcome) -> None:
        self._remember(unit.identity, outcome.digest)
        self._finish(unit, outcome)

    def _fail(self, unit: _Unit, outcome: Outcome) -> None:
        self._finish(unit, outcome)

    def _remember(self, identity: str, digest: str) -> None:
        self._remembered[identity] = digest
        self._remembered.move_to_end(identity)
        while len(self._remembered) > self.policy.remembered:
            self._remembered.popitem(last=False)

    def _retry(self, unit: _Unit, now: float, place: _Place, outcome: Outcome) -> None:
        """After a failure that may pass: later, up to a number of times."""
        assert outcome.failure is not None
        unit.failures += 1
        unit.file_failures += outcome.failure is Failure.FILE
        unit.history.append(f"attempt {unit.starts} at {place.name}: {outcome.failure.value}: {outcome.error}")
        if unit.failures >= self.policy.max_attempts or unit.file_failures >= self.policy.max_file_attempts:
            text = f"{outcome.error} (given up after {unit.failures} failed attempts)"
            self._fail(unit, Outcome(outcome.failure, outcome.digest, text, outcome.seconds, detail=outcome.detail))
            return
        for job in {id(job): job for job, _ in unit.subscribers}.values():
            job.counts["retries"] += 1
        unit.state = _BACKING_OFF
        unit.line = None
        delay = min(self.policy.max_backoff_s, self.policy.backoff_s * self.policy.backoff_factor ** (unit.failures - 1))
        self._timer(now + delay * self._random.uniform(0.5, 1.0), "retry", unit)

    def _drop_place(self, place: _Place, now: float, failure: Failure | None, reason: str) -> None:
        """Forget a place. What it had is tried again: charged with `failure`, or not at all where that is None."""
        del self._places[place.name]
        for attempt, unit in list(place.running.items()):
            del self._attempts[attempt]
            self._leave(place, attempt)
            # a task that hangs is charged for the time it cost
            spent = now - place.quiet_since if failure is Failure.HUNG else place.charged[attempt][1] if failure else 0.0
            self._charge(place, attempt, spent, is_typical=False)
            if unit.state != _RUNNING:
                continue
            unit.abandoned.append(attempt)
            self._abandoned[attempt] = unit
            if failure is None:
                self._enqueue(unit, now, at_front=True)
            else:
                unit.is_suspect = True
                if failure is Failure.MEMORY:
                    unit.exceeded[place.site[0]] = max(place.site[1], unit.exceeded.get(place.site[0], 0))
                self._retry(unit, now, place, Outcome(failure, error=reason))
        self._by_load[place.site][0].pop(place.name, None)
        self._class_size[place.site] -= 1
        if not self._class_size[place.site]:
            del self._class_size[place.site]
            del self._by_load[place.site]
            self._reclassify(now)

    def _finished_late(self, attempt: int, now: float, outcome: Outcome) -> None:
        unit = self._abandoned.pop(attempt, None)
        if unit is None or outcome.failure is not None:
            self.ignored_outcomes += 1
            return
        # The proof was verified and stored before the place was given up: it is as good as the one of the retry.
        self.late_proofs += 1
        unit.abandoned.remove(attempt)
        if unit.state == _RUNNING:
            self._effects.append(Stop(self._attempts[unit.attempt][1].name, unit.attempt))
        self._prove(unit, outcome)
        self._fill(now)

    def _release_if_idle(self, place: _Place, now: float) -> None:
        if place.is_draining and not place.running and place.name in self._places:
            self._drop_place(place, now, None, "drained")
            self._effects.append(Release(place.name))

    # Private: time and classes

    def _timer(self, at: float, what: str, subject: Any) -> None:
        heapq.heappush(self._timers, (at, self._number(), what, subject))

    def _deadline_of(self, place: _Place) -> float:
        deadlines = [job.deadline_s for unit in place.running.values() for job, _ in unit.subscribers]
        return max(deadlines, default=self.policy.deadline_s)

    def _due(self, place: _Place) -> float:
        """When the place counts as hung: it finished nothing for one deadline, or one attempt took what all slots may take in turn."""
        deadline = self._deadline_of(place)
        return min(place.quiet_since + deadline, next(iter(place.started.values())) + place.slots * deadline)

    def _watch(self, place: _Place, now: float) -> None:
        """See to it that the deadline of a place is looked at when it is due. Most often a timer is set already."""
        if not place.running:
            return
        due = self._due(place)
        if place.timer_at is None or due < place.timer_at:
            place.timer_at = max(due, now)
            self._timer(place.timer_at, "deadline", place)

    def _check_deadline(self, place: _Place, now: float) -> None:
        place.timer_at = None
        if place.name not in self._places or not place.running:
            return
        if self._due(place) > now:
            self._watch(place, now)
            return
        oldest = now - next(iter(place.started.values()))
        reason = (
            f"finished nothing for {now - place.quiet_since:.1f} s, its oldest task took {oldest:.1f} s, "
            f"deadline {self._deadline_of(place):.1f} s"
        )
        self._drop_place(place, now, Failure.HUNG, reason)
        self._effects.append(Kill(place.name, reason))

    def _refuse_if_hopeless(self, unit: _Unit, now: float) -> None:
        """Refuse a unit that fits nowhere: at once if no such place ever was, else after some patience."""
        if not self._ever:
            return  # no place has joined yet
        if unit.homeless_since is None:
            unit.homeless_since = now
        was_there = any(unit.needs.get(kind, 0) <= size for kind, size in self._ever)
        due = unit.homeless_since + self.policy.fit_patience_s
        if was_there and now < due:
            self._timer(due, "homeless", unit)
            return
        largest: dict[str, int] = {}
        for kind, size in self._ever:
            largest[kind] = max(size, largest.get(kind, 0))
        figures = "; ".join(
            f"{kind}: needs {unit.needs[kind]} bytes, the largest place has {size}"
            for kind, size in sorted(largest.items())
            if kind in unit.needs
        )
        if was_there:
            figures = figures or "no place is left"
            figures += f"; waited {self.policy.fit_patience_s:.0f} s for one to come back"
        self._fail(unit, Outcome(Failure.TOO_LARGE, error=f"fits nowhere: {figures}"))

    def _reclassify(self, now: float) -> None:
        """The set of classes has changed: move what waits to the lines it belongs to now."""
        self._class_order = sorted(self._class_size, key=lambda site: (site[1], site[0]))
        self._line_cache.clear()
        waiting = sorted((unit for unit in self._units.values() if unit.state == _WAITING), key=lambda unit: unit.order)
        for job in self._jobs.values():
            job.queues.clear()
            job.stamps.clear()
        self._lines.clear()
        self._lines_of.clear()
        self._homeless.clear()
        self._num_waiting -= len(waiting)
        shares = {id(job): job.share for job in self._jobs.values()}
        for unit in waiting:
            self._enqueue(unit, now)
        for job in self._jobs.values():
            # moving is not coming back from idleness
            if job.share != shares[id(job)] and job.live:
                job.share = shares[id(job)]
                for key, queue in job.queues.items():
                    if queue:
                        self._push(job, key)
