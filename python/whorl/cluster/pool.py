"""The cluster in Python: submit tasks, iterate over proofs.

    from whorl.cluster import Pool

    with Pool("proofs") as pool:
        for result in pool.submit(sorted(pathlib.Path("tasks").iterdir())):
            print(result.name, result.digest, len(bytes(result.proof)))

`Pool` runs the driver in this process, and its jobs end with it (and can be resumed). `Cluster` talks to a driver in an actor of its own,
which goes on when this process ends; the command line and the HTTP front do so.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import ray

from .driver import Driver
from .events import JobError, Policy, check_number
from .places import Places
from .store import normal_url, open_store, proof_name
from .tasks import TaskSpec, specify

__all__ = ["Cluster", "Handle", "JobFailedError", "Pool", "Result"]

HEAD_NAME = "whorl-cluster"
NAMESPACE = "whorl"


class JobFailedError(Exception):
    """A task has no proof.

    Attributes
    ----------
    result : Result
        What happened to it.
    """

    def __init__(self, result: Result) -> None:
        super().__init__(f"task {result.index}{f' ({result.name})' if result.name else ''}: {result.failure}: {result.error}")
        self.result = result

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.result,)


@dataclass(frozen=True)
class Result:
    """What became of one task.

    Parameters
    ----------
    index
        Its number in the job, from 0.
    digest
        The task's digest; the proof is in the store under this name.
    failure
        Empty for a proof, else bad, too_large, memory, machine, file, store, lost, hung or cancelled.
    seconds
        Time of the proof on its place.
    attempts
        How often it was started; 0 where another task had the same identity, and its proof is this one's.
    history
        Failed attempts, a line each.
    stored
        The proof was in the store before.
    """

    index: int
    name: str = ""
    digest: str = ""
    failure: str = ""
    error: str = ""
    seconds: float = 0.0
    attempts: int = 0
    history: tuple[str, ...] = ()
    place: str = ""
    stored: bool = False
    duplicate: bool = False
    began: float = 0.0
    before: bool = False
    _link: Any = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether there is a proof."""
        return not self.failure

    @property
    def proof_bytes(self) -> bytes:
        """The encoded proof, read from the store. Raises `JobFailedError` where there is none."""
        if self.failure:
            raise JobFailedError(self)
        data: bytes = self._link.read_proof(self.digest)
        return data

    @property
    def proof(self) -> Any:
        """The `whorl.Proof`, read from the store. Raises `JobFailedError` where there is none."""
        import whorl

        return whorl.Proof.from_bytes(self.proof_bytes)


_RESULT_FIELDS = {f.name for f in fields(Result)} - {"_link"}


def _to_result(values: dict[str, Any], link: Any) -> Result:
    known = {key: value for key, value in values.items() if key in _RESULT_FIELDS}
    known["history"] = tuple(known.get("history", ()))
    return Result(**known, _link=link)


