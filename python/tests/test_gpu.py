"""On an NVIDIA GPU: the bytes of the vectors, and columns that are there already, taken in place. Skipped where there is none."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import pytest
import whorl
from conftest import NAMES, VECTORS

DEVICES = [device.id for device in whorl.devices() if device.id.startswith("cuda") and not device.problem]
if not DEVICES:
    problems = [f"{device.id}: {device.problem}" for device in whorl.devices() if device.problem]
    pytest.skip(f"no usable NVIDIA GPU ({'; '.join(problems)})", allow_module_level=True)


class _Tensor(ctypes.Structure):
    """DLManagedTensor of DLPack, with its DLTensor."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
        ("manager", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    ]


class Driver:
    """As much of the CUDA driver as a test needs: memory in the context that the CUDA runtime uses too."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libcuda.so.1")
        self.call("cuInit", 0)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name: str, *arguments: object) -> None:
        result = getattr(self.library, name)(*arguments)
        assert result == 0, f"{name}: CUDA error {result}"


class OnDevice:
    """Column-major words of a matrix in the GPU's memory, with nothing but DLPack."""

    def __init__(self, driver: Driver, words: np.ndarray) -> None:
        self.driver = driver
        self.pointer = ctypes.c_uint64()
        flat = np.asfortranarray(words).ravel(order="K")
        driver.call("cuMemAlloc_v2", ctypes.byref(self.pointer), ctypes.c_size_t(flat.nbytes))
        driver.call("cuMemcpyHtoD_v2", self.pointer, flat.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(flat.nbytes))
        height, width = words.shape
        self.shape = (ctypes.c_int64 * 2)(height, width)
        self.strides = (ctypes.c_int64 * 2)(1, height)
        self.tensor = _Tensor(self.pointer.value, 2, 0, 2, 1, 32, 1, self.shape, self.strides, 0, None, None)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, **options: object) -> object:
        make = ctypes.pythonapi.PyCapsule_New
        make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return make(ctypes.addressof(self.tensor), b"dltensor", None)

    def free(self) -> None:
        self.driver.call("cuMemFree_v2", self.pointer)


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    yield Driver()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("device", DEVICES)
def test_proof_has_the_bytes_of_the_vector(name: str, device: str) -> None:
    task = whorl.load_task(VECTORS / name)
    assert bytes(whorl.prove(task, device=device, verify=True)) == (VECTORS / name / "proof.bin").read_bytes()


@pytest.mark.parametrize("name", ["fib_2e5", "interactions", "cached", "mixture", "keccak_5_perms"])
def test_columns_on_the_device_are_taken_in_place(name: str, driver: Driver) -> None:
    task = whorl.load_task(VECTORS / name)
    kept: list[OnDevice] = []

    def to_device(matrix: whorl.Matrix | None) -> whorl.Matrix | None:
        if matrix is None:
            return None
        kept.append(OnDevice(driver, matrix.words))
        out = whorl.Matrix.from_words(kept[-1])
        assert out.is_on_device
        assert out.shape == matrix.shape
        with pytest.raises(whorl.InvalidArgumentError, match="in a device's memory"):
            _ = out.words
        return out

    traces = [
        whorl.Trace(t.air, to_device(t.main), [to_device(part) for part in t.cached], t.preprocessed, t.public_values) for t in task.traces
    ]
    prover = whorl.Prover(task.vk, device="cuda")
    for _ in range(2):
        assert bytes(prover.prove(traces)) == (VECTORS / name / "proof.bin").read_bytes()
    with pytest.raises(whorl.InvalidArgumentError):
        whorl.prove(task.vk, traces, device="cpu")
    del traces
    for memory in kept:
        memory.free()


def test_plan_and_limit() -> None:
    task = whorl.load_task(VECTORS / "mixture")
    plan = whorl.plan(task, device="cuda")
    assert plan.device_bytes > 0
    with pytest.raises(whorl.MachineError, match="memory"):
        whorl.prove(task, device="cuda", memory_limit=plan.device_bytes // 2)
