"""The scheduler alone: no Ray, no module, no clock."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from cluster_scheduler import Deliver, Failure, JobDone, JobError, Kill, Outcome, Policy, Release, Scheduler, Start, Stop, Withdraw

GIB = 1 << 30
PROVED = Outcome(None, "d", seconds=1.0)


def starts(effects: list[Any]) -> list[Start]:
    return [e for e in effects if isinstance(e, Start)]


def deliveries(effects: list[Any]) -> list[Deliver]:
    return [e for e in effects if isinstance(e, Deliver)]


def of_type(effects: list[Any], kind: type) -> list[Any]:
    return [e for e in effects if isinstance(e, kind)]


def one_place(policy: Policy | None = None, slots: int = 1) -> Scheduler:
    scheduler = Scheduler(policy)
    scheduler.join("a", 0.0, kind="cpu", memory_bytes=GIB, slots=slots)
    scheduler.open_job("j")
    return scheduler


def test_a_task_runs_and_is_delivered_and_the_sealed_job_is_done() -> None:
    scheduler = one_place()
    assert scheduler.submit("j", 0, "x", 0.0, payload="folder")
    (start,) = starts(scheduler.effects())
    assert (start.place, start.payload, start.job, start.index) == ("a", "folder", "j", 0)
    scheduler.seal("j", 0.5)
    assert scheduler.effects() == []
    scheduler.finished(start.attempt, 1.0, PROVED)
    delivered, done = scheduler.effects()
    assert isinstance(delivered, Deliver) and delivered.outcome.digest == "d" and delivered.attempts == 1
    assert done == JobDone("j")
    scheduler.cancel("j", 2.0)
    assert scheduler.effects() == []  # a job is done once


def test_an_outcome_that_comes_twice_is_ignored() -> None:
    scheduler = one_place()
    scheduler.submit("j", 0, "x", 0.0)
    (start,) = starts(scheduler.effects())
    scheduler.finished(start.attempt, 1.0, PROVED)
    scheduler.finished(start.attempt, 1.0, PROVED)
    scheduler.finished(start.attempt, 1.0, Outcome(Failure.BAD, error="no"))
    assert len(deliveries(scheduler.effects())) == 1
    assert scheduler.ignored_outcomes == 2


def test_a_late_proof_counts_while_its_retry_waits_or_runs_and_not_afterwards() -> None:
    for when in ("waits", "runs", "is over"):
        scheduler = one_place()
        scheduler.submit("j", 0, "x", 0.0)
        (first,) = starts(scheduler.effects())
        scheduler.lose("a", 1.0)
        scheduler.join("b", 1.0, kind="cpu", memory_bytes=GIB)
        if when != "waits":
            scheduler.advance(10.0)
            (second,) = starts(scheduler.effects())
        if when == "is over":
            scheduler.finished(second.attempt, 11.0, PROVED)
            assert len(deliveries(scheduler.effects())) == 1
        scheduler.finished(first.attempt, 12.0, PROVED)
        effects = scheduler.effects()
        if when == "is over":
            assert effects == [] and scheduler.ignored_outcomes == 1
            continue
        assert len(deliveries(effects)) == 1 and scheduler.late_proofs == 1
        if when == "runs":
            assert of_type(effects, Stop) == [Stop("b", second.attempt)]
            scheduler.finished(second.attempt, 13.0, PROVED)
        scheduler.advance(1000.0)
        assert starts(scheduler.effects()) == [] and scheduler.totals()["running"] == 0


def test_a_late_failure_changes_nothing() -> None:
    scheduler = one_place()
    scheduler.submit("j", 0, "x", 0.0)
    (first,) = starts(scheduler.effects())
    scheduler.lose("a", 1.0)
    scheduler.finished(first.attempt, 1.5, Outcome(Failure.BAD, error="late"))
    scheduler.join("b", 1.0, kind="cpu", memory_bytes=GIB)
    scheduler.advance(10.0)
    (second,) = starts(scheduler.effects())
    scheduler.finished(second.attempt, 11.0, PROVED)
    assert deliveries(scheduler.effects())[0].outcome.failure is None


def test_the_same_task_twice_is_one_proof_for_both() -> None:
    scheduler = one_place()
    scheduler.open_job("k")
    scheduler.submit("j", 0, "x", 0.0)
    scheduler.submit("j", 1, "x", 0.0)
    scheduler.submit("k", 7, "x", 0.0)
    (start,) = starts(scheduler.effects())
    scheduler.finished(start.attempt, 1.0, PROVED)
    assert {(d.job, d.index) for d in deliveries(scheduler.effects())} == {("j", 0), ("j", 1), ("k", 7)}
    scheduler.submit("k", 8, "x", 2.0)  # remembered
    (again,) = deliveries(scheduler.effects())
    assert again.outcome.digest == "d" and again.outcome.detail["duplicate"] and again.attempts == 0


def test_cancel_of_one_job_leaves_a_shared_task_to_the_other() -> None:
    scheduler = one_place()
    scheduler.open_job("k")
    scheduler.submit("j", 0, "x", 0.0)
    scheduler.submit("k", 0, "x", 0.0)
    (start,) = starts(scheduler.effects())
    scheduler.cancel("j", 0.5)
    effects = scheduler.effects()
    assert of_type(effects, Stop) == [] and of_type(effects, JobDone) == [JobDone("j")]
    scheduler.finished(start.attempt, 1.0, PROVED)
    assert [(d.job, d.outcome.failure) for d in deliveries(scheduler.effects())] == [("k", None)]


def test_cancel_stops_what_runs_and_drops_what_waits() -> None:
    scheduler = one_place()
    for index in range(3):
        scheduler.submit("j", index, f"x{index}", 0.0)
    (start,) = starts(scheduler.effects())
    scheduler.cancel("j", 0.5)
    effects = scheduler.effects()
    assert of_type(effects, Stop) == [Stop("a", start.attempt)]
    assert [d.outcome.failure for d in deliveries(effects)] == [Failure.CANCELLED] * 3
    assert of_type(effects, JobDone) == [JobDone("j")]
    scheduler.open_job("k")
    scheduler.submit("k", 0, "y", 0.6)
    assert starts(scheduler.effects()) == []  # the place is taken until the attempt has ended
    scheduler.finished(start.attempt, 0.7, Outcome(Failure.CANCELLED))
    assert len(starts(scheduler.effects())) == 1
    with pytest.raises(JobError, match="cancelled"):
        scheduler.submit("j", 9, "z", 1.0)


def test_cancel_of_single_tasks() -> None:
    scheduler = one_place()
    for index in range(3):
        scheduler.submit("j", index, f"x{index}", 0.0)
    scheduler.seal("j", 0.0)
    (start,) = starts(scheduler.effects())
    scheduler.cancel("j", 0.5, [1, 99])
    assert [d.index for d in deliveries(scheduler.effects())] == [1]
    scheduler.finished(start.attempt, 1.0, PROVED)
    (second,) = starts(scheduler.effects())
    assert second.index == 2
    scheduler.finished(second.attempt, 2.0, PROVED)
    assert of_type(scheduler.effects(), JobDone) == [JobDone("j")]


def test_retries_wait_longer_each_time_and_end() -> None:
    policy = Policy(max_attempts=4, backoff_s=1.0, backoff_factor=2.0, max_backoff_s=3.0)
    scheduler = one_place(policy)
    scheduler.submit("j", 0, "x", 0.0)
    now, delays = 0.0, []
    for attempt in range(4):
        (start,) = starts(scheduler.effects())
        scheduler.finished(start.attempt, now, Outcome(Failure.STORE, error="no route to the store"))
        if attempt == 3:
            break
        assert starts(scheduler.effects()) == []
        at = scheduler.next_time()
        while at is not None and not scheduler._num_waiting and not scheduler.totals()["running"]:
            delays.append(at - now) if at > now else None
            now = max(now, at)
            scheduler.advance(now)
            at = scheduler.next_time()
    (failed,) = deliveries(scheduler.effects())
    assert failed.outcome.failure is Failure.STORE and "given up after 4" in failed.outcome.error
    assert len(failed.history) == 4 and "no route" in failed.history[0]
    assert scheduler.job_status("j")["retries"] == 3
    assert 0.5 <= delays[0] <= 1.0 and 1.0 <= delays[1] <= 2.0 and 1.5 <= delays[2] <= 3.0


def test_a_bad_task_is_not_tried_again_and_the_rest_goes_on() -> None:
    scheduler = one_place()
    for index in range(100):
        scheduler.submit("j", index, f"x{index}", 0.0)
    outcomes = {}
    for _ in range(100):
        effects = scheduler.effects()
        for start in starts(effects):
            outcome = Outcome(Failure.BAD, error="constraint 2") if start.index == 50 else PROVED
            scheduler.finished(start.attempt, 1.0, outcome)
        outcomes.update({d.index: d.outcome for d in deliveries(effects)})
    outcomes.update({d.index: d.outcome for d in deliveries(scheduler.effects())})
    assert len(outcomes) == 100
    assert [i for i, o in outcomes.items() if o.failure] == [50] and outcomes[50].error == "constraint 2"
    assert scheduler.job_status("j")["retries"] == 0


def test_a_task_goes_where_it_fits_and_is_refused_with_figures_where_it_fits_nowhere() -> None:
    scheduler = Scheduler()
    scheduler.open_job("j")
    scheduler.submit("j", 0, "large", 0.0, needs={"cuda": 50 * GIB})
    assert scheduler.effects() == []  # no place has joined: nothing is refused yet
    scheduler.join("small", 0.0, kind="cuda", memory_bytes=24 * GIB)
    (refused,) = deliveries(scheduler.effects())
    assert refused.outcome.failure is Failure.TOO_LARGE
    assert f"needs {50 * GIB} bytes, the largest place has {24 * GIB}" in refused.outcome.error
    scheduler.join("large", 0.0, kind="cuda", memory_bytes=80 * GIB)
    scheduler.submit("j", 1, "x", 0.0, needs={"cuda": 50 * GIB})
    scheduler.submit("j", 2, "y", 0.0, needs={"cuda": 8 * GIB})
    assert [(s.index, s.place) for s in starts(scheduler.effects())] == [(1, "large"), (2, "small")]


def test_a_plan_made_at_the_place_moves_the_task_to_a_larger_one() -> None:
    scheduler = Scheduler()
    scheduler.open_job("j")
    scheduler.join("small", 0.0, kind="cuda", memory_bytes=24 * GIB)
    scheduler.join("large", 0.0, kind="cuda", memory_bytes=80 * GIB)
    scheduler.submit("j", 0, "x", 0.0)
    (first,) = starts(scheduler.effects())
    assert first.place == "small"
    scheduler.finished(first.attempt, 0.1, Outcome(Failure.TOO_LARGE, needs_bytes=50 * GIB))
    (second,) = starts(scheduler.effects())
    assert second.place == "large"
    scheduler.finished(second.attempt, 0.2, Outcome(Failure.TOO_LARGE, needs_bytes=90 * GIB))
    (refused,) = deliveries(scheduler.effects())
    assert f"needs {90 * GIB}" in refused.outcome.error


def test_after_running_out_of_memory_a_larger_place_is_taken_and_the_largest_one_again() -> None:
    scheduler = Scheduler(Policy(max_attempts=3))
    scheduler.open_job("j")
    scheduler.join("small", 0.0, kind="cuda", memory_bytes=24 * GIB)
    scheduler.join("large", 0.0, kind="cuda", memory_bytes=80 * GIB)
    scheduler.submit("j", 0, "x", 0.0)
    places = []
    for now in (0.0, 100.0, 200.0):
        scheduler.advance(now)
        (start,) = starts(scheduler.effects())
        places.append(start.place)
        scheduler.finished(start.attempt, now, Outcome(Failure.MEMORY, error="out of device memory"))
    assert places == ["small", "large", "large"]
    assert deliveries(scheduler.effects())[0].outcome.failure is Failure.MEMORY


def test_a_size_that_was_there_is_waited_for() -> None:
    scheduler = Scheduler(Policy(fit_patience_s=60.0))
    scheduler.open_job("j")
    scheduler.join("small", 0.0, kind="cuda", memory_bytes=24 * GIB)
    scheduler.join("large", 0.0, kind="cuda", memory_bytes=80 * GIB)
    scheduler.lose("large", 1.0)
    for index in range(2):
        scheduler.submit("j", index, f"x{index}", 2.0, needs={"cuda": 50 * GIB})
    assert scheduler.effects() == []
    scheduler.join("large2", 30.0, kind="cuda", memory_bytes=80 * GIB, slots=1)
    (start,) = starts(scheduler.effects())
    scheduler.lose("large2", 31.0)
    scheduler.advance(300.0)
    texts = [d.outcome.error for d in deliveries(scheduler.effects())]
    assert len(texts) == 1 and "waited 60 s" in texts[0] and str(50 * GIB) in texts[0]
    assert start.index == 0


def test_a_place_that_hangs_is_killed_and_its_tasks_run_elsewhere() -> None:
    scheduler = one_place(Policy(deadline_s=10.0), slots=2)
    scheduler.submit("j", 0, "x", 0.0)
    scheduler.submit("j", 1, "y", 0.0)
    scheduler.effects()
    scheduler.advance(9.9)
    assert scheduler.effects() == []
    scheduler.hold("a", 9.9)  # it waits for the store, and says so
    scheduler.advance(19.8)
    assert scheduler.effects() == []
    scheduler.advance(19.95)
    (kill,) = of_type(scheduler.effects(), Kill)
    assert kill.place == "a" and "deadline 10.0 s" in kill.reason
    scheduler.join("b", 20.0, kind="cpu", memory_bytes=GIB, slots=2)
    scheduler.advance(40.0)
    first = starts(scheduler.effects())
    assert len(first) == 1  # suspects run alone
    scheduler.finished(first[0].attempt, 41.0, PROVED)
    assert len(starts(scheduler.effects())) == 1


def test_a_task_that_hangs_is_found_while_its_neighbours_go_on() -> None:
    scheduler = one_place(Policy(deadline_s=10.0), slots=2)
    for index in range(100):
        scheduler.submit("j", index, f"x{index}", 0.0)
    now = 0.0
    for start in starts(scheduler.effects()):
        if start.index != 0:
            scheduler.finished(start.attempt, now, PROVED)
    while now < 19.0:
        now += 1.0
        scheduler.advance(now)
        effects = scheduler.effects()
        assert of_type(effects, Kill) == []
        for start in starts(effects):
            scheduler.finished(start.attempt, now, PROVED)
    scheduler.advance(20.5)
    (kill,) = of_type(scheduler.effects(), Kill)
    assert "oldest task took 20" in kill.reason


def test_a_deadline_of_a_job_replaces_the_policy_s() -> None:
    scheduler = Scheduler(Policy(deadline_s=1000.0))
    scheduler.join("a", 0.0, kind="cpu", memory_bytes=GIB, slots=2)
    scheduler.open_job("slow")
    scheduler.open_job("quick", deadline_s=5.0)
    scheduler.submit("slow", 0, "x", 0.0)
    (slow,) = starts(scheduler.effects())
    scheduler.submit("quick", 0, "y", 0.0)
    scheduler.effects()
    scheduler.advance(100.0)
    assert scheduler.effects() == []
    scheduler.finished(slow.attempt, 100.0, PROVED)
    scheduler.advance(104.0)
    assert of_type(scheduler.effects(), Kill) == []
    scheduler.advance(105.5)
    assert len(of_type(scheduler.effects(), Kill)) == 1


def test_the_task_that_kills_its_process_is_found_and_its_neighbours_are_proved() -> None:
    scheduler = Scheduler(Policy(max_attempts=3))
    scheduler.open_job("j")
    for index in range(9):
        scheduler.submit("j", index, f"x{index}", 0.0)
    scheduler.seal("j", 0.0)
    now, incarnation, outcomes = 0.0, 0, {}
    at_place: dict[str, list[Start]] = {}
    while scheduler.job_status("j")["waiting"] or scheduler.job_status("j")["running"]:
        if not scheduler.place_status():
            incarnation += 1
            scheduler.join(f"p{incarnation}", now, kind="cpu", memory_bytes=GIB, slots=3)
        now += 1.0
        scheduler.advance(now)
        effects = scheduler.effects()
        for start in starts(effects):
            at_place.setdefault(start.place, []).append(start)
        outcomes.update({d.index: d for d in deliveries(effects)})
        for place in list(scheduler.place_status()):
            running = at_place.pop(place, [])
            if any(start.index == 4 for start in running):
                scheduler.lose(place, now, "segmentation fault")
            else:
                for start in running:
                    scheduler.finished(start.attempt, now, PROVED)
    outcomes.update({d.index: d for d in deliveries(scheduler.effects())})
    assert len(outcomes) == 9
    assert [i for i, d in outcomes.items() if d.outcome.failure] == [4]
    assert outcomes[4].outcome.failure is Failure.LOST and "segmentation fault" in outcomes[4].outcome.error


def test_a_device_that_failed_is_replaced_and_its_other_tasks_are_not_charged() -> None:
    scheduler = one_place(Policy(max_attempts=1), slots=3)
    for index in range(3):
        scheduler.submit("j", index, f"x{index}", 0.0)
    first = starts(scheduler.effects())
    scheduler.finished(first[0].attempt, 1.0, Outcome(Failure.MACHINE, error="device lost"))
    effects = scheduler.effects()
    assert of_type(effects, Kill) == [Kill("a", "device lost")]
    assert [d.index for d in deliveries(effects)] == [0]
    scheduler.join("b", 2.0, kind="cpu", memory_bytes=GIB, slots=3)
    assert {s.index for s in starts(scheduler.effects())} == {1, 2}


def test_back_pressure_bounds_tasks_that_wait_and_results_that_nobody_read() -> None:
    scheduler = Scheduler()
    scheduler.join("a", 0.0, kind="cpu", memory_bytes=GIB, slots=2)
    scheduler.open_job("j", bound=5)
    accepted = sum(scheduler.submit("j", i, f"x{i}", 0.0) for i in range(10))
    assert accepted == 5 and scheduler.room("j") == 0
    while running := starts(scheduler.effects()):
        for start in running:
            scheduler.finished(start.attempt, 1.0, PROVED)
    assert scheduler.room("j") == 0  # all are proved, none is read
    scheduler.read("j", 3)
    assert scheduler.room("j") == 3


def test_fair_shares_follow_the_weights_and_ten_thousand_tiny_tasks_starve_nobody() -> None:
    scheduler = Scheduler()
    scheduler.join("a", 0.0, kind="cpu", memory_bytes=GIB, slots=1)
    scheduler.open_job("tiny", weight=1.0)
    scheduler.open_job("heavy", weight=3.0)
    for index in range(10_000):
        scheduler.submit("tiny", index, f"t{index}", 0.0)
    for index in range(50):
        scheduler.submit("heavy", index, f"h{index}", 0.0)
    now = 0.0
    work = {"tiny": 0.0, "heavy": 0.0}
    while scheduler.job_status("heavy")["waiting"]:
        for start in starts(scheduler.effects()):
            seconds = 0.01 if start.job == "tiny" else 1.0
            now += seconds
            work[start.job] += seconds
            scheduler.finished(start.attempt, now, Outcome(None, "d", seconds=seconds))
    assert 2.5 < work["heavy"] / work["tiny"] < 3.6


def test_a_job_that_was_idle_does_not_collect_its_share() -> None:
    scheduler = Scheduler()
    scheduler.join("a", 0.0, kind="cpu", memory_bytes=GIB, slots=1)
    scheduler.open_job("early")
    scheduler.open_job("late")
    for index in range(100):
        scheduler.submit("early", index, f"e{index}", 0.0)
    order = []
    for step in range(160):
        if step == 60:
            for index in range(100):
                scheduler.submit("late", index, f"l{index}", 60.0)
        for start in starts(scheduler.effects()):
            order.append(start.job)
            scheduler.finished(start.attempt, float(step), PROVED)
    assert 15 <= order[62:102].count("early") <= 25


def test_a_higher_priority_is_served_first() -> None:
    scheduler = Scheduler()
    scheduler.open_job("low")
    scheduler.open_job("high", priority=1)
    for index in range(3):
        scheduler.submit("low", index, f"l{index}", 0.0)
        scheduler.submit("high", index, f"h{index}", 0.0)
    scheduler.join("a", 0.0, kind="cpu", memory_bytes=GIB, slots=1)
    order = []
    for _ in range(6):
        for start in starts(scheduler.effects()):
            order.append(start.job)
            scheduler.finished(start.attempt, 1.0, PROVED)
    assert order == ["high"] * 3 + ["low"] * 3


def test_drain_finishes_what_runs_and_releases_the_places() -> None:
    scheduler = one_place(slots=1)
    scheduler.join("b", 0.0, kind="cpu", memory_bytes=GIB, slots=1)
    scheduler.submit("j", 0, "x", 0.0)
    scheduler.submit("j", 1, "y", 0.0)
    scheduler.submit("j", 2, "z", 0.0)
    running = starts(scheduler.effects())
    scheduler.drain(1.0, "a")
    scheduler.finished(next(s.attempt for s in running if s.place == "a"), 2.0, PROVED)
    assert of_type(scheduler.effects(), Release) == [Release("a")]
    scheduler.drain(3.0)
    assert scheduler.room("j") == 0 and not scheduler.submit("j", 3, "w", 3.0)
    scheduler.finished(next(s.attempt for s in running if s.place == "b"), 4.0, PROVED)
    effects = scheduler.effects()
    assert of_type(effects, Release) == [Release("b")] and starts(effects) == []
    assert scheduler.job_status("j")["waiting"] == 1


def test_an_idle_place_takes_over_what_waits_behind_a_long_task() -> None:
    scheduler = one_place(Policy(estimate_s=10.0), slots=3)
    for index in range(3):
        scheduler.submit("j", index, f"x{index}", 0.0)
    scheduler.effects()
    scheduler.join("b", 1.0, kind="cpu", memory_bytes=GIB, slots=3)
    (withdraw,) = of_type(scheduler.effects(), Withdraw)
    scheduler.finished(withdraw.attempt, 1.1, Outcome(Failure.WITHDRAWN))
    (start,) = starts(scheduler.effects())
    assert start.place == "b" and start.index == 2
    assert scheduler.job_status("j")["retries"] == 0


def test_wrong_calls_say_what_is_wrong() -> None:
    scheduler = one_place()
    with pytest.raises(JobError, match="job nobody not found"):
        scheduler.submit("nobody", 0, "x", 0.0)
    with pytest.raises(JobError, match="is there already"):
        scheduler.open_job("j")
    with pytest.raises(JobError, match="weight is 0"):
        scheduler.open_job("k", weight=0)
    with pytest.raises(JobError, match="bound is 0"):
        scheduler.open_job("k", bound=0)
    with pytest.raises(ValueError, match="a is there already"):
        scheduler.join("a", 0.0, kind="cpu", memory_bytes=1)
    scheduler.submit("j", 0, "x", 0.0)
    with pytest.raises(JobError, match="task 0 of job j is there"):
        scheduler.submit("j", 0, "y", 0.0)
    with pytest.raises(JobError, match="1 tasks that are not finished"):
        scheduler.forget("j")


# Random events


class World:
    """Draws events for a scheduler and checks after each what must always hold."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.policy = Policy(
            max_attempts=self.chance.choice([1, 3, 50]),
            backoff_s=0.5,
            deadline_s=self.chance.choice([5.0, 50.0]),
            fit_patience_s=20.0,
            steal_after_s=self.chance.choice([0.0, 0.5]),
            remembered=self.chance.choice([0, 3, 1000]),
        )
        self.scheduler = Scheduler(self.policy, seed)
        self.now = 0.0
        self.places: dict[str, set[int]] = {}
        self.at: dict[int, tuple[str, str, int, str]] = {}  # attempt → place, job, index, identity
        self.old: list[int] = []
        self.submitted: dict[tuple[str, int], str] = {}
        self.delivered: dict[tuple[str, int], Outcome] = {}
        self.done: list[str] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.num_places = 0
        self.identities = 0
        self.attempts_seen: set[int] = set()

    def absorb(self) -> None:
        while effects := self.scheduler.effects():
            self.carry_out(effects)

    def carry_out(self, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, Start):
                assert effect.attempt not in self.attempts_seen, "an attempt has a number of its own"
                self.attempts_seen.add(effect.attempt)
                assert effect.place in self.places, "nothing starts at a place that is gone"
                identity = self.submitted[(effect.job, effect.index)]
                running = [self.at[a] for attempts in self.places.values() for a in attempts]
                assert identity not in {a[3] for a in running if not self.is_cancelled(a)}, "one unit, one attempt"
                self.at[effect.attempt] = (effect.place, effect.job, effect.index, identity)
                self.places[effect.place].add(effect.attempt)
                slots = self.scheduler.place_status()[effect.place]["slots"]
                assert len(self.places[effect.place]) <= slots
                needs = effect.payload
                place = self.scheduler.place_status()[effect.place]
                assert needs.get(place["kind"], 0) <= place["memory_bytes"], "placed where it does not fit"
            elif isinstance(effect, Deliver):
                key = (effect.job, effect.index)
                assert key in self.submitted and key not in self.delivered, "delivered once"
                self.delivered[key] = effect.outcome
                if effect.outcome.failure is None:
                    assert effect.outcome.digest == "of " + self.submitted[key], "each gets its own proof"
            elif isinstance(effect, JobDone):
                assert effect.job not in self.done
                self.done.append(effect.job)
                assert all(k in self.delivered for k in self.submitted if k[0] == effect.job)
            elif isinstance(effect, (Kill, Release)):
                lost = self.places.pop(effect.place)
                if isinstance(effect, Release):
                    assert not lost
                self.old += lost
            elif isinstance(effect, (Stop, Withdraw)):
                assert effect.attempt in self.places[effect.place]
                if isinstance(effect, Withdraw) and self.chance.random() < 0.7:
                    self.end(effect.attempt, Outcome(Failure.WITHDRAWN))

    def is_cancelled(self, attempt: tuple[str, str, int, str]) -> bool:
        return (attempt[1], attempt[2]) in self.delivered

    def end(self, attempt: int, outcome: Outcome) -> None:
        place = self.at[attempt][0]
        if place in self.places:
            self.places[place].discard(attempt)
        self.old.append(attempt)
        self.scheduler.finished(attempt, self.now, outcome)

    def outcome_for(self, attempt: int) -> Outcome:
        place, _, _, identity = self.at[attempt]
        draw = self.chance.random()
        if draw < 0.75:
            return Outcome(None, "of " + identity, seconds=self.chance.random())
        failure = self.chance.choice([Failure.BAD, Failure.MEMORY, Failure.MACHINE, Failure.FILE, Failure.STORE, Failure.TOO_LARGE])
        return Outcome(failure, error="drawn", needs_bytes=self.chance.choice([0, 3 * GIB]), seconds=0.1)

    def step(self) -> None:
        self.now += self.chance.random() * self.chance.choice([0.1, 1.0, 10.0])
        event = self.chance.choice(
            ["job", "submit", "submit", "submit", "end", "end", "end", "end", "join", "lose", "cancel", "read", "late", "time", "drain"]
        )
        open_jobs = [j for j, s in self.jobs.items() if not s["closed"]]
        if event == "job" and len(open_jobs) < 4:
            name = f"j{len(self.jobs)}"
            self.jobs[name] = {"closed": False, "next": 0}
            self.scheduler.open_job(
                name, priority=self.chance.randrange(2), weight=self.chance.choice([1, 2]), bound=self.chance.choice([None, 6])
            )
        elif event == "submit" and open_jobs:
            job = self.chance.choice(open_jobs)
            for _ in range(self.chance.randrange(8)):
                index = self.jobs[job]["next"]
                if self.chance.random() < 0.2 and self.identities:
                    identity = f"u{self.chance.randrange(self.identities)}"
                else:
                    identity = f"u{self.identities}"
                    self.identities += 1
                needs = {} if self.chance.random() < 0.5 else {"cpu": [1, 2, 9][hash_of(identity) % 3] * GIB}
                self.submitted[(job, index)] = identity
                room = self.scheduler.room(job)
                if self.scheduler.submit(job, index, identity, self.now, payload=needs, needs=needs):
                    assert room > 0
                    self.jobs[job]["next"] += 1
                else:
                    assert room == 0
                    del self.submitted[(job, index)]
            if self.chance.random() < 0.2:
                self.jobs[job]["closed"] = True
                self.scheduler.seal(job, self.now)
        elif event == "end":
            running = sorted(a for attempts in self.places.values() for a in attempts)
            if running:
                attempt = self.chance.choice(running)
                self.end(attempt, self.outcome_for(attempt))
        elif event == "join" and len(self.places) < 5:
            self.join()
        elif event == "lose" and self.places and self.chance.random() < 0.5:
            place = self.chance.choice(sorted(self.places))
            self.old += self.places.pop(place)
            self.scheduler.lose(place, self.now, "drawn")
        elif event == "cancel" and self.jobs and self.chance.random() < 0.3:
            job = self.chance.choice(sorted(self.jobs))
            if self.chance.random() < 0.5:
                self.jobs[job]["closed"] = True
                self.scheduler.cancel(job, self.now)
            else:
                self.scheduler.cancel(job, self.now, [self.chance.randrange(10)])
        elif event == "read" and self.jobs:
            self.scheduler.read(self.chance.choice(sorted(self.jobs)), 3)
        elif event == "late" and self.old:
            attempt = self.chance.choice(self.old)
            self.scheduler.finished(attempt, self.now, self.outcome_for(attempt))
        elif event == "drain" and len(self.places) > 1 and self.chance.random() < 0.3:
            self.scheduler.drain(self.now, self.chance.choice(sorted(self.places)))
        self.absorb()
        self.scheduler.advance(self.now)
        self.absorb()
        self.check()

    def join(self) -> None:
        self.num_places += 1
        name = f"p{self.num_places}"
        self.places[name] = set()
        self.scheduler.join(
            name,
            self.now,
            kind=self.chance.choice(["cpu", "cpu", "cuda"]),
            memory_bytes=self.chance.choice([1, 2, 4]) * GIB,
            slots=self.chance.randrange(1, 4),
        )

    def check(self) -> None:
        totals = self.scheduler.totals()
        assert totals["waiting"] == sum(1 for u in self.scheduler._units.values() if u.state == 0)
        assert totals["running"] == sum(len(a) for a in self.places.values())
        for name, status in self.scheduler.place_status().items():
            assert status["attempts"] == len(self.places[name])
        # work conserving: nothing waits that fits while a place of its class is idle
        for unit in self.scheduler._units.values():
            if unit.state == 0 and unit.line is not None:
                for site in unit.line[0]:
                    assert not self.scheduler._by_load[site][0], f"{unit.identity} waits although a place is idle"

    def finish(self) -> None:
        """Close all jobs, let everything succeed, and expect every task to be delivered."""
        for job, state in self.jobs.items():
            if not state["closed"]:
                self.scheduler.seal(job, self.now)
        for _ in range(20_000):
            self.absorb()
            if len(self.delivered) == len(self.submitted):
                break
            if len(self.places) < 2:
                self.join()
            for attempt in sorted(a for attempts in self.places.values() for a in attempts):
                if self.at[attempt][0] in self.places:
                    self.end(attempt, Outcome(None, "of " + self.at[attempt][3], seconds=0.1))
                    self.absorb()
            self.now += 1.0
            self.scheduler.advance(self.now)
        assert self.delivered.keys() == self.submitted.keys(), "nothing is lost"
        self.absorb()
        assert sorted(self.done) == sorted(self.jobs)
        totals = self.scheduler.totals()
        assert totals["waiting"] == 0 and not self.scheduler._units and not self.scheduler._abandoned
        for job in self.jobs:
            counts = self.scheduler.job_status(job)
            assert counts["submitted"] == counts["proved"] + counts["failed"] + counts["cancelled"]
            self.scheduler.forget(job)


