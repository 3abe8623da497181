"""Writing AIRs in Python, with the builder that C++ AIRs have (whorl/air.hpp, PROTOCOL.md section 6).

An AIR is a class with ``width`` and ``eval``::

    class Fibonacci(whorl.Air):
        column_names = ("left", "right")
        width = 2
        num_public_values = 3

        def eval(self, b):
            local, next = b.main()
            first_left, first_right, last = b.public_values()
            b.when_first_row().assert_eq(local.left, first_left)
            b.when_first_row().assert_eq(local.right, first_right)
            b.when_transition().assert_eq(next.left, local.right)
            b.when_transition().assert_eq(next.right, local.left + local.right, "each is the sum of the two before")
            b.when_last_row().assert_eq(local.right, last)

The same AIR in C++ and in Python has the same key, byte for byte.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, SupportsIndex, overload, runtime_checkable

from . import _core
from ._core import Expr
from .errors import InvalidArgumentError
from .matrices import MatrixLike, matrix

ExprLike = Expr | SupportsIndex
"""An expression, or a whole number, which counts mod p."""

_FOLDER = __file__.rpartition("air.py")[0]


class Row:
    """The columns of one part of a trace on one row, by number, by slice, or by name where the AIR names its columns."""

    __slots__ = ("_cells", "_names", "_part")

    def __init__(self, cells: Sequence[Expr], part: str, names: Sequence[str] = ()) -> None:
        self._cells = tuple(cells)
        self._part = part
        self._names = {name: i for i, name in enumerate(names)}

    @overload
    def __getitem__(self, index: SupportsIndex) -> Expr: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Expr, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Expr | tuple[Expr, ...]:
        if isinstance(index, slice):
            return self._cells[index]
        if not hasattr(index, "__index__"):
            raise TypeError(f"expected the number of a column, found {index!r}; columns have names as attributes: local.name")
        number = index.__index__()
        if not -len(self._cells) <= number < len(self._cells):
            raise IndexError(f"{self._part} has {len(self._cells)} columns; column {number} does not exist")
        return self._cells[number]

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._cells[self._names[name]]
        except KeyError:
            known = ", ".join(self._names) or "none; the AIR has no column_names"
            raise AttributeError(f"{self._part} has no column {name!r} (names: {known})") from None

    def __len__(self) -> int:
        return len(self._cells)

    def __iter__(self) -> Iterator[Expr]:
        return iter(self._cells)

    def __reversed__(self) -> Iterator[Expr]:
        return reversed(self._cells)

    def __repr__(self) -> str:
        return f"<whorl.Row, {len(self._cells)} columns of {self._part}>"


class Window(NamedTuple):
    """The current and the next row of one part; the row after the last is the first."""

    local: Row
    next: Row


def _caller() -> tuple[str, int]:
    """File and line of the innermost frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_FOLDER):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


class _Assertions:
    """The assertions that every builder has, in terms of `assert_zero`. A label appears in messages."""

    def _assert_zero(self, x: ExprLike, label: str) -> None:
        raise NotImplementedError

    def _when(self, condition: ExprLike) -> ConditionalBuilder:
        raise NotImplementedError

    def is_first_row(self) -> Expr:
        """1 on the first row, 0 on all others."""
        raise NotImplementedError

    def is_last_row(self) -> Expr:
        """1 on the last row, 0 on all others."""
        raise NotImplementedError

    def is_transition(self) -> Expr:
        """0 on the last row, not 0 on all others."""
        raise NotImplementedError

    def assert_zero(self, x: ExprLike, label: str = "") -> None:
        """``x`` is 0 on every row."""
        self._assert_zero(x, label)

    def assert_eq(self, x: ExprLike, y: ExprLike, label: str = "") -> None:
        """``x`` equals ``y`` on every row."""
        self._assert_zero(_expr(x) - y, label)

    def assert_one(self, x: ExprLike, label: str = "") -> None:
        """``x`` is 1 on every row."""
        self._assert_zero(_expr(x) - 1, label)

    def assert_bool(self, x: ExprLike, label: str = "") -> None:
        """``x`` is 0 or 1 on every row."""
        x = _expr(x)
        self._assert_zero(x * (x - 1), label)

    def when(self, condition: ExprLike) -> ConditionalBuilder:
        """A builder whose assertions hold where ``condition`` is not 0: each x becomes condition * x."""
        return self._when(condition)

    def when_ne(self, x: ExprLike, y: ExprLike) -> ConditionalBuilder:
        """A builder whose assertions hold where ``x`` and ``y`` differ."""
        return self._when(_expr(x) - y)

    def when_first_row(self) -> ConditionalBuilder:
        """A builder whose assertions hold on the first row."""
        return self._when(self.is_first_row())

    def when_last_row(self) -> ConditionalBuilder:
        """A builder whose assertions hold on the last row."""
        return self._when(self.is_last_row())

    def when_transition(self) -> ConditionalBuilder:
        """A builder whose assertions hold on all rows but the last."""
        return self._when(self.is_transition())


