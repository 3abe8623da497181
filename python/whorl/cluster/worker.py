"""One place: a process that proves on one GPU or group of cores.

An attempt goes through load → plan → (turn) → prove → (end of turn) → verify → store. Only the turn is exclusive, so that while one task is
proved the next is read and the last is verified and stored. A proof is reported after it is stored, never before.

Nothing here decides about other places: what failed, and how, is told in an `Outcome`.
"""

from __future__ import annotations

import os
import pickle
import re
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .events import Failure, Outcome
from .store import Store, StoreError, open_store, patiently, proof_name

__all__ = ["Worker"]


class _Withdrawn(Exception):
    pass


class _TooLarge(Exception):
    def __init__(self, needs_bytes: int, has_bytes: int) -> None:
        super().__init__(f"the proof needs {needs_bytes} bytes, this place has {has_bytes}")
        self.needs_bytes = needs_bytes


class _Turns:
    """A lock for `limit` holders that is given in the order in which it was asked for, and can be asked back while one waits."""

    def __init__(self, limit: int = 1) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[int] = deque()
        self._holders: set[int] = set()
        self._withdrawn: set[int] = set()
        self.busy_s = 0.0  # time in which somebody held it, up to when nobody did
        self.since: float | None = None

    @contextmanager
    def turn(self, attempt: int, alone: bool = False) -> Iterator[None]:
        """Hold it; `alone`: with no other holder until the turn has begun, and none beside it until the end."""
        with self._changed:
            self._waiting.append(attempt)
            limit = 1 if alone else self._limit
            self._changed.wait_for(lambda: attempt in self._withdrawn or (len(self._holders) < limit and self._waiting[0] == attempt))
            self._waiting.remove(attempt)
            if attempt in self._withdrawn:
                self._withdrawn.discard(attempt)
                self._changed.notify_all()
                raise _Withdrawn
            if not self._holders:
                self.since = time.monotonic()
            self._holders.add(attempt)
            if alone:
                # Nobody else may be let in: the places of all others are taken.
                self._holders.update(range(-1, -self._limit, -1))
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._holders.discard(attempt)
                if alone:
                    self._holders.clear()
                if not self._holders:
                    assert self.since is not None
                    self.busy_s += time.monotonic() - self.since
                    self.since = None
                self._changed.notify_all()

    @property
    def has_others(self) -> bool:
        """Whether there is more than one holder."""
        with self._changed:
            return len(self._holders) > 1

    def withdraw(self, attempt: int) -> None:
        """Give the attempt back if it waits for its turn; one that is read still is given back when it asks."""
        with self._changed:
            if attempt not in self._holders:
                self._withdrawn.add(attempt)
                self._changed.notify_all()

    def forget(self, attempt: int) -> None:
        with self._changed:
            self._withdrawn.discard(attempt)

    def busy_until_now(self) -> float:
        with self._changed:
            return self.busy_s + (time.monotonic() - self.since if self.since is not None else 0.0)


