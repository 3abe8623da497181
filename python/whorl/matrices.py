"""Columns of field elements, from arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._core import MODULUS, Matrix
from .errors import InvalidArgumentError

MatrixLike = Matrix | npt.ArrayLike
"""A Matrix, or whole numbers in the shape (height, width)."""


def matrix(values: MatrixLike) -> Matrix:
    """A matrix with these elements.

    Parameters
    ----------
    values : array of whole numbers, shape (height, width), or Matrix
        Rows of a trace. Numbers from -(p - 1) to p - 1; negative ones count mod p. A Matrix is returned as it is.

    Returns
    -------
    Matrix
        A copy, column-major. `Matrix.from_words` takes an array in place.

    Raises
    ------
    InvalidArgumentError
        For another number of dimensions, for numbers that are not whole, and for a number outside that range, with its place.
    """
    if isinstance(values, Matrix):
        return values
    array = np.asarray(values)
    if array.ndim != 2:
        hint = "; reshape(-1, 1) makes one column of it" if array.ndim == 1 else ""
        raise InvalidArgumentError(f"expected an array of 2 dimensions (height, width), found {array.ndim}{hint}", "matrix")
    if array.size == 0:
        array = array.astype(np.uint32)
    if array.dtype == object:
        array = _from_objects(array)
    if array.dtype.kind not in "iub":
        raise InvalidArgumentError(f"expected whole numbers, found dtype {array.dtype}", "matrix")
    if array.dtype != np.uint32:
        array = _canonical(array)
    return Matrix.from_canonical(array)


def _from_objects(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Python's whole numbers as int64; larger ones are outside the range in any case."""
    for (row, column), value in np.ndenumerate(array):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise InvalidArgumentError(f"row {row}, column {column}: expected a whole number, found {value!r}", "matrix")
        if not -MODULUS < value < MODULUS:
            raise _out_of_range(row, column, value)
    return array.astype(np.int64)


def _out_of_range(row: int, column: int, value: int) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"row {row}, column {column}: expected a number from -(p - 1) to p - 1, p = {MODULUS}, found {value}; take it mod p first", "matrix"
    )


def _canonical(array: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Numbers of another dtype as uint32 below p."""
    if array.dtype.itemsize > 2:
        is_outside = array >= MODULUS if array.dtype.itemsize > 4 or array.dtype.kind == "i" else np.zeros(0, bool)
        if array.dtype.kind == "i":
            is_outside = is_outside | (array <= -MODULUS)
        if is_outside.any():
            row, column = (int(i) for i in np.argwhere(is_outside)[0])
            raise _out_of_range(row, column, int(array[row, column]))
    if array.dtype.kind == "i":
        wide = array.astype(np.int64)
        array = np.where(wide < 0, wide + MODULUS, wide)
    return array.astype(np.uint32)


def field_array(values: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Whole numbers of any size, of any shape, mod p, as uint32."""
    array = np.asarray(values)
    if array.dtype.kind not in "iubO" or (array.dtype == object and not all(hasattr(value, "__index__") for value in array.flat)):
        raise InvalidArgumentError(f"expected whole numbers, found dtype {array.dtype}", "matrix")
    reduced: npt.NDArray[np.uint32] = np.asarray(array % MODULUS).astype(np.uint32)
    return reduced
