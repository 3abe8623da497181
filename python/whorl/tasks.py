"""Traces and tasks: what a prover takes."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from . import _core
from ._core import CommittedMatrix, KeyNotes, Matrix, ProvingKey, VerifyingKey
from .errors import InvalidArgumentError
from .matrices import MatrixLike, matrix

Key = VerifyingKey | ProvingKey
Part = MatrixLike | CommittedMatrix


def _part(values: Part) -> Matrix | CommittedMatrix:
    return values if isinstance(values, CommittedMatrix) else matrix(values)


def _public_values(values: Iterable[int]) -> tuple[int, ...]:
    """Whole numbers, mod p."""
    if isinstance(values, (str, bytes, bytearray, Mapping)):
        raise InvalidArgumentError(f"public_values: expected a list of whole numbers, found {type(values).__name__}", "traces")
    out = []
    for i, value in enumerate(values):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise InvalidArgumentError(f"public_values: value {i}: expected a whole number, found {value!r}", "traces")
        number = int(value.__index__())
        if not -_core.MODULUS < number < _core.MODULUS:
            message = f"public_values: value {i}: expected a number from -(p - 1) to p - 1, p = {_core.MODULUS}, found {number}"
            raise InvalidArgumentError(f"{message}; take it mod p first", "traces")
        out.append(number % _core.MODULUS)
    return tuple(out)


class Trace:
    """One AIR's trace: all parts have the same height, a power of two. An AIR without a trace is simply not listed.

    Parameters
    ----------
    air : int or str
        Index of the AIR in the key, or its name.
    main : array or Matrix, shape (height, width), or None
        The common main columns; None where all columns are cached.
    cached : sequence of array, Matrix or CommittedMatrix
        Cached parts.
    preprocessed : array, Matrix or CommittedMatrix, or None
        The columns that the key commits to. A ProvingKey has them, so None does with one.
    public_values : sequence of int
    """

    __slots__ = ("air", "cached", "main", "preprocessed", "public_values")

    def __init__(
        self,
        air: int | str,
        main: MatrixLike | None = None,
        cached: Sequence[Part] = (),
        preprocessed: Part | None = None,
        public_values: Iterable[int] = (),
    ) -> None:
        self.air = air
        self.main = None if main is None else matrix(main)
        self.cached = tuple(_part(part) for part in cached)
        self.preprocessed = None if preprocessed is None else _part(preprocessed)
        self.public_values = _public_values(public_values)

    @property
    def height(self) -> int:
        """Rows."""
        parts = [part for part in (self.main, *self.cached, self.preprocessed) if part is not None]
        return parts[0].height if parts else 0

    def __repr__(self) -> str:
        columns = self.main.width if self.main is not None else 0
        return f"<whorl.Trace of AIR {self.air!r}, {self.height} rows, {columns} columns, {len(self.cached)} cached parts>"


class NativeTrace(NamedTuple):
    """A Trace as the extension module takes it."""

    air_id: int
    main: Matrix | None
    cached: tuple[Matrix | CommittedMatrix, ...]
    preprocessed: Matrix | CommittedMatrix | None
    public_values: tuple[int, ...]


def air_id_of(air: int | str, num_airs: int, air_names: Sequence[str]) -> int:
    """The index of an AIR, which may be named."""
    if isinstance(air, str):
        found = [i for i, name in enumerate(air_names) if name == air]
        if len(found) != 1:
            known = ", ".join(map(repr, air_names)) or "unknown"
            problem = f"the AIRs {found} have that name; give an index" if found else f"the names are {known}"
            raise InvalidArgumentError(f"expected the name of one AIR, found {air!r}: {problem}", "traces")
        return found[0]
    if isinstance(air, bool) or not hasattr(air, "__index__"):
        raise InvalidArgumentError(f"expected the index or the name of an AIR, found {air!r}", "traces")
    index = air.__index__()
    if not 0 <= index < num_airs:
        raise InvalidArgumentError(f"expected an AIR from 0 to {num_airs - 1}, found {index}", "traces")
    return index


def native_traces(key: Key, traces: Iterable[Trace], air_names: Sequence[str], *, with_preprocessed: bool = False) -> list[NativeTrace]:
    """Traces with the indices of their AIRs, and, where asked for, the preprocessed columns of a ProvingKey."""
    columns: list[Matrix | None] = key.preprocessed if with_preprocessed and isinstance(key, ProvingKey) else []
    out = []
    for trace in traces:
        if not isinstance(trace, Trace):
            raise TypeError(f"expected a whorl.Trace, found {type(trace).__name__}")
        air_id = air_id_of(trace.air, key.num_airs, air_names)
        preprocessed = trace.preprocessed
        if preprocessed is None and air_id < len(columns):
            preprocessed = columns[air_id]
        # Attributes may have been set since.
        main = None if trace.main is None else matrix(trace.main)
        out.append(NativeTrace(air_id, main, tuple(_part(part) for part in trace.cached), preprocessed, trace.public_values))
    return out


class Task:
    """A key and the traces to prove.

    Parameters
    ----------
    key : VerifyingKey or ProvingKey
        Of a ProvingKey come also names, notes and preprocessed columns.
    traces : sequence of Trace
    name : str
        For messages.
    air_names : sequence of str
        For messages; one an AIR of the key, or none.
    notes : KeyNotes, optional
        For messages.

    Attributes
    ----------
    vk : VerifyingKey
    traces : list of Trace
        With the indices of their AIRs.
    """

    __slots__ = ("air_names", "name", "notes", "traces", "vk")

    def __init__(
        self,
        key: Key,
        traces: Iterable[Trace],
        name: str = "",
        air_names: Sequence[str] = (),
        notes: KeyNotes | None = None,
    ) -> None:
        is_proving = isinstance(key, ProvingKey)
        self.vk: VerifyingKey = key.vk if isinstance(key, ProvingKey) else key
        self.name = name
        self.air_names = list(air_names) or (list(key.air_names) if isinstance(key, ProvingKey) else [])
        self.notes = notes or (key.notes if isinstance(key, ProvingKey) else KeyNotes())
        self.traces = [
            Trace(t.air_id, t.main, t.cached, t.preprocessed, t.public_values)
            for t in native_traces(key, traces, self.air_names, with_preprocessed=is_proving)
        ]

    @property
    def digest(self) -> str:
        """SHA-256 of the key and the traces, as 64 hexadecimal digits: two tasks with one digest have one proof.

        Names, notes and preprocessed columns, which the key commits to, are not part of it.
        """
        state = hashlib.sha256(b"whorl task 1\n")
        vk = bytes(self.vk)
        state.update(struct.pack("<Q", len(vk)))
        state.update(vk)
        for trace in sorted(native_traces(self.vk, self.traces, self.air_names), key=lambda t: t.air_id):
            parts = [trace.main, *trace.cached]
            state.update(struct.pack("<QQQ", trace.air_id, len(trace.public_values), len(parts)))
            state.update(np.asarray(trace.public_values, dtype="<u4").tobytes())
            for part in parts:
                columns = part.matrix if isinstance(part, CommittedMatrix) else part
                shape = (0, 0) if columns is None else columns.shape
                state.update(struct.pack("<QQ", *shape))
                if columns is not None:
                    state.update(np.ascontiguousarray(columns.words.T, dtype="<u4").data)
        return state.hexdigest()

    def __reduce__(self) -> tuple[object, ...]:
        return Task, (self.vk, self.traces, self.name, self.air_names, self.notes)

    def __repr__(self) -> str:
        return f"<whorl.Task {self.name!r}, key {self.vk.digest[:16]}, {len(self.traces)} traces>"


def load_task(folder: str | os.PathLike[str]) -> Task:
    """Reads a task folder (docs/formats.md).

    Raises
    ------
    FileError, FormatError, InvalidArgumentError
        With file, place, what was expected and found.
    """
    name, vk, air_names, traces, notes = _core.load_task(folder)
    return Task(vk, [Trace(*fields) for fields in traces], name, air_names, notes)


def save_task(task: Task, folder: str | os.PathLike[str]) -> None:
    """Writes a task folder, making it if need be. ``task.json`` comes last, so that a folder that was not finished has none.

    Raises
    ------
    FileError, InvalidArgumentError
        Nothing is written that `load_task` refuses.
    """
    traces = native_traces(task.vk, task.traces, task.air_names)
    _core.save_task(folder, task.name, task.vk, task.air_names, traces, task.notes)