class Builder(_Assertions):
    """What `Air.eval` states constraints and interactions with. It lives until that returns."""

    def __init__(self, core: _core.SymbolicBuilder, column_names: Sequence[str]) -> None:
        self._core: _core.SymbolicBuilder | None = core
        self._column_names = column_names

    def _open(self) -> _core.SymbolicBuilder:
        if self._core is None:
            raise RuntimeError("the builder of an AIR is used after its eval() has returned")
        return self._core

    @staticmethod
    def _window(rows: tuple[Sequence[Expr], Sequence[Expr]], part: str, names: Sequence[str] = ()) -> Window:
        local, following = rows
        return Window(Row(local, part, names), Row(following, part, names))

    def main(self) -> Window:
        """The common main columns."""
        return self._window(self._open().main(), "the common main", self._column_names)

    def num_cached_mains(self) -> int:
        """How many cached parts the AIR has."""
        return self._open().num_cached_mains

    def cached_main(self, part: int) -> Window:
        """The columns of a cached part, from 0."""
        count = self.num_cached_mains()
        if not 0 <= part < count:
            raise IndexError(f"the AIR has {count} cached parts; cached part {part} does not exist")
        return self._window(self._open().cached_main(part), f"cached part {part}")

    def preprocessed(self) -> Window:
        """The preprocessed columns."""
        return self._window(self._open().preprocessed(), "the preprocessed part")

    def public_values(self) -> Row:
        """The public values."""
        return Row(self._open().public_values(), "the list of public values")

    def is_first_row(self) -> Expr:
        return self._open().is_first_row()

    def is_last_row(self) -> Expr:
        return self._open().is_last_row()

    def is_transition(self) -> Expr:
        return self._open().is_transition()

    def _assert_zero(self, x: ExprLike, label: str) -> None:
        self._open().assert_zero(x, label, *_caller())

    def _when(self, condition: ExprLike) -> ConditionalBuilder:
        return ConditionalBuilder(self, (_expr(condition),))

    def push_interaction(
        self,
        bus_index: int,
        message: Iterable[ExprLike],
        count: ExprLike,
        count_weight: int = 0,
        label: str = "",
        *,
        bus_name: str = "",
    ) -> None:
        """Adds ``count`` copies of a message to a bus (a negative count removes).

        Over all AIRs and rows the counts of each message on each bus must add up to 0. ``count_weight`` bounds trace heights
        (PROTOCOL.md 6.3, 6.6).
        """
        if not 0 <= bus_index < 1 << 16:
            raise InvalidArgumentError(f"expected a bus from 0 to {(1 << 16) - 1}, found {bus_index}", "keygen")
        self._open().push_interaction(bus_index, list(message), count, count_weight, bus_name, label, *_caller())


