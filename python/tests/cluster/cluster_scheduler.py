"""The scheduler without the package around it, so that its tests run where neither the module nor Ray is installed."""

import importlib
import pathlib
import sys

_PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "whorl"
sys.path.insert(0, str(_PACKAGE))
try:
    _events = importlib.import_module("cluster.events")
    _scheduler = importlib.import_module("cluster.scheduler")
finally:
    sys.path.remove(str(_PACKAGE))

Scheduler = _scheduler.Scheduler
Deliver, Failure, JobDone, JobError, Kill = _events.Deliver, _events.Failure, _events.JobDone, _events.JobError, _events.Kill
Outcome, Policy, Release, Start, Stop, Withdraw = (
    _events.Outcome,
    _events.Policy,
    _events.Release,
    _events.Start,
    _events.Stop,
    _events.Withdraw,
)