class Handle:
    """A job that was submitted. Iteration yields a `Result` for each task, in the order in which they end.

    Tasks are taken from their iterable only as results are read: between the two are at most `bound` tasks. Who does not want the results
    calls `wait`, or submits with `detach`.
    """

    def __init__(self, link: Any, job: str) -> None:
        self._link = link
        self.job = job
        self._feeder: threading.Thread | None = None
        self._feed_error: BaseException | None = None

    def _feed(self, tasks: Iterable[Any], needs: Any) -> None:
        def run() -> None:
            pending: list[TaskSpec] = []
            size = 1
            try:
                iterator = iter(tasks)
                while True:
                    # Few at first, so that the first place starts at once; then more, so that a batch costs one write.
                    pending += [specify(task, needs) for task in itertools.islice(iterator, max(0, size - len(pending)))]
                    if not pending:
                        break
                    taken = self._link.offer(self.job, pending, 1.0)
                    del pending[:taken]
                    size = min(256, 2 * size) if taken == size else max(1, taken)
                self._link.seal(self.job)
            except JobError:
                pass  # cancelled or closed meanwhile: its results say so
            except BaseException as error:
                self._feed_error = error
                try:
                    self._link.cancel(self.job, None)
                except JobError:
                    pass

        self._feeder = threading.Thread(target=run, name=f"whorl-submit-{self.job}", daemon=True)
        self._feeder.start()

    def __iter__(self) -> Iterator[Result]:
        is_end = False
        while not is_end:
            values, is_end = self._link.take(self.job, 200, 1.0)
            for value in values:
                yield _to_result(value, self._link)
        if self._feed_error is not None:
            raise self._feed_error

    def proofs(self) -> Iterator[Any]:
        """Proofs as they are done. Raises `JobFailedError` at the first task without one; the rest goes on."""
        for result in self:
            yield result.proof

    def wait(self, timeout_s: float | None = None) -> dict[str, Any]:
        """Wait until the job ends, dropping results that nobody has taken, and return its status.

        Raises
        ------
        TimeoutError
            It has not ended in time. It goes on.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left = 1.0 if end is None else min(1.0, end - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"job {self.job} has not ended within {timeout_s} s")
            _, is_end = self._link.take(self.job, 10_000, left)
            if is_end:
                if self._feed_error is not None:
                    raise self._feed_error
                return self.status()

    def status(self) -> dict[str, Any]:
        """State, counts, rate and errors; see docs/cluster.md."""
        status: dict[str, Any] = self._link.job_status(self.job)
        return status

    def watch(self, interval_s: float = 0.5) -> Iterator[dict[str, Any]]:
        """Statuses, one an interval at most, until the job has ended; the last one is final."""
        after = 0
        while True:
            began = time.monotonic()
            _, after, is_end = self._link.events(self.job, after, interval_s)
            yield self.status()
            if is_end:
                return
            time.sleep(max(0.0, interval_s - (time.monotonic() - began)))

    def cancel(self, indices: Sequence[int] | None = None) -> None:
        """Cancel the job, or some of its tasks: what waits at once, what runs within moments."""
        self._link.cancel(self.job, None if indices is None else list(indices))

    def __repr__(self) -> str:
        return f"<whorl.cluster.Handle of job {self.job}>"


class _Jobs:
    """What Pool and Cluster have in common."""

    _link: Any

    def submit(
        self,
        tasks: Iterable[Any],
        *,
        job: str | None = None,
        priority: int = 0,
        weight: float = 1.0,
        bound: int = 1000,
        deadline_s: float | None = None,
        durable: bool = True,
        detach: bool = False,
        needs: dict[str, int] | None = None,
    ) -> Handle:
        """Submit a job.

        Parameters
        ----------
        tasks
            Folders, `whorl.Task`s, object references to such, or `Call`s; any iterable, which is read as results are taken.
        job
            Its name; None: one is made.
        priority
            Jobs of a higher priority are served first, always.
        weight
            Share of the places among jobs of one priority.
        bound
            Tasks between the iterable and the reader of the results, at most.
        deadline_s
            A place that finishes nothing for this long counts as hung; None: the policy's.
        durable
            Write the tasks to the store, so that the job can be resumed after everything died.
        detach
            Nobody reads the results: all tasks are handed in at once, and the job goes on alone.
        needs
            Bytes of memory by kind of device of each of these tasks, where they are known. Otherwise the plan is made at the place.

        Raises
        ------
        JobError
            The name is taken or is none.
        StoreError
            The store fails.
        """
        check_number("priority", priority, whole=True)
        check_number("weight", weight, above=0)
        check_number("bound", bound, whole=True, least=1)
        if deadline_s is not None:
            check_number("deadline_s", deadline_s, above=0)
        if isinstance(tasks, (str, bytes, os.PathLike)):
            raise TypeError(f"expected several tasks, found {type(tasks).__name__}; one folder is [folder]")
        tasks = iter(tasks)
        if detach:
            specs = [specify(task, needs) for task in tasks]
            name = self._link.submit_all(specs, job, priority=priority, weight=weight, deadline_s=deadline_s)
            return Handle(self._link, name)
        name = self._link.open_job(job, priority=priority, weight=weight, bound=bound, deadline_s=deadline_s, durable=durable)
        handle = Handle(self._link, name)
        handle._feed(tasks, needs)
        return handle

    def resume(self, job: str, *, detach: bool = False, retry_failed: bool = False, replay: bool = False) -> Handle:
        """Go on with a job of the store: prove what is not proved.

        Parameters
        ----------
        detach
            Nobody reads the results.
        retry_failed
            Try tasks again that failed.
        replay
            Yield what was proved before, too.
        """
        self._link.resume(job, is_read=not detach, retry_failed=retry_failed, replay=replay)
        return Handle(self._link, job)

    def handle(self, job: str) -> Handle:
        """The handle of a job that is there."""
        self._link.job_status(job)
        return Handle(self._link, job)

    def status(self) -> dict[str, Any]:
        """Places, running jobs, totals, trouble of the store."""
        status: dict[str, Any] = self._link.status()
        return status

    def jobs(self) -> list[str]:
        """Jobs in the store."""
        names: list[str] = self._link.jobs()
        return names

    def drain(self, timeout_s: float | None = None) -> None:
        """Finish what runs, start nothing more, and release the places; what waits stays in the store, to be resumed."""
        self._link.drain()
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._link.is_drained():
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"not drained within {timeout_s} s")
            time.sleep(0.05)


def _connect(address: str | None) -> bool:
    """Connect to Ray where this process is not yet; whether it did."""
    if ray.is_initialized():
        return False
    # Without an address Ray would join whatever cluster was last started on this machine.
    target = address or os.environ.get("RAY_ADDRESS") or "local"
    options: dict[str, Any] = {"include_dashboard": False} if target == "local" else {}
    ray.init(address=target, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR, **options)
    return True


class Pool(_Jobs):
    """Places, and the driver, for as long as this process lives.

    Parameters
    ----------
    store
        A directory or a URL of fsspec. Proofs are kept there, and jobs, so that they can be resumed.
    places
        How nodes are divided; None: a place a GPU, or one for each four cores.
    policy
        What is tried again, how often and when.
    address
        Ray cluster; None: the one that this process is connected to, else that of RAY_ADDRESS, else one of its own on this machine.
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        *,
        places: Places | None = None,
        policy: Policy | None = None,
        address: str | None = None,
        store_patience_s: float = 3600.0,
    ) -> None:
        self._owns_ray = _connect(address)
        try:
            self._link = Driver(os.fspath(store), places or Places(), policy or Policy(), store_patience_s=store_patience_s)
        except BaseException:
            if self._owns_ray:
                ray.shutdown()
            raise

    def close(self) -> None:
        """End the workers. Jobs that are not done stay in the store."""
        self._link.close()
        if self._owns_ray:
            ray.shutdown()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Head:
    """The driver in an actor. `Cluster` calls it; its methods are those of `Driver`."""

    def __init__(self, store: str, places: Places, policy: Policy, store_patience_s: float) -> None:
        self._driver = Driver(store, places, policy, store_patience_s=store_patience_s)
        self._url = self._driver._store.url

    def call(self, method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Call a method of the driver."""
        if method.startswith("_"):
            raise AttributeError(method)
        return getattr(self._driver, method)(*arguments, **options)

    def store_url(self) -> str:
        """Where this driver keeps proofs."""
        return self._url


class _ActorLink:
    """Calls the driver in its actor as if it were here."""

    # Calls that may block have threads of their own, so that status and cancel never wait behind them.
    _SLOW = frozenset(("take", "offer", "events", "submit_all", "resume", "seal", "open_job", "flush", "jobs", "job_status"))

    def __init__(self, actor: Any, store_url: str) -> None:
        self._actor = actor
        self._store_url = store_url
        self._store: Any = None

    def read_proof(self, digest: str) -> bytes:
        """From the store itself, not through the actor."""
        if self._store is None:
            self._store = open_store(self._store_url, create=False)
        data: bytes = self._store.read(proof_name(digest))
        return data

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        group = "slow" if name in self._SLOW else "quick"

        def call(*arguments: Any, **options: Any) -> Any:
            try:
                return ray.get(self._actor.call.options(concurrency_group=group).remote(name, arguments, options))
            except ray.exceptions.RayTaskError as error:
                cause = error.cause
                raise (cause if isinstance(cause, Exception) else error) from None
            except ray.exceptions.RayActorError as error:
                raise JobError(
                    f"the cluster's driver is gone ({str(error).splitlines()[0]}); its jobs are in the store: resume them"
                ) from error

        return call


class Cluster(_Jobs):
    """A driver that outlives this process: a named, detached actor of a Ray cluster.

    Parameters
    ----------
    store
        As in `Pool`. Needed where the driver is not there yet; else it must be the driver's, or None.
    address
        Ray cluster; "auto": the one on this machine.
    start
        Start the driver where it is not there. False: `JobError`.
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | None = None,
        *,
        places: Places | None = None,
        policy: Policy | None = None,
        address: str | None = "auto",
        start: bool = True,
        store_patience_s: float = 3600.0,
    ) -> None:
        self._owns_ray = _connect(address)
        try:
            try:
                actor = ray.get_actor(HEAD_NAME, namespace=NAMESPACE)
            except ValueError:
                if not start or store is None:
                    raise JobError(
                        "no driver runs in this Ray cluster" + (": name a store to start one" if store is None and start else "")
                    ) from None
                actor_of: Any = ray.remote  # its stubs do not know concurrency groups
                actor = (
                    actor_of(concurrency_groups={"slow": 64, "quick": 8})(Head)
                    .options(name=HEAD_NAME, namespace=NAMESPACE, lifetime="detached", num_cpus=0, get_if_exists=True)
                    .remote(normal_url(store), places or Places(), policy or Policy(), store_patience_s)
                )
            try:
                url = str(ray.get(actor.store_url.options(concurrency_group="quick").remote()))
            except ray.exceptions.RayTaskError as error:
                raise JobError(f"the driver did not start: {error.cause}") from error
            if store is not None and normal_url(store) != url:
                raise JobError(f"the driver of this Ray cluster keeps its proofs in {url}, not in {os.fspath(store)}")
            self._actor: Any = actor
            self._link = _ActorLink(actor, url)
            self.store_url = url
        except BaseException:
            if self._owns_ray:
                ray.shutdown()
            raise

    def stop(self) -> None:
        """End the driver and its workers. Jobs that are not done stay in the store."""
        try:
            self._link.close()
        except JobError:
            pass
        ray.kill(self._actor, no_restart=True)

    def close(self) -> None:
        """Disconnect. The driver goes on."""
        if self._owns_ray:
            ray.shutdown()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