class ConditionalBuilder(_Assertions):
    """What ``when(...)`` returns: the assertions of a builder under one or more conditions."""

    def __init__(self, builder: Builder, conditions: tuple[Expr, ...]) -> None:
        self._builder = builder
        self._conditions = conditions

    def is_first_row(self) -> Expr:
        return self._builder.is_first_row()

    def is_last_row(self) -> Expr:
        return self._builder.is_last_row()

    def is_transition(self) -> Expr:
        return self._builder.is_transition()

    def _assert_zero(self, x: ExprLike, label: str) -> None:
        x = _expr(x)
        for condition in reversed(self._conditions):
            x = condition * x
        self._builder._assert_zero(x, label)

    def _when(self, condition: ExprLike) -> ConditionalBuilder:
        return ConditionalBuilder(self._builder, (*self._conditions, _expr(condition)))


def _expr(x: ExprLike) -> Expr:
    return x if isinstance(x, Expr) else _core.constant(x)


class LookupBus:
    """A bus on which the queries that are sent are among the keys that are added.

    Parameters
    ----------
    index : int
        Buses of one index are one bus, over all AIRs of a key.
    name : str
        For messages; all AIRs give a bus one name, or none.
    """

    def __init__(self, index: int, name: str = "") -> None:
        self.index = index
        self.name = name

    def lookup_key(self, b: Builder, query: Iterable[ExprLike], enabled: ExprLike, label: str = "") -> None:
        """Looks ``query`` up where ``enabled`` is 1, which the caller constrains to be 0 or 1."""
        b.push_interaction(self.index, query, enabled, 1, label, bus_name=self.name)

    def add_key_with_lookups(self, b: Builder, key: Iterable[ExprLike], num_lookups: ExprLike, label: str = "") -> None:
        """Adds ``key``, which is looked up ``num_lookups`` times."""
        b.push_interaction(self.index, key, -_expr(num_lookups), 0, label, bus_name=self.name)


class PermutationBus:
    """A bus on which what is sent is what is received, as multisets. Parameters as for `LookupBus`."""

    def __init__(self, index: int, name: str = "") -> None:
        self.index = index
        self.name = name

    def send(self, b: Builder, message: Iterable[ExprLike], enabled: ExprLike, label: str = "") -> None:
        """Sends where ``enabled`` is 1, which the caller constrains to be 0 or 1."""
        b.push_interaction(self.index, message, enabled, 1, label, bus_name=self.name)

    def receive(self, b: Builder, message: Iterable[ExprLike], enabled: ExprLike, label: str = "") -> None:
        """Receives where ``enabled`` is 1."""
        b.push_interaction(self.index, message, -_expr(enabled), 1, label, bus_name=self.name)

    def interact(self, b: Builder, message: Iterable[ExprLike], direction: ExprLike, label: str = "") -> None:
        """Sends where ``direction`` is 1, receives where it is -1."""
        b.push_interaction(self.index, message, direction, 1, label, bus_name=self.name)


@runtime_checkable
class AirLike(Protocol):
    """Any object with these two is an AIR; the other members of `Air` may be there too."""

    width: Any

    def eval(self, b: Builder, /) -> None: ...


class Air:
    """A base for AIRs, with the default of each member. Each may be a value or a method without arguments.

    Attributes
    ----------
    name : str
        For messages; the name of the class where it is empty.
    width : int
        Columns of the common main.
    cached_main_widths : sequence of int
        Columns of each cached part.
    preprocessed : array or Matrix, shape (height, width), or None
        Columns that are fixed in the key.
    num_public_values : int
    is_required : bool
        Whether every proof has its trace.
    column_names : sequence of str
        Of the common main, for messages and for ``local.name``; none, or ``width`` of them.
    """

    name: Any = ""
    width: Any = 0
    cached_main_widths: Any = ()
    preprocessed: Any = None
    num_public_values: Any = 0
    is_required: Any = False
    column_names: Any = ()

    def eval(self, b: Builder, /) -> None:
        """States the constraints and interactions."""
        raise NotImplementedError(f"{type(self).__name__} has no eval()")


class _Spec(NamedTuple):
    """What the extension module reads of an AIR."""

    name: str
    width: int
    cached_main_widths: list[int]
    preprocessed: _core.Matrix | None
    num_public_values: int
    is_required: bool
    column_names: list[str]
    eval: Callable[[_core.SymbolicBuilder], None]


