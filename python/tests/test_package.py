"""What the package promises as a package."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import whorl

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_the_library_s() -> None:
    header = (ROOT / "include/whorl/version.hpp").read_text()
    assert f'#define WHORL_VERSION "{whorl.__version__}"' in header


def test_public_names_are_documented() -> None:
    missing = [
        name
        for name in whorl.__all__
        if (inspect.isclass(thing := getattr(whorl, name)) or callable(thing)) and not (thing.__doc__ or "").strip()
    ]
    assert missing == []


def test_parameters_stand_in_the_docstrings() -> None:
    for call in (whorl.keygen, whorl.verify, whorl.check, whorl.matrix, whorl.Prover, whorl.Prover.prove, whorl.Trace, whorl.Task):
        documented = inspect.getdoc(call) or ""
        for name in inspect.signature(call).parameters:
            if name not in ("self", "telemetry", "transcript"):
                assert re.search(rf"\b{name}\b", documented), f"{call.__qualname__}: {name}"


def test_nothing_leaks() -> None:
    """nanobind reports at the end of the process what Python has not let go of."""
    script = f"""
import whorl
task = whorl.load_task({str(ROOT / "tests/vectors/preprocessed_and_cached")!r})
proof = whorl.prove(task, progress=lambda fraction, stage: None, stop=whorl.Stop(), telemetry=whorl.Telemetry())
class Air(whorl.Air):
    width = 1
    preprocessed = [[0], [1]]
    def eval(self, b):
        b.assert_bool(b.preprocessed().local[0] + 0 * b.main().local[0])
key = whorl.keygen(whorl.Params.test(), [Air()])
assert whorl.check(key, [whorl.Trace(0, [[0], [0]])])
try:
    whorl.verify(task.vk, bytes(proof)[:-4] + b"abcd")
except whorl.Error:
    pass
"""
    environment = {**os.environ, "WHORL_PYTHON_LEAKS": "1"}
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert result.stderr == ""


def test_types(tmp_path: Path) -> None:
    """mypy knows the package: its annotations hold, with the stub of the extension module."""
    pytest.importorskip("mypy")
    package = tmp_path / "whorl"
    shutil.copytree(ROOT / "python/whorl", package, ignore=shutil.ignore_patterns("cluster", "__pycache__"))
    stub = Path(whorl._core.__file__).parent / "_core.pyi"
    shutil.copy(stub, package)
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "-p", "whorl"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_style() -> None:
    """Names, imports and format, as pyproject.toml says."""
    pytest.importorskip("ruff")
    for command in (["check"], ["format", "--check"]):
        result = subprocess.run([sys.executable, "-m", "ruff", *command, "--no-cache", "."], capture_output=True, text=True, cwd=ROOT)
        assert result.returncode == 0, result.stdout + result.stderr
