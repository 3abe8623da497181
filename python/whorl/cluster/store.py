"""Where proofs and jobs outlive processes: a directory, or any URL that fsspec knows.

Layout
------
whorl-store.json           marks the store; where it is missing the store counts as away (an unmounted disk, say)
proofs/ab/ab12….bin        a proof, by the digest of its task; complete or not there
jobs/JOB/job.json          what the job is
jobs/JOB/tasks.jsonl       its tasks, one a line
jobs/JOB/journal.jsonl     what happened: attempts, proofs, failures, the end
jobs/JOB/payload/N.pkl     a task that is too large for a line

In a directory, `.jsonl` files grow by appending. Object stores cannot append: there they are folders of segments. Readers skip torn lines.
"""

from __future__ import annotations

import errno
import json
import os
import pathlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

__all__ = ["DirectoryStore", "RemoteStore", "Store", "StoreError", "normal_url", "open_store", "patiently", "proof_name", "read_json_lines"]

MARK = "whorl-store.json"
# A PUT to these is whole or not there, and a move is a copy: no temporary name is needed.
ATOMIC_PUT = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl")

T = TypeVar("T")


class StoreError(OSError):
    """The store is away, full, or is no store. May pass."""

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class Store(Protocol):
    """What the cluster asks of a store. Names are relative, with `/`. Every method raises `StoreError` where the store fails."""

    url: str

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole, durably, replacing what is there. Readers see all of it or nothing."""

    def read(self, name: str) -> bytes:
        """Read a file. Raises FileNotFoundError where the store is there and the file is not."""

    def exists(self, name: str) -> bool:
        """Whether a file is there."""

    def append(self, name: str, data: bytes) -> None:
        """Append whole lines to a `.jsonl`."""

    def read_lines(self, name: str) -> Iterator[bytes]:
        """Lines of a `.jsonl`; none where it is not there."""

    def names(self, folder: str) -> list[str]:
        """Names right under a folder, sorted; none where it is not there."""

    def check(self) -> None:
        """Raise `StoreError` where the store is away."""


def proof_name(digest: str) -> str:
    """Name of the proof of the task with this digest. Raises ValueError where it is none."""
    if len(digest) != 64 or any(c not in "0123456789abcdef" for c in digest):
        raise ValueError(f"{digest!r} is no digest: expected 64 hex digits")
    return f"proofs/{digest[:2]}/{digest}.bin"


def read_json_lines(store: Store, name: str) -> Iterator[dict[str, Any]]:
    """Objects of a `.jsonl`; lines that are torn or no objects are skipped."""
    for line in store.read_lines(name):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def patiently(
    action: Callable[[], T],
    patience_s: float,
    *,
    on_wait: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    first_s: float = 0.1,
    longest_s: float = 5.0,
) -> T:
    """Do something with a store, again and again while it fails, with growing pauses.

    Parameters
    ----------
    patience_s
        After this long the last error is raised.
    on_wait
        Told each error before the pause.
    stop
        Ends the waiting: the last error is raised.
    """
    end = time.monotonic() + patience_s
    pause = first_s
    while True:
        try:
            return action()
        except StoreError as error:
            left = end - time.monotonic()
            if left <= 0:
                raise
            if on_wait is not None:
                on_wait(str(error))
            if stop is None:
                time.sleep(min(pause, left))
            elif stop.wait(min(pause, left)):
                raise
            pause = min(2 * pause, longest_s)


def normal_url(url: str | os.PathLike[str]) -> str:
    """The URL under which a store is known, the same from every working directory."""
    text = os.fspath(url)
    scheme = text.split("://", 1)[0] if "://" in text else ""
    if scheme in ("", "file") and "::" not in text:
        return str(pathlib.Path(text.removeprefix("file://")).expanduser().absolute())
    return text.rstrip("/")


def open_store(url: str | os.PathLike[str], *, create: bool = True) -> Store:
    """Open a store.

    Parameters
    ----------
    url
        A directory, or a URL of fsspec such as s3://bucket/folder. `file:///folder` is the directory.
    create
        Make it where it is not there. False: raise `StoreError`.
    """
    text = normal_url(url)
    return DirectoryStore(text, create=create) if text.startswith(os.sep) else RemoteStore(text, create=create)


class DirectoryStore:
    """A store in a directory. Writes are synced, then renamed."""

    def __init__(self, root: str | os.PathLike[str], *, create: bool = True) -> None:
        self.url = normal_url(root)
        self.root = pathlib.Path(self.url)
        if create and not (self.root / MARK).exists():
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                self._write(MARK, b'{"format": 1}\n')
            except OSError as error:
                raise StoreError(error.errno, f"store {self.url}: {error.strerror}") from error
        self.check()

    def check(self) -> None:
        if not (self.root / MARK).is_file():
            raise StoreError(errno.ENOENT, f"store {self.url}: {MARK} not found: the store is away, or is none")

    def _write(self, name: str, data: bytes) -> None:
        target = self.root / name
        temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _guarded(self, what: str, name: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(error.errno, f"store {self.url}: {what} {name}: {error.strerror or error}") from error

    def _make_folders(self, name: str) -> None:
        """The folders of a name, below the root alone: a root that has gone since it was looked at is not made anew."""
        for folder in reversed(pathlib.PurePosixPath(name).parents[:-1]):
            (self.root / folder).mkdir(exist_ok=True)

    def write(self, name: str, data: bytes) -> None:
        def action() -> None:
            self.check()
            self._make_folders(name)
            self._write(name, data)

        self._guarded("write", name, action)

    def read(self, name: str) -> bytes:
        def action() -> bytes:
            try:
                return (self.root / name).read_bytes()
            except FileNotFoundError:
                self.check()
                raise _Missing from None

        try:
            return self._guarded("read", name, action)
        except _Missing:
            raise FileNotFoundError(errno.ENOENT, "not in the store", name) from None

    def exists(self, name: str) -> bool:
        def action() -> bool:
            if (self.root / name).is_file():
                return True
            self.check()
            return False

        return self._guarded("look for", name, action)

    def append(self, name: str, data: bytes) -> None:
        def action() -> None:
            self.check()
            path = self.root / name
            self._make_folders(name)
            with open(path, "ab", buffering=0) as file:
                size = file.tell()
                try:
                    written = 0
                    while written < len(data):
                        written += file.write(data[written:]) or 0
                    os.fsync(file.fileno())
                except OSError:
                    # A disk that is full took a part of it: the next try must not begin in mid-line.
                    os.ftruncate(file.fileno(), size)
                    raise

        self._guarded("append to", name, action)

    def read_lines(self, name: str) -> Iterator[bytes]:
        try:
            yield from self.read(name).splitlines()
        except FileNotFoundError:
            return

    def names(self, folder: str) -> list[str]:
        def action() -> list[str]:
            try:
                return sorted(n for n in os.listdir(self.root / folder) if not n.startswith("."))
            except FileNotFoundError:
                self.check()
                return []

        return self._guarded("list", folder, action)


class _Missing(Exception):
    pass


class RemoteStore:
    """A store behind a URL of fsspec."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        import fsspec

        self.url = url.rstrip("/")
        self._segment = 0
        try:
            self._fs, root = fsspec.core.url_to_fs(self.url)
        except Exception as error:
            raise StoreError(errno.EIO, f"store {self.url}: {error}") from error
        self._root = root.rstrip("/")
        protocols = (self._fs.protocol,) if isinstance(self._fs.protocol, str) else tuple(self._fs.protocol)
        self._puts_whole = any(p in ATOMIC_PUT for p in protocols)
        if create and not self._guarded("look for", MARK, lambda: bool(self._fs.exists(f"{self._root}/{MARK}"))):
            self._guarded("make", MARK, lambda: self._put(MARK, b'{"format": 1}\n'))
        self.check()

    def _guarded(self, what: str, name: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except (_Missing, StoreError):
            raise
        except Exception as error:  # each file system of fsspec has errors of its own
            number = getattr(error, "errno", None) or errno.EIO
            raise StoreError(number, f"store {self.url}: {what} {name}: {type(error).__name__}: {error}") from error

    def check(self) -> None:
        def action() -> bool:
            self._fs.invalidate_cache()
            return bool(self._fs.exists(f"{self._root}/{MARK}"))

        if not self._guarded("look for", MARK, action):
            raise StoreError(errno.ENOENT, f"store {self.url}: {MARK} not found: the store is away, or is none")

    def _put(self, name: str, data: bytes) -> None:
        target = f"{self._root}/{name}"
        self._fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        if self._puts_whole:
            self._fs.pipe_file(target, data)
            return
        folder, _, leaf = target.rpartition("/")
        temporary = f"{folder}/.{leaf}.{secrets.token_hex(6)}.tmp"
        try:
            self._fs.pipe_file(temporary, data)
            self._fs.mv(temporary, target)
        except BaseException:
            try:
                self._fs.rm_file(temporary)
            except Exception:
                pass  # it may never have been there; the first error counts
            raise

    def write(self, name: str, data: bytes) -> None:
        def action() -> None:
            self.check()
            self._put(name, data)

        self._guarded("write", name, action)

    def read(self, name: str) -> bytes:
        def action() -> bytes:
            try:
                return bytes(self._fs.cat_file(f"{self._root}/{name}"))
            except FileNotFoundError:
                self.check()
                raise _Missing from None

        try:
            return self._guarded("read", name, action)
        except _Missing:
            raise FileNotFoundError(errno.ENOENT, "not in the store", name) from None

    def exists(self, name: str) -> bool:
        def action() -> bool:
            self._fs.invalidate_cache()
            return bool(self._fs.isfile(f"{self._root}/{name}"))

        return self._guarded("look for", name, action) or self._absent()

    def _absent(self) -> bool:
        self.check()
        return False

    def append(self, name: str, data: bytes) -> None:
        # The name sorts by time, then by the number within this process; the rest keeps two writers apart.
        self._segment += 1
        self.write(f"{name}/{int(time.time() * 1e6):020d}-{self._segment:06d}-{secrets.token_hex(4)}.jsonl", data)

    def read_lines(self, name: str) -> Iterator[bytes]:
        for segment in self.names(name):
            yield from self.read(f"{name}/{segment}").splitlines()

    def names(self, folder: str) -> list[str]:
        def action() -> list[str]:
            self._fs.invalidate_cache()
            try:
                paths = self._fs.ls(f"{self._root}/{folder}", detail=False)
            except FileNotFoundError:
                self.check()
                return []
            return sorted(leaf for leaf in (p.rstrip("/").rsplit("/", 1)[-1] for p in paths) if not leaf.startswith("."))

        return self._guarded("list", folder, action)