_MEMBERS = frozenset(name for name in vars(Air) if not name.startswith("_"))


def _check_names(air: object, position: int) -> None:
    """A member that nearly has the name of one of `Air` is a misspelling, which would else be ignored."""
    import difflib

    for name in {name for kind in type(air).__mro__[:-1] for name in vars(kind)} | set(getattr(air, "__dict__", {})):
        if name.startswith("_") or name in _MEMBERS:
            continue
        if close := difflib.get_close_matches(name, _MEMBERS, n=1, cutoff=0.85):
            raise InvalidArgumentError(
                f"AIR {position} ({type(air).__name__}) has a member {name!r}, which whorl ignores; is {close[0]!r} meant?", "keygen"
            )


def _count(value: Any, what: str) -> int:
    """A whole number that the library can hold as a count."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InvalidArgumentError(f"{what}: expected a whole number, found {value!r}", "keygen")
    number = int(value.__index__())
    if not 0 <= number < 1 << 32:
        raise InvalidArgumentError(f"{what}: expected a number from 0 to {(1 << 32) - 1}, found {number}", "keygen")
    return number


def _text(value: Any, what: str) -> str:
    """A text that the library can hold."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{what}: expected a text, found {value!r}", "keygen")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{what}: expected a text that UTF-8 can hold, found {value!a}", "keygen") from error
    return value


def _spec(air: AirLike, position: int) -> _Spec:
    def member(name: str) -> Any:
        value = getattr(air, name, getattr(Air, name))
        return value() if callable(value) else value

    if not isinstance(air, AirLike):
        what = f"class {air.__name__}; make an object of it" if isinstance(air, type) else f"{type(air).__name__} without width and eval"
        raise InvalidArgumentError(f"AIR {position}: expected an AIR, found {what}", "keygen")
    if isinstance(air, type):
        raise InvalidArgumentError(f"AIR {position}: expected an AIR, found class {air.__name__}; make an object of it", "keygen")
    _check_names(air, position)
    name = _text(member("name") or type(air).__name__, f"AIR {position}: name")
    label = f'AIR {position} "{name}"'
    width = _count(member("width"), f"{label}: width")
    column_names = [_text(column, f"{label}: column_names") for column in member("column_names")]
    if column_names and len(column_names) != width:
        raise InvalidArgumentError(f"{label}: expected {width} column_names, one a column, found {len(column_names)}", "keygen")
    for column, count in Counter(column_names).items():
        if count > 1:
            raise InvalidArgumentError(f"{label}: expected different column_names, found {column!r} twice", "keygen")
    preprocessed: MatrixLike | None = member("preprocessed")

    def evaluate(core: _core.SymbolicBuilder) -> None:
        builder = Builder(core, column_names)
        try:
            air.eval(builder)
        except BaseException as error:
            error.add_note(f'in eval() of AIR {position} "{name}"')
            raise
        finally:
            builder._core = None

    return _Spec(
        name=name,
        width=width,
        cached_main_widths=[_count(w, f"{label}: cached_main_widths") for w in member("cached_main_widths")],
        preprocessed=None if preprocessed is None else matrix(preprocessed),
        num_public_values=_count(member("num_public_values"), f"{label}: num_public_values"),
        is_required=bool(member("is_required")),
        column_names=column_names,
        eval=evaluate,
    )


def keygen(params: _core.Params, airs: Sequence[AirLike]) -> _core.ProvingKey:
    """The keys of AIRs, in their order (PROTOCOL.md 6.4 to 6.7).

    Parameters
    ----------
    params : Params
    airs : sequence of AIRs
        Objects of `Air`, or of any class with ``width`` and ``eval``.

    Returns
    -------
    ProvingKey
        Its ``vk`` is what a verifier needs.

    Raises
    ------
    InvalidArgumentError
        Parameters or AIRs that no key can be made of, with file and line, expression, what was expected and found.
    Exception
        What ``eval`` raises, with a note that names the AIR.
    """
    return _core.keygen(params, [_spec(air, i) for i, air in enumerate(airs)])
