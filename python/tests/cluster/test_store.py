"""The store alone: no Ray, no module."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("whorl", reason="the module is not built")

from whorl.cluster.journal import Journal
from whorl.cluster.store import DirectoryStore, RemoteStore, StoreError, open_store, patiently, proof_name, read_json_lines


@pytest.fixture(params=["directory", "fsspec"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "directory":
        return open_store(tmp_path / "store")
    pytest.importorskip("fsspec")
    return open_store(f"local://{tmp_path}/store")


def test_what_is_written_is_read(store: Any) -> None:
    assert not store.exists("proofs/ab/x.bin")
    with pytest.raises(FileNotFoundError):
        store.read("proofs/ab/x.bin")
    store.write("proofs/ab/x.bin", b"one")
    store.write("proofs/ab/x.bin", b"two")
    assert store.read("proofs/ab/x.bin") == b"two" and store.exists("proofs/ab/x.bin")
    assert store.names("proofs/ab") == ["x.bin"] and store.names("nothing") == []


def test_lines_grow_and_torn_ones_are_skipped(store: Any) -> None:
    assert list(read_json_lines(store, "jobs/j/journal.jsonl")) == []
    for k in range(3):
        store.append("jobs/j/journal.jsonl", b'{"k":%d}\n' % k)
    store.append("jobs/j/journal.jsonl", b'{"k":3\n[1]\n{"k":4}\n')
    assert [line["k"] for line in read_json_lines(store, "jobs/j/journal.jsonl")] == [0, 1, 2, 4]


def test_a_store_that_is_away_is_an_error_and_is_not_made_anew(store: Any, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    for action in (
        lambda: store.write("a/b", b"x"),
        lambda: store.read("a/b"),
        lambda: store.exists("a/b"),
        lambda: store.append("a/b.jsonl", b"x\n"),
        lambda: store.names("a"),
        lambda: list(store.read_lines("a/b.jsonl")),
    ):
        with pytest.raises(StoreError, match="away"):
            action()
    assert not (tmp_path / "store").exists()
    with pytest.raises(StoreError, match="away, or is none"):
        open_store(store.url, create=False)
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    store.write("a/b", b"x")


def test_urls_choose_the_store(tmp_path: Path) -> None:
    assert isinstance(open_store(f"file://{tmp_path}/a"), DirectoryStore)
    assert open_store(f"file://{tmp_path}/a").url == str(tmp_path / "a")
    assert isinstance(open_store(f"memory://{tmp_path}/b"), RemoteStore)
    with pytest.raises(StoreError, match="nosuch"):
        open_store("nosuch://bucket/x")


def test_digests_are_names_and_nothing_else_is() -> None:
    assert proof_name("ab" * 32) == f"proofs/ab/{'ab' * 32}.bin"
    for wrong in ("", "../x", "AB" * 32, "a" * 63, "g" * 64, "ab" * 31 + "/."):
        with pytest.raises(ValueError, match="no digest"):
            proof_name(wrong)


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "store")
    store.write("a/x", b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left") as caught:
            store.write("a/x", b"new")
        assert caught.value.errno == errno.ENOSPC
        with pytest.raises(StoreError, match="No space left"):
            store.append("a/y.jsonl", b"line\n")
    assert store.read("a/x") == b"old"
    assert os.listdir(tmp_path / "store" / "a") == ["x", "y.jsonl"] or sorted(os.listdir(tmp_path / "store" / "a")) == ["x", "y.jsonl"]
    assert store.read("a/y.jsonl") == b""


def failing(times: int) -> Callable[[], str]:
    left = times

    def action() -> str:
        nonlocal left
        left -= 1
        if left >= 0:
            raise StoreError(errno.EIO, "away")
        return "done"

    return action


def test_patience_tries_again_and_ends() -> None:
    told: list[str] = []
    assert patiently(failing(3), 60.0, on_wait=told.append, first_s=0.001) == "done" and len(told) == 3
    with pytest.raises(StoreError):
        patiently(failing(10**9), 0.05, first_s=0.001)
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoreError):
        patiently(failing(10**9), 60.0, stop=stop)


def test_the_journal_keeps_lines_in_order_while_the_store_is_away(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    journal = Journal(store, interval_s=0.01)
    journal.add("j", {"k": 0})
    assert journal.flush(10.0)
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    for k in range(1, 50):
        journal.add("j", {"k": k})
    assert not journal.flush(0.3) and "away" in journal.trouble
    (tmp_path / "elsewhere").rename(tmp_path / "store")
    assert journal.flush(30.0)
    journal.close()
    assert [line["k"] for line in read_json_lines(store, "jobs/j/journal.jsonl")] == list(range(50))


def test_a_root_that_goes_away_is_not_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "store")
    store.write("a/b/c", b"1")
    # It goes between the look at it and the write.
    monkeypatch.setattr(store, "check", lambda: None)
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    for write in (store.write, store.append):
        with pytest.raises(StoreError):
            write("a/b/d", b"2")
        assert not (tmp_path / "store").exists()