class Worker:
    """A place. Ray makes it an actor (see driver.py); it needs nothing of Ray but objects that tasks refer to.

    Parameters
    ----------
    name
        Name of the place.
    device
        Device of whorl: "cpu", "sim", "cuda".
    threads
        Threads of a proof.
    store_url
        Where proofs go.
    memory_bytes
        Memory for proofs; 0: what the device has.
    warm_provers
        Keys that are kept warm, the most recently used.
    at_once
        Proofs that are made at once. On a GPU the host's part of one is hidden behind the device's part of another; each has memory of
        its own.
    store_patience_s
        How long a proof is held while the store is away, before the attempt fails and the proof is lost.
    """

    def __init__(
        self,
        name: str,
        device: str,
        threads: int,
        store_url: str,
        memory_bytes: int = 0,
        warm_provers: int = 4,
        at_once: int = 1,
        store_patience_s: float = 3600.0,
    ) -> None:
        import whorl

        self._whorl = whorl
        self.name = name
        self._device = device
        self._threads = threads
        self._store_patience_s = store_patience_s
        self._warm_provers = warm_provers
        self._provers: OrderedDict[str, list[Any]] = OrderedDict()  # by key, those that no proof uses
        self._turns = _Turns(at_once)
        self._lock = threading.Lock()
        self._stops: dict[int, Any] = {}
        self._stopped_early: set[int] = set()
        self._running: dict[int, dict[str, Any]] = {}
        self._store_trouble: dict[int, str] = {}
        self._stored: OrderedDict[str, None] = OrderedDict()
        self._ending = threading.Event()
        self._started = time.monotonic()
        found = self._find_device()
        # What other programs hold is not to be had. Rounded, so that equal GPUs are equal places.
        self.memory_bytes = memory_bytes or (found.free_bytes or found.memory_bytes) >> 28 << 28
        self._store: Store = patiently(lambda: open_store(store_url, create=False), 30.0)

    def _find_device(self) -> Any:
        devices = self._whorl.devices()
        for device in devices:
            if device.id == self._device or device.id.split(":")[0] == self._device:
                if device.problem:
                    raise self._whorl.MachineError(f"{device.id}: {device.problem}", "cluster.worker")
                return device
        raise self._whorl.MachineError(
            f"device {self._device} not found; available: {', '.join(device.id for device in devices)}", "cluster.worker"
        )

    # Control

    def hello(self) -> dict[str, Any]:
        """What this place is: pid, host, kind, device, memory_bytes, threads, version."""
        return {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "kind": self._device.split(":")[0],
            "device": self._device,
            "memory_bytes": self.memory_bytes,
            "threads": self._threads,
            "version": self._whorl.__version__,
        }

    def stop(self, attempt: int) -> None:
        """Stop an attempt, before it began or in the middle."""
        with self._lock:
            stop = self._stops.get(attempt)
            if stop is None:
                self._stopped_early.add(attempt)  # its call may still be on the way
                return
        stop.set()
        self._turns.withdraw(attempt)

    def withdraw(self, attempt: int) -> None:
        """Give an attempt back, if it has not begun to prove."""
        with self._lock:
            if attempt not in self._stops:
                return
        self._turns.withdraw(attempt)

    def report(self) -> dict[str, Any]:
        """How it is going: running attempts with stage and fraction, busy_s, up_s, store trouble, device memory."""
        with self._lock:
            running = {attempt: dict(state) for attempt, state in self._running.items()}
            trouble = next(iter(self._store_trouble.values()), "")
        free = 0
        if self._device.split(":")[0] == "cuda":
            free = next((d.free_bytes for d in self._whorl.devices() if d.id.split(":")[0] == "cuda"), 0)
        return {
            "running": running,
            "busy_s": self._turns.busy_until_now(),
            "up_s": time.monotonic() - self._started,
            "store_trouble": trouble,
            "memory_bytes": self.memory_bytes,
            "free_bytes": free,
            "warm": len(self._provers),
        }

    def shut_down(self) -> None:
        """End waits for the store."""
        self._ending.set()

    # Proving

    def prove(self, attempt: int, kind: str, payload: Any) -> Outcome:
        """Carry one attempt through. Never raises: the outcome says what happened.

        Parameters
        ----------
        kind, payload
            As in `TaskSpec`.
        """
        times: dict[str, float] = {"taken": time.time()}
        stages: dict[str, float] = {}
        state: dict[str, Any] = {"stage": "load", "fraction": 0.0, "since": times["taken"]}
        stop = self._whorl.Stop()
        with self._lock:
            self._stops[attempt] = stop
            self._running[attempt] = state
            if attempt in self._stopped_early:
                self._stopped_early.discard(attempt)
                stop.set()
        digest = ""
        try:
            self._raise_if_stopped(attempt, stop)
            task = self._load(kind, payload)
            digest = task.digest
            times["loaded"] = time.time()
            stages["load"] = times["loaded"] - times["taken"]
            self._raise_if_stopped(attempt, stop)
            outcome = self._attempt(attempt, task, digest, stop, state, times, stages)
        except BaseException as error:
            outcome = self._outcome_of(error, stop, digest)
        finally:
            with self._lock:
                self._stops.pop(attempt, None)
                self._running.pop(attempt, None)
                self._store_trouble.pop(attempt, None)
            self._turns.forget(attempt)
        times["ended"] = time.time()
        outcome.seconds = max(0.0, times.get("proved", times["ended"]) - times.get("began", times["ended"]))
        outcome.detail = {**outcome.detail, "times": times, "stages": stages, "place": self.name}
        return outcome

    def _attempt(
        self, attempt: int, task: Any, digest: str, stop: Any, state: dict[str, Any], times: dict[str, float], stages: dict[str, float]
    ) -> Outcome:
        name = proof_name(digest)
        if self._is_stored(attempt, task, digest, name, stop):
            return Outcome(None, digest, detail={"stored": True})
        state["stage"] = "wait"
        with self._turns.turn(attempt):
            times["began"] = time.time()
            self._raise_if_stopped(attempt, stop)
            with self._lock:
                is_stored = digest in self._stored  # by the attempt before, while this one waited
            if is_stored:
                return Outcome(None, digest, detail={"stored": True})
            made = self._prove_beside_others(task, stop, state, stages)
        if made is None:
            # There was no memory beside the proofs of others.
            state["stage"] = "wait"
            with self._turns.turn(attempt, alone=True):
                made = self._prove(task, stop, state, stages)
        proof, needs_bytes = made
        times["proved"] = time.time()
        state.update(stage="verify", fraction=1.0)
        try:
            self._whorl.verify(task.vk, proof, threads=1)
        except self._whorl.RejectedError as error:
            raise self._reason_of(task, error) from error
        data = bytes(proof)
        times["verified"] = time.time()
        stages["verify"] = times["verified"] - times["proved"]
        state["stage"] = "store"
        self._with_store(attempt, lambda: self._store.write(name, data), stop)
        self._note_stored(digest)
        times["stored"] = time.time()
        stages["store"] = times["stored"] - times["verified"]
        return Outcome(None, digest, detail={"proof_bytes": len(data), "device_bytes": needs_bytes})

    def _load(self, kind: str, payload: Any) -> Any:
        source: Any
        if kind == "folder":
            source = payload
        elif kind == "ref":
            source = self._fetch(payload)
        else:
            data = payload if isinstance(payload, (bytes, bytearray, memoryview)) else self._fetch(payload)
            if kind == "call":
                function, args, kwargs = pickle.loads(data)
                source = function(*args, **kwargs)
            else:
                source = pickle.loads(data)
        if isinstance(source, (str, os.PathLike)):
            source = self._whorl.load_task(os.fspath(source))
        if not isinstance(source, self._whorl.Task):
            raise TypeError(f"expected a whorl.Task or a folder, found {type(source).__name__}")
        return source

    def _fetch(self, reference: Any) -> Any:
        if not reference:
            raise _InputLost("the task was an object reference, and its object died with its cluster: submit it again")
        import ray

        try:
            return ray.get(reference[0])
        except ray.exceptions.RayTaskError:
            raise  # the function that makes the task failed
        except ray.exceptions.RayError as error:
            raise _InputLost(f"the task's object is lost: {type(error).__name__}") from error

    def _is_stored(self, attempt: int, task: Any, digest: str, name: str, stop: Any) -> bool:
        """Whether the proof is in the store, and right. One that is not is made again and replaced."""
        with self._lock:
            if digest in self._stored:
                return True
        if not self._with_store(attempt, lambda: self._store.exists(name), stop):
            return False
        data = self._with_store(attempt, lambda: self._store.read(name), stop)
        try:
            self._whorl.verify(task.vk, data)
        except (self._whorl.RejectedError, self._whorl.FormatError):
            return False
        self._note_stored(digest)
        return True

    def _note_stored(self, digest: str) -> None:
        with self._lock:
            self._stored[digest] = None
            while len(self._stored) > 10_000:
                self._stored.popitem(last=False)

    @contextmanager
    def _prover(self, task: Any) -> Iterator[Any]:
        """A prover for the task's key, a warm one where there is one; called within a turn."""
        key = task.vk.digest
        with self._lock:
            idle = self._provers.get(key)
            prover = idle.pop() if idle else None
        if prover is None:
            prover = self._whorl.Prover(task.vk, device=self._device, threads=self._threads, air_names=task.air_names, notes=task.notes)
        try:
            yield prover
        finally:
            with self._lock:
                self._provers.setdefault(key, []).append(prover)
                self._provers.move_to_end(key)
                while len(self._provers) > self._warm_provers:
                    self._provers.popitem(last=False)

    def _prove_beside_others(self, task: Any, stop: Any, state: dict[str, Any], stages: dict[str, float]) -> tuple[Any, int] | None:
        """A proof; None where proofs beside it have the memory that it needs."""
        try:
            return self._prove(task, stop, state, stages)
        except self._whorl.MachineError as error:
            if not _is_about_memory(error) or not self._turns.has_others:
                raise
            return None

    def _prove(self, task: Any, stop: Any, state: dict[str, Any], stages: dict[str, float]) -> tuple[Any, int]:
        with self._prover(task) as prover:
            try:
                return self._prove_with(prover, task, stop, state, stages)
            except self._whorl.MachineError as error:
                with self._lock:
                    has_idle = any(self._provers.values())
                    if not _is_about_memory(error) or not has_idle:
                        raise
                    # Idle provers hold device memory: this proof comes before their being warm.
                    self._provers.clear()
            return self._prove_with(prover, task, stop, state, stages)

    def _prove_with(self, prover: Any, task: Any, stop: Any, state: dict[str, Any], stages: dict[str, float]) -> tuple[Any, int]:
        before = time.perf_counter()
        plan = prover.plan(task.traces)
        if plan.device_bytes > self.memory_bytes:
            raise _TooLarge(plan.device_bytes, self.memory_bytes)
        stages["prepare"] = time.perf_counter() - before
        stage_now, since = "start", time.perf_counter()

        def progress(fraction: float, stage: str) -> None:
            nonlocal stage_now, since
            if stage != stage_now:
                now = time.perf_counter()
                stages[stage_now] = stages.get(stage_now, 0.0) + now - since
                stage_now, since = stage, now
                state["stage"] = stage
            state["fraction"] = fraction

        proof = prover.prove(task.traces, progress=progress, stop=stop)
        stages[stage_now] = stages.get(stage_now, 0.0) + time.perf_counter() - since
        return proof, int(plan.device_bytes)

    def _with_store(self, attempt: int, action: Any, stop: Any) -> Any:
        def on_wait(error: str) -> None:
            with self._lock:
                self._store_trouble[attempt] = error
            self._raise_if_stopped(attempt, stop)

        try:
            return patiently(action, self._store_patience_s, on_wait=on_wait, stop=self._ending)
        finally:
            with self._lock:
                self._store_trouble.pop(attempt, None)

    def _raise_if_stopped(self, attempt: int, stop: Any) -> None:
        if stop.is_set:
            raise self._whorl.CancelledError("stopped on request", "cluster.worker")

    def _reason_of(self, task: Any, error: Exception) -> Exception:
        """A proof that is rejected comes from traces that do not satisfy the key, or from a fault of this machine."""
        report = self._whorl.check(task)
        if report:
            return self._whorl.MachineError(f"the traces satisfy the key, and the proof is rejected: {error}", "cluster.worker")
        return self._whorl.UnsatisfiedError(str(report), "cluster.worker")

    def _outcome_of(self, error: BaseException, stop: Any, digest: str) -> Outcome:
        whorl = self._whorl
        text = str(error).strip() or type(error).__name__
        if isinstance(error, _Withdrawn):
            return Outcome(Failure.CANCELLED if stop.is_set else Failure.WITHDRAWN, digest, "given back")
        if isinstance(error, _TooLarge):
            return Outcome(Failure.TOO_LARGE, digest, text, needs_bytes=error.needs_bytes)
        if isinstance(error, whorl.CancelledError):
            return Outcome(Failure.CANCELLED, digest, text)
        if isinstance(error, StoreError):
            return Outcome(Failure.STORE, digest, text)
        if isinstance(error, (MemoryError, whorl.MachineError)):
            kind = Failure.MEMORY if isinstance(error, MemoryError) or _is_about_memory(error) else Failure.MACHINE
            return Outcome(kind, digest, text)
        if isinstance(error, (whorl.FileError, _InputLost)):
            return Outcome(Failure.FILE, digest, text)
        if isinstance(error, whorl.Error):
            return Outcome(Failure.BAD, digest, text)
        # from a function that makes a task, or an unpickling: the task's own fault, so it is not tried again
        return Outcome(Failure.BAD, digest, f"{type(error).__name__}: {text}")


class _InputLost(Exception):
    pass


def _is_about_memory(error: BaseException) -> bool:
    return re.search(r"\bmemory\b", str(error)) is not None
