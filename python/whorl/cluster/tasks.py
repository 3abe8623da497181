"""What a job consists of: tasks in a form that travels and can be written down.

A task is given as

* a folder (docs/formats.md), by its path, which the workers see too;
* a `whorl.Task`;
* an object reference of Ray to a `whorl.Task`;
* `Call(function, *args)`, or a function without parameters: it makes the `whorl.Task`, or a folder, on the worker.

Its *identity* is known before it is loaded: tasks with one identity are proved once. It is the digest for a task object, the path with
sizes and times of its files for a folder, the pickled bytes for a call (which therefore has to be a pure function of its arguments).
Whatever two identities give one digest, the store has one proof for both.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "TaskSpec", "from_line", "specify", "to_line"]

INLINE_BYTES = 64 * 1024  # what is larger gets a file of its own in the store, and an object of its own in Ray


@dataclass(frozen=True)
class Call:
    """A task that is made on the worker, by `function(*args, **kwargs)`.

    It must give the same task each time it is called. It may be called more than once.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "kwargs", kwargs)


@dataclass(slots=True)
class TaskSpec:
    """A task as the driver sees it.

    Parameters
    ----------
    kind
        folder, task, call or ref.
    payload
        A path, pickled bytes, or a reference in a list (so that Ray does not resolve it on the way).
    identity
        What names the same task.
    name
        For people.
    needs
        Bytes of memory by kind of device, where they are known.
    """

    kind: str
    payload: Any
    identity: str
    name: str = ""
    needs: dict[str, int] | None = None


def specify(source: Any, needs: Mapping[str, int] | None = None) -> TaskSpec:
    """Turn what a user gives as a task into a `TaskSpec`.

    Raises
    ------
    TypeError
        Where it is nothing that can be a task.
    """
    known = dict(needs) if needs else None
    if isinstance(source, TaskSpec):
        return source
    if isinstance(source, (str, os.PathLike)):
        path = os.path.abspath(os.fspath(source))
        return TaskSpec("folder", path, _folder_identity(path), os.path.basename(path), known)
    if isinstance(source, Call) or (callable(source) and not isinstance(source, type)):
        from ray import cloudpickle

        call = source if isinstance(source, Call) else Call(source)
        data: bytes = cloudpickle.dumps((call.function, call.args, dict(call.kwargs)))  # type: ignore[no-untyped-call]
        return TaskSpec("call", data, "call:" + hashlib.sha256(data).hexdigest(), getattr(call.function, "__name__", "call"), known)
    digest = getattr(source, "digest", None)
    if isinstance(digest, str) and hasattr(source, "traces"):
        return TaskSpec("task", pickle.dumps(source, protocol=5), "task:" + digest, source.name or digest[:12], known)
    if type(source).__name__ == "ObjectRef" and hasattr(source, "hex"):
        return TaskSpec("ref", [source], "ref:" + source.hex(), source.hex()[:12], known)
    raise TypeError(f"{type(source).__name__} is no task: expected a folder, a whorl.Task, a Call, a function or an object reference")


def _folder_identity(path: str) -> str:
    """Changes when a file of the folder does; the path alone where the folder is not seen from here."""
    summary = hashlib.sha256()
    try:
        with os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                if entry.is_file():
                    stat = entry.stat()
                    summary.update(f"{entry.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    except OSError:
        return f"folder:{path}"
    return f"folder:{path}:{summary.hexdigest()[:16]}"


def to_line(index: int, spec: TaskSpec, write_payload: Callable[[int, bytes], str]) -> dict[str, Any]:
    """A task as an object for the manifest. `write_payload` stores what is too large for a line and returns its name."""
    line: dict[str, Any] = {"i": index, "kind": spec.kind, "identity": spec.identity, "name": spec.name}
    if spec.needs:
        line["needs"] = spec.needs
    if spec.kind == "folder":
        line["path"] = spec.payload
    elif spec.kind in ("task", "call"):
        if len(spec.payload) <= INLINE_BYTES:
            line["data"] = base64.b64encode(spec.payload).decode()
        else:
            line["file"] = write_payload(index, spec.payload)
    return line


def from_line(line: Mapping[str, Any], read_payload: Callable[[str], bytes]) -> TaskSpec:
    """The reverse of `to_line`. The payload of a reference is None: it died with its cluster."""
    payload: Any = None
    if line["kind"] == "folder":
        payload = line["path"]
    elif "data" in line:
        payload = base64.b64decode(line["data"])
    elif "file" in line:
        payload = read_payload(line["file"])
    return TaskSpec(line["kind"], payload, line["identity"], line.get("name", ""), line.get("needs"))
