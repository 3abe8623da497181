"""Writes what happens to jobs into the store, in the background and in order, and keeps it while the store is away."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from typing import Any

from .store import Store, StoreError

__all__ = ["Journal"]


class Journal:
    """Appends lines to the journals of jobs.

    Nothing that must not be lost depends on it: a proof is in the store before it is reported, so what a lost line would have said is found
    there again. So lines are written in batches, and a store that is away delays them only.
    """

    def __init__(self, store: Store, interval_s: float = 0.5) -> None:
        self._store = store
        self._interval_s = interval_s
        self._changed = threading.Condition()
        self._pending: OrderedDict[str, list[bytes]] = OrderedDict()
        self._is_closed = False
        self._writing = False
        self.trouble = ""
        self.trouble_since = 0.0
        self._thread = threading.Thread(target=self._run, name="whorl-journal", daemon=True)
        self._thread.start()

    def add(self, job: str, line: dict[str, Any]) -> None:
        """Add a line. Never blocks on the store."""
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        with self._changed:
            self._pending.setdefault(job, []).append(data)
            if len(self._pending) == 1 and len(self._pending[job]) == 1:
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all lines are written; False where they are not in time."""
        with self._changed:
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._pending and not self._writing, timeout_s)

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what is left, as far as the store allows within the time."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        pause = self._interval_s
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._is_closed)
                if not self._pending:
                    return
                if not self._is_closed:
                    self._changed.wait_for(lambda: self._is_closed, pause)
                job, lines = self._pending.popitem(last=False)
                self._writing = True
            try:
                self._store.append(f"jobs/{job}/journal.jsonl", b"".join(lines))
                pause = self._interval_s if not self._pending else 0.0
                self.trouble = ""
            except StoreError as error:
                if not self.trouble:
                    self.trouble_since = time.time()
                self.trouble = str(error)
                with self._changed:
                    self._pending[job] = lines + self._pending.get(job, [])
                    self._pending.move_to_end(job, last=False)
                    if self._is_closed:
                        return
                pause = min(5.0, max(0.1, 2 * pause))
            finally:
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()
