"""Proving, verifying, checking and planning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from . import _core
from ._core import (
    CheckReport,
    CommittedMatrix,
    KeyNotes,
    MemoryPlan,
    Params,
    Proof,
    ProvingKey,
    Statement,
    Stop,
    Telemetry,
    Transcript,
)
from .matrices import MatrixLike, matrix
from .tasks import Key, Task, Trace, native_traces

Progress = Callable[[float, str], object] | bool | None
"""What learns how far a proof is: a callable of fraction (0 to 1) and stage, True for a bar of tqdm, or None."""


@contextmanager
def _reporting(progress: Progress, what: str) -> Iterator[Callable[[float, str], object] | None]:
    if progress is None or progress is False:
        yield None
    elif progress is not True:
        yield progress
    else:
        try:
            with warnings.catch_warnings():
                # In a notebook without ipywidgets it draws a line of text, and says so.
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("progress=True needs tqdm: pip install tqdm, or give a callable") from error
        with tqdm(total=100, desc=what, unit="%", bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed} {postfix}") as bar:

            def show(fraction: float, stage: str) -> None:
                bar.set_postfix_str(stage, refresh=False)
                bar.update(round(100 * fraction) - bar.n)

            yield show


def _names_and_notes(key: Key, air_names: Sequence[str], notes: KeyNotes | None) -> tuple[list[str], KeyNotes]:
    if isinstance(key, ProvingKey):
        return list(air_names) or list(key.air_names), notes or key.notes
    return list(air_names), notes or KeyNotes()


class Prover:
    """Proves many times with one key on one device, and keeps what the proofs have in common.

    A prover takes one call at a time; several provers may work at once, in threads, also on one device.

    Parameters
    ----------
    key : ProvingKey or VerifyingKey
        With a VerifyingKey, traces bring the preprocessed columns.
    device : str
        ``"cpu"``, ``"sim"`` (the simulated GPU), ``"gpu"`` (the first there is), ``"cuda"``, ``"cuda:1"``, ``"metal"``: `devices`
        lists them.
    threads : int
        At most so many threads; 0: one a core that this process may use.
    verify : bool
        Verifies each proof before it is returned, which costs milliseconds.
    air_names, notes
        For messages, where the key has none.

    Raises
    ------
    InvalidArgumentError
        Key or options.
    MachineError
        A device that is not there or cannot be used, memory.
    """

    def __init__(
        self,
        key: Key,
        *,
        device: str = "cpu",
        threads: int = 0,
        verify: bool = False,
        air_names: Sequence[str] = (),
        notes: KeyNotes | None = None,
    ) -> None:
        self._key = key
        self._air_names, all_notes = _names_and_notes(key, air_names, notes)
        self._core = _core.Prover.create(key, device, threads, verify, self._air_names, all_notes)
        self.device = device

    def prove(
        self,
        traces: Iterable[Trace],
        *,
        progress: Progress = None,
        stop: Stop | None = None,
        memory_limit: int = 0,
        telemetry: Telemetry | None = None,
        transcript: Transcript | None = None,
    ) -> Proof:
        """Proves that traces satisfy the key's constraints, without the GIL.

        They are not checked row by row: unsatisfied constraints give a proof that is rejected (see `check`, and ``verify=True``).

        Parameters
        ----------
        traces : iterable of Trace
            One an AIR that has a trace, in any order.
        progress : callable, True or None
            Called as ``progress(fraction, stage)`` on this thread; True shows a bar of tqdm.
        stop : Stop, optional
            Ends the proof when it is set. Ctrl-C ends it too.
        memory_limit : int
            Bytes that the proof may take of the device's memory; 0: what there is.
        telemetry : Telemetry, optional
            Gets the spans of the proof.
        transcript : Transcript, optional
            The proof goes on from it, and leaves its end there.

        Raises
        ------
        InvalidArgumentError
            Traces that do not fit the key, with the AIR, what was expected and found.
        MachineError
            Memory, device.
        UnsatisfiedError
            With ``verify=True``: traces that break a constraint, with the rows.
        CancelledError
            ``stop`` was set.
        """
        native = native_traces(self._key, traces, self._air_names)
        with _reporting(progress, "proof") as report:
            return self._core.prove(native, report, stop, memory_limit, telemetry, transcript)

    def commit(self, values: MatrixLike, *, progress: Progress = None, stop: Stop | None = None) -> CommittedMatrix:
        """Commits to a cached or preprocessed part once, for many proofs of this prover and of others.

        Parameters
        ----------
        values : array or Matrix, shape (height, width)
        """
        with _reporting(progress, "commitment") as report:
            return self._core.commit(matrix(values), report, stop)

    def plan(self, traces: Iterable[Trace]) -> MemoryPlan:
        """What a proof of traces of these heights takes on the device."""
        return self._core.plan(native_traces(self._key, traces, self._air_names))

    def __repr__(self) -> str:
        return f"<whorl.Prover on {self.device}, {self._key!r}>"


def _task(task: Task | Key, traces: Iterable[Trace] | None, call: str) -> tuple[Key, list[Trace], list[str], KeyNotes]:
    if isinstance(task, Task):
        if traces is not None:
            raise TypeError(f"{call}(task) takes no traces; {call}(key, traces) does")
        return task.vk, task.traces, task.air_names, task.notes
    if traces is None:
        raise TypeError(f"{call}() takes a Task, or a key and traces; found {type(task).__name__} alone")
    names, notes = _names_and_notes(task, (), None)
    return task, list(traces), names, notes


def prove(
    task: Task | Key,
    traces: Iterable[Trace] | None = None,
    /,
    *,
    device: str = "cpu",
    threads: int = 0,
    verify: bool = False,
    progress: Progress = None,
    stop: Stop | None = None,
    memory_limit: int = 0,
    telemetry: Telemetry | None = None,
    transcript: Transcript | None = None,
) -> Proof:
    """A proof of a task, or of a key and traces. `Prover` is the same for many proofs; its parameters are described there.

    Examples
    --------
    >>> proof = whorl.prove(whorl.load_task("tests/vectors/fib_2e5"))
    """
    key, listed, air_names, notes = _task(task, traces, "prove")
    prover = Prover(key, device=device, threads=threads, verify=verify, air_names=air_names, notes=notes)
    return prover.prove(listed, progress=progress, stop=stop, memory_limit=memory_limit, telemetry=telemetry, transcript=transcript)


def verify(
    key: Key,
    proof: Proof | bytes,
    statement: Statement | None = None,
    *,
    transcript: Transcript | None = None,
    threads: int = 1,
) -> None:
    """Judges a proof; returns where it is accepted.

    Parameters
    ----------
    key : VerifyingKey or ProvingKey
    proof : Proof or bytes
    statement : Statement, optional
        What the proof must be about. Without one the proof alone is judged: whether traces exist that satisfy the key with the public
        values that stand in it. Whether these and the security of the key are what you want, you must check yourself.
    transcript : Transcript, optional
        The proof goes on from it.
    threads : int
        Threads that open the queries' leaves.

    Raises
    ------
    RejectedError
        With the rule that is broken.
    FormatError
        Bytes that are no proof.
    """
    _core.verify(key, proof if isinstance(proof, Proof) else Proof.from_bytes(proof), statement, transcript, threads)


def check(task: Task | Key, traces: Iterable[Trace] | None = None, /) -> CheckReport:
    """Do traces satisfy a key? Answered row by row, without a proof, and with the places where they do not.

    Parameters
    ----------
    task : Task
        Or a key, and the traces.

    Returns
    -------
    CheckReport
        True where they do.

    Raises
    ------
    InvalidArgumentError
        Traces that do not fit the key, which have no rows to be checked.
    """
    key, listed, air_names, notes = _task(task, traces, "check")
    return _core.check(key, native_traces(key, listed, air_names, with_preprocessed=True), air_names, notes)


def plan(task: Task | Key, traces: Iterable[Trace] | None = None, /, *, device: str = "cpu") -> MemoryPlan:
    """What a proof of traces of these heights takes on a device, in bytes."""
    key, listed, air_names, notes = _task(task, traces, "plan")
    return Prover(key, device=device, air_names=air_names, notes=notes).plan(listed)


def params_to_dict(params: Params) -> dict[str, Any]:
    """Parameters as in ``task.json`` (docs/formats.md)."""
    whir, logup = params.whir, params.logup
    proximity: Any = "UniqueDecoding"
    if isinstance(whir.proximity, _core.ListDecoding):
        proximity = {"ListDecoding": {"m": whir.proximity.m}}
    elif isinstance(whir.proximity, _core.SplitUniqueList):
        proximity = {"SplitUniqueList": {"m": whir.proximity.m, "list_start_round": whir.proximity.list_start_round}}
    return {
        "l_skip": params.l_skip,
        "n_stack": params.n_stack,
        "w_stack": params.w_stack,
        "log_blowup": params.log_blowup,
        "max_constraint_degree": params.max_constraint_degree,
        "logup": {
            "max_interaction_count": logup.max_interaction_count,
            "log_max_message_length": logup.log_max_message_length,
            "pow_bits": logup.pow_bits,
        },
        "whir": {
            "k": whir.k,
            "rounds": [{"num_queries": count} for count in whir.num_queries],
            "mu_pow_bits": whir.mu_pow_bits,
            "query_phase_pow_bits": whir.query_phase_pow_bits,
            "folding_pow_bits": whir.folding_pow_bits,
            "proximity": proximity,
        },
    }


def inspect(thing: Key | Task | Proof) -> dict[str, Any]:
    """What a key, a task or a proof says, as plain dicts and lists (JSON can hold them).

    A proof is not judged by this.
    """
    if isinstance(thing, Proof):
        return {
            "kind": "proof",
            "bytes": len(bytes(thing)),
            "common_main_commit": list(thing.common_main_commit),
            "airs": [
                {"air_id": i, "log_height": height, "public_values": values}
                for i, (height, values) in enumerate(zip(thing.log_heights, thing.public_values, strict=True))
            ],
            "sections": [{"name": name, "bytes": size} for name, size in thing.sections],
        }
    if isinstance(thing, Task):
        heights = {trace.air: trace.height for trace in thing.traces}
        out = _inspect_key(thing.vk, thing.air_names)
        for air in out["airs"]:
            air["height"] = heights.get(air["air_id"])
        return {**out, "kind": "task", "name": thing.name, "digest": thing.digest, "key": thing.vk.digest}
    return _inspect_key(thing, thing.air_names if isinstance(thing, ProvingKey) else [])


def _inspect_key(key: Key, air_names: Sequence[str]) -> dict[str, Any]:
    vk = key.vk if isinstance(key, ProvingKey) else key
    kind: Literal["key"] = "key"
    return {
        "kind": kind,
        "digest": vk.digest,
        "params": params_to_dict(vk.params),
        "security_bits": _core.security_bits(vk),
        "max_proof_bytes": _core.max_proof_bytes(vk),
        "airs": [
            {
                "air_id": i,
                "name": air_names[i] if i < len(air_names) else "",
                "width": air.width,
                "cached_main_widths": list(air.cached_main_widths),
                "preprocessed_width": air.preprocessed_width,
                "num_public_values": air.num_public_values,
                "num_constraints": air.num_constraints,
                "num_interactions": air.num_interactions,
                "max_constraint_degree": air.max_constraint_degree,
                "is_required": air.is_required,
            }
            for i, air in enumerate(vk.airs)
        ],
    }
