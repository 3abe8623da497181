"""Proofs by the thousand, on Ray Core. Import of this package imports neither Ray nor the C++ module: its names are loaded when used."""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "Call": "tasks",
    "Cluster": "pool",
    "Handle": "pool",
    "Failure": "events",
    "JobError": "events",
    "JobFailedError": "pool",
    "Outcome": "events",
    "Places": "places",
    "Policy": "events",
    "Pool": "pool",
    "Result": "pool",
    "Scheduler": "scheduler",
    "Store": "store",
    "StoreError": "store",
    "open_store": "store",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
