"""Tasks that differ and take milliseconds: Fibonacci sequences from different first numbers. Functions of this module run on workers."""

from __future__ import annotations

import functools
import os
import pathlib
import signal
import time
from typing import Any

import numpy as np
import whorl
from ray import cloudpickle

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "tests" / "vectors"


class Fibonacci(whorl.Air):
    """left, right → right, left + right; the first two numbers and the last one are public."""

    column_names = ("left", "right")
    width = 2
    num_public_values = 3

    def eval(self, b: Any) -> None:
        local, following = b.main()
        first_left, first_right, last = b.public_values()
        b.when_first_row().assert_eq(local.left, first_left)
        b.when_first_row().assert_eq(local.right, first_right)
        b.when_transition().assert_eq(following.left, local.right)
        b.when_transition().assert_eq(following.right, local.left + local.right)
        b.when_last_row().assert_eq(local.right, last)


def proving_key(log_height: int = 5) -> Any:
    return whorl.keygen(whorl.Params.test(2, max(8, log_height - 2), 3), [Fibonacci()])


def fibonacci(seed: int, log_height: int = 5, right: bool = True) -> whorl.Task:
    """A task of its own for each seed; with `right=False` its traces do not satisfy the key."""
    rows = 1 << log_height
    columns = np.zeros((2, rows), dtype=np.uint32)
    a, b = seed % whorl.MODULUS, (7 * seed + 1) % whorl.MODULUS
    first = (a, b)
    for row in range(rows):
        columns[0, row], columns[1, row] = a, b
        a, b = b, (a + b) % whorl.MODULUS
    last = int(columns[1, -1])
    if not right:
        columns[1, rows // 2] = (int(columns[1, rows // 2]) + 1) % whorl.MODULUS
    trace = whorl.Trace(0, columns.T, public_values=(*first, last))
    return whorl.Task(proving_key(log_height).vk, [trace], name=f"fibonacci {seed}")


@functools.cache
def expected(seed: int, log_height: int = 5) -> tuple[str, bytes]:
    """Digest and proof, made in this process."""
    task = fibonacci(seed, log_height)
    return task.digest, bytes(whorl.prove(task, threads=1))


def slow(seed: int, seconds: float) -> whorl.Task:
    time.sleep(seconds)
    return fibonacci(seed)


def hang_once(seed: int, marker: str) -> whorl.Task:
    """The first time it hangs for an hour; afterwards it does not."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return fibonacci(seed)
    time.sleep(3600)
    raise AssertionError("nobody ended the process that hung")


def die_once(seed: int, marker: str) -> whorl.Task:
    """The first time it kills its process."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return fibonacci(seed)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def die_always() -> whorl.Task:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def out_of_memory() -> whorl.Task:
    raise MemoryError("drawn")


def wait_for(seed: int, path: str, started: str | None = None) -> whorl.Task:
    """Waits until a file is there, which a test makes."""
    if started is not None:
        pathlib.Path(started).touch()
    while not os.path.exists(path):
        time.sleep(0.01)
    return fibonacci(seed)


# Workers do not have this module: its functions travel by value.
import sys  # noqa: E402

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
