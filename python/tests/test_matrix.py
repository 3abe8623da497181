"""Columns from arrays, and back."""

from __future__ import annotations

import gc
import pickle

import numpy as np
import pytest
import whorl

P = whorl.MODULUS
R = 2**32 % P


def words_of(values: np.ndarray) -> np.ndarray:
    """Montgomery words, column-major."""
    return np.asfortranarray((values.astype(object) * R % P).astype(np.uint32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64, bool, object])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_every_type_come_back(dtype: type, order: str) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2 if dtype is bool else 100, size=(128, 7)).astype(dtype, order=order)
    matrix = whorl.matrix(values)
    assert matrix.shape == (128, 7)
    out = np.asarray(matrix)
    assert out.dtype == np.uint32
    assert out.flags.f_contiguous
    assert (out == values.astype(np.int64)).all()
    assert (np.asarray(whorl.matrix(values[::2, ::3])) == values[::2, ::3].astype(np.int64)).all()


def test_words_are_montgomery_words() -> None:
    values = np.random.default_rng(2).integers(0, P, size=(64, 5), dtype=np.uint32)
    matrix = whorl.matrix(values)
    assert (matrix.words == words_of(values)).all()
    assert not matrix.words.flags.writeable
    with pytest.raises(ValueError, match="copy"):
        np.array(matrix, copy=False)
    assert np.asarray(matrix, dtype=np.int64).dtype == np.int64


def test_words_are_taken_in_place() -> None:
    values = np.arange(40, dtype=np.uint32).reshape(8, 5)
    words = words_of(values)
    matrix = whorl.Matrix.from_words(words)
    assert matrix.words.ctypes.data == words.ctypes.data
    assert (matrix.values == values).all()
    view = matrix.words
    del words, matrix
    gc.collect()
    assert (view == words_of(values)).all()


def test_arrays_of_other_libraries_are_taken_by_dlpack() -> None:
    class Foreign:
        """Has nothing but DLPack."""

        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def __dlpack__(self, **options: object) -> object:
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.array.__dlpack_device__()

    words = words_of(np.arange(12).reshape(4, 3)).view(np.int32)
    matrix = whorl.Matrix.from_words(Foreign(words))
    assert matrix.words.ctypes.data == words.ctypes.data


def test_read_only_arrays() -> None:
    words = words_of(np.arange(12).reshape(4, 3))
    words.flags.writeable = False
    assert (whorl.Matrix.from_words(words).values == np.arange(12).reshape(4, 3)).all()
    values = np.arange(12).reshape(4, 3).astype(np.uint32)
    values.flags.writeable = False
    assert (whorl.matrix(values).values == values).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, 3], r"2 dimensions \(height, width\), found 1; reshape"),
        (np.zeros((2, 2, 2), int), "found 3"),
        ([[0.5]], "whole numbers, found dtype float64"),
        ([["a"]], "whole numbers, found dtype"),
        ([[0, P]], f"row 0, column 1: expected a number .*found {P}"),
        (np.array([[0], [P]], np.uint32), f"row 1, column 0: expected a number below p = {P}, found {P}"),
        ([[0, -P]], f"column 1.*found -{P}"),
        ([[1 << 200]], "row 0, column 0"),
        ([[None]], "expected a whole number, found None"),
        (np.array([[True, 1 << 70]], object), "expected a whole number, found True"),
    ],
)
def test_bad_numbers(values: object, message: str) -> None:
    with pytest.raises(whorl.InvalidArgumentError, match=message):
        whorl.matrix(values)


def test_negative_numbers_count_mod_p() -> None:
    assert whorl.matrix([[-1, 1 - P], [P - 1, 0]]).values.tolist() == [[P - 1, 1], [P - 1, 0]]
    assert whorl.field_array([[-1, P], [1 << 40, 2]]).tolist() == [[P - 1, 0], [(1 << 40) % P, 2]]


def test_bad_words() -> None:
    with pytest.raises(whorl.InvalidArgumentError, match="column-major"):
        whorl.Matrix.from_words(np.zeros((4, 3), np.uint32))
    with pytest.raises(whorl.InvalidArgumentError, match="dtype"):
        whorl.Matrix.from_words(np.zeros((4, 3), np.uint64, order="F"))
    with pytest.raises(TypeError):
        whorl.Matrix.from_words(np.zeros(4, np.uint32))


def test_numbers_that_are_not_whole_are_not_rounded() -> None:
    for values in (np.full((1, 1), 1.9), np.array([[(1 << 32) + 5]])):
        with pytest.raises(TypeError):
            whorl.Matrix.from_canonical(values)
    for values in ([1.5], [[None]], "7"):
        with pytest.raises(whorl.InvalidArgumentError, match="whole numbers"):
            whorl.field_array(values)
    assert whorl.field_array(10**50).tolist() == 10**50 % P


def test_empty_and_pickled() -> None:
    assert whorl.matrix(np.zeros((0, 0))).shape == (0, 0)
    matrix = whorl.matrix([[1, 2], [3, 4]])
    copy = pickle.loads(pickle.dumps(matrix))
    assert (copy.values == matrix.values).all()
    assert whorl.matrix(matrix) is matrix
    assert "2 rows and 2 columns" in repr(matrix)
