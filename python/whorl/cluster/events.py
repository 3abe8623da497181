"""What goes into the scheduler and what comes out of it: outcomes of attempts, the policy of retries, and effects.

Plain data, so that it can be written down, sent and compared. scheduler.py has the words: unit, attempt, place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Deliver", "Effect", "Failure", "JobDone", "JobError", "Kill", "Outcome", "Policy", "Release", "Start", "Stop", "Withdraw"]


class Failure(StrEnum):
    """How an attempt can end without a proof. What may pass is tried again, what will not is not."""

    BAD = "bad"  # the task is wrong: never tried again
    TOO_LARGE = "too_large"  # by its plan it does not fit this place; nothing was started
    MEMORY = "memory"  # memory ran out all the same: a larger place
    MACHINE = "machine"  # the device or the process is not to be trusted: a new process
    FILE = "file"  # a file could not be read
    STORE = "store"  # the proof could not be stored within the patience of the worker
    LOST = "lost"  # the process or its node is gone
    HUNG = "hung"  # the place finished nothing within the deadline
    CANCELLED = "cancelled"  # stopped on request
    WITHDRAWN = "withdrawn"  # given back before it began, on request


@dataclass(slots=True)
class Outcome:
    """How an attempt ended.

    Parameters
    ----------
    failure
        None for a proof.
    digest
        The task's digest, 64 hex digits, where it is known.
    error
        One line for people, empty for a proof.
    seconds
        Time that the place spent on it.
    needs_bytes
        For `TOO_LARGE`: what the plan asks for on this kind of device.
    detail
        Whatever else the worker tells; passed through to `Deliver`.
    """

    failure: Failure | None = None
    digest: str = ""
    error: str = ""
    seconds: float = 0.0
    needs_bytes: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is tried again, how often and when.

    Parameters
    ----------
    max_attempts
        Attempts that end in a failure that may pass, before the unit fails.
    max_file_attempts
        The same for files that cannot be read: a missing file rarely appears.
    backoff_s, backoff_factor, max_backoff_s
        The n-th retry waits `backoff_s * backoff_factor**(n-1)`, at most `max_backoff_s`, less up to half of it by chance.
    deadline_s
        A place that has attempts finishes one within this time, or counts as hung. A job may say otherwise.
    fit_patience_s
        How long a unit waits for a place of a size that was there before. A size that never was is refused at once.
    estimate_s
        What a task is taken to cost before the first one of the job has ended.
    steal_after_s
        An idle place takes over a task that waits behind another one, where a task of that job takes at least this long.
    remembered
        How many finished identities are remembered.
    """

    max_attempts: int = 8
    max_file_attempts: int = 3
    backoff_s: float = 0.25
    backoff_factor: float = 2.0
    max_backoff_s: float = 30.0
    deadline_s: float = 900.0
    fit_patience_s: float = 600.0
    estimate_s: float = 1.0
    steal_after_s: float = 0.5
    remembered: int = 100_000

    def __post_init__(self) -> None:
        for name in ("max_attempts", "max_file_attempts"):
            check_number(f"policy: {name}", getattr(self, name), whole=True, least=1)
        check_number("policy: remembered", self.remembered, whole=True, least=0)
        for name in ("backoff_s", "max_backoff_s", "fit_patience_s", "steal_after_s"):
            check_number(f"policy: {name}", getattr(self, name), least=0)
        check_number("policy: backoff_factor", self.backoff_factor, least=1)
        for name in ("deadline_s", "estimate_s"):
            check_number(f"policy: {name}", getattr(self, name), above=0)


def check_number(what: str, value: Any, *, whole: bool = False, least: float | None = None, above: float | None = None) -> None:
    """Raise ValueError where `value` is no finite number, or outside its range: a wrong one would stop the driver later."""
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        raise ValueError(f"{what} is {value!r}, expected a {'whole' if whole else 'finite'} number")
    if least is not None and value < least:
        raise ValueError(f"{what} is {value!r}, expected at least {least}")
    if above is not None and value <= above:
        raise ValueError(f"{what} is {value!r}, expected more than {above}")


class JobError(ValueError):
    """A job that is not there, is there twice, or takes no more tasks."""


# Effects: what the caller of the scheduler has to do.


@dataclass(slots=True)
class Start:
    """Start this attempt at this place."""

    place: str
    attempt: int
    payload: Any
    job: str
    index: int


@dataclass(slots=True)
class Stop:
    """Stop this attempt, wherever it is: nobody wants the proof. Its outcome is still awaited."""

    place: str
    attempt: int


@dataclass(slots=True)
class Withdraw:
    """Ask the place to give this attempt back if it has not begun. Its outcome is still awaited."""

    place: str
    attempt: int


@dataclass(slots=True)
class Kill:
    """End the process of this place, which the scheduler has forgotten."""

    place: str
    reason: str


@dataclass(slots=True)
class Release:
    """This drained place has nothing left to do, and the scheduler has forgotten it."""

    place: str


@dataclass(slots=True)
class Deliver:
    """A task of a job is finished: a proof where `outcome.failure` is None. Comes once for each task."""

    job: str
    index: int
    outcome: Outcome
    attempts: int
    history: tuple[str, ...]


@dataclass(slots=True)
class JobDone:
    """All tasks of a sealed or cancelled job are delivered."""

    job: str


Effect = Start | Stop | Withdraw | Kill | Release | Deliver | JobDone
