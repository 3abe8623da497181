"""The bytes of the test vectors, and the keys of their AIRs written in Python."""

from __future__ import annotations

import pickle

import pytest
import vector_airs as airs
import whorl
from conftest import NAMES, VECTORS


# keccak_5_perms takes minutes on the simulated GPU; tests/prove has a long test of it.
@pytest.mark.parametrize(
    ("name", "device"), [(name, device) for name in NAMES for device in ("cpu", "sim") if (name, device) != ("keccak_5_perms", "sim")]
)
def test_proof_has_the_bytes_of_the_vector(name: str, device: str) -> None:
    task = whorl.load_task(VECTORS / name)
    proof = whorl.prove(task, device=device)
    expected = (VECTORS / name / "proof.bin").read_bytes()
    assert bytes(proof) == expected
    whorl.verify(task.vk, proof)
    whorl.verify(task.vk, expected, threads=2)
    assert sum(size for _, size in proof.sections) == len(expected) <= whorl.max_proof_bytes(task.vk)


@pytest.mark.parametrize("name", NAMES)
def test_task_survives_pickling_and_saving(name: str, tmp_path) -> None:
    task = whorl.load_task(VECTORS / name)
    whorl.save_task(task, tmp_path / "copy")
    for copy in (pickle.loads(pickle.dumps(task)), whorl.load_task(tmp_path / "copy")):
        assert copy.digest == task.digest
        assert copy.vk == task.vk
        assert copy.name == task.name
        assert copy.air_names == task.air_names
    assert whorl.check(task)


AIRS = {
    "cached": [airs.DummyInteractionAir(True, True), airs.DummyInteractionAir(False, True)],
    "fib_2e5": [airs.FibonacciAir()],
    "fib_height_1": [airs.FibonacciAir()],
    "fib_three_airs_one_absent": [airs.FibonacciAir()] * 3,
    "interactions": [airs.DummyInteractionAir(True, False), airs.DummyInteractionAir(False, False)],
    "keccak_5_perms": [airs.KeccakAir()],
    "mixture": airs.mixture(4),
    "mixture_app_100_bits": airs.mixture(7),
    "mixture_l_skip_5": airs.mixture(5),
    "preprocessed": [airs.FibonacciSelectorAir(airs.bits(0x0712DD0F))],
    "preprocessed_and_cached": [airs.PreprocessedCachedAir(airs.bits(0x9E34B444), 2)],
    "self_interactions": [airs.SelfInteractionAir(width, 5) for width in (4, 7, 8, 8, 10)],
}


@pytest.mark.parametrize("name", NAMES)
def test_airs_in_python_have_the_key_of_the_vector(name: str) -> None:
    task = whorl.load_task(VECTORS / name)
    key = whorl.keygen(task.vk.params, AIRS[name])
    assert bytes(key.vk) == (VECTORS / name / "vk.postcard").read_bytes()
    assert key.digest == task.vk.digest
    copy = pickle.loads(pickle.dumps(key))
    assert bytes(copy.vk) == bytes(key.vk)
    assert copy.notes == key.notes
    # A proving key has the preprocessed columns, so traces need not bring them.
    traces = [whorl.Trace(t.air, t.main, t.cached, None, t.public_values) for t in task.traces]
    if name != "keccak_5_perms":
        assert bytes(whorl.prove(copy, traces)) == (VECTORS / name / "proof.bin").read_bytes()
    assert whorl.check(copy, traces)
    assert whorl.Task(copy, traces).digest == task.digest


def test_presets_are_those_of_the_vectors() -> None:
    def params(name: str) -> whorl.Params:
        return whorl.load_task(VECTORS / name).vk.params

    assert params("fib_2e5") == whorl.Params.test(2, 8, 3)
    assert params("mixture_l_skip_5") == whorl.Params.test(5, 5, 4)
    assert params("mixture_app_100_bits") == whorl.Params.app(17)
    changed = whorl.Params.app(17)
    changed.whir.num_queries = [1, *changed.whir.num_queries[1:]]
    assert changed != whorl.Params.app(17)
    assert pickle.loads(pickle.dumps(changed)) == changed
