"""What tests share: the test vectors."""

from __future__ import annotations

from pathlib import Path

import pytest
import whorl

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
# Those with stored traces.
NAMES = sorted(p.parent.name for p in VECTORS.glob("*/task.json") if (p.parent / "proof.bin").exists() and p.parent.name != "keccakf_1024")


@pytest.fixture
def fib() -> whorl.Task:
    return whorl.load_task(VECTORS / "fib_2e5")


@pytest.fixture
def interactions() -> whorl.Task:
    return whorl.load_task(VECTORS / "interactions")