def hash_of(text: str) -> int:
    return sum(text.encode())


@pytest.mark.parametrize("block", range(8))
def test_random_events_lose_nothing_and_deliver_nothing_twice(block: int) -> None:
    each = 400 if os.environ.get("WHORL_LONG_TESTS") else 25
    for seed in range(block * each, (block + 1) * each):
        world = World(seed)
        try:
            for _ in range(300):
                world.step()
            world.finish()
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def test_the_same_events_give_the_same_decisions() -> None:
    def run() -> list[str]:
        world = World(7)
        log: list[str] = []
        absorb = world.scheduler.effects

        def record() -> list[Any]:
            effects = absorb()
            log.extend(map(repr, effects))
            return effects

        world.scheduler.effects = record  # type: ignore[method-assign]
        for _ in range(300):
            world.step()
        return log

    assert run() == run()


def test_the_cost_of_an_event_does_not_grow_with_the_number_of_tasks() -> None:
    """Counted in Python calls, not in seconds: 8 times the tasks take about 8 times the calls."""
    import sys

    def calls(num_tasks: int) -> int:
        scheduler = Scheduler()
        for place in range(20):
            scheduler.join(f"p{place}", 0.0, kind="cpu", memory_bytes=(1 + place % 2) * GIB, slots=3)
        for job in range(5):
            scheduler.open_job(f"j{job}")
        count = 0

        def profile(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(profile)
        try:
            for index in range(num_tasks):
                scheduler.submit(f"j{index % 5}", index, f"x{index}", 0.0)
            while running := starts(scheduler.effects()):
                for start in running:
                    scheduler.finished(start.attempt, 1.0, PROVED)
        finally:
            sys.setprofile(None)
        return count

    assert calls(8_000) < 8 * calls(1_000) * 1.3


def test_the_simulation_runs_with_workers_that_die() -> None:
    import json
    import pathlib
    import subprocess
    import sys

    program = pathlib.Path(__file__).resolve().parents[3] / "bench" / "cluster" / "simulate.py"
    if not program.exists():
        pytest.skip("bench/cluster is not here")
    command = [sys.executable, str(program), "--tasks", "10000", "--workers", "50", "--faults", "0.002"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["tasks"] == 10_000 and result["deaths"] > 0
