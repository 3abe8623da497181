"""AIRs in Python: the builder, and what is said of mistakes."""

from __future__ import annotations

import traceback

import numpy as np
import pytest
import whorl
from whorl import Builder

PARAMS = whorl.Params.test()


def keygen(air: object, params: whorl.Params = PARAMS) -> whorl.ProvingKey:
    return whorl.keygen(params, [air])


class Squares(whorl.Air):
    column_names = ("n", "square")
    width = 2

    def eval(self, b: Builder) -> None:
        local, next = b.main()
        b.assert_eq(local.square, local.n**2, "square is n squared")
        b.when_transition().assert_one(next.n - local.n)


def squares(height: int) -> np.ndarray:
    n = np.arange(height, dtype=np.uint64)
    return np.stack([n, n * n], axis=1)


def line_of(air: type, text: str) -> int:
    import inspect

    lines, first = inspect.getsourcelines(air)
    return first + next(i for i, line in enumerate(lines) if text in line)


def test_an_air_proves() -> None:
    key = keygen(Squares())
    assert key.air_names == ["Squares"]
    proof = whorl.prove(key, [whorl.Trace("Squares", squares(64))], verify=True)
    whorl.verify(key.vk, proof)


def test_a_broken_row_is_named_with_line_columns_and_label() -> None:
    key = keygen(Squares())
    rows = squares(64)
    rows[9, 1] += 1
    report = whorl.check(key, [whorl.Trace(0, rows)])
    assert not report
    (failure,) = report.failures
    assert (failure.row, failure.num_rows, failure.value) == (9, 1, 1)
    assert failure.variables == {"square": 82, "n": 9}
    assert (failure.source.file, failure.source.label) == ("test_air.py", "square is n squared")
    assert failure.source.line == line_of(Squares, "local.square")
    assert f"test_air.py:{failure.source.line}" in str(report)
    with pytest.raises(whorl.UnsatisfiedError, match="square is n squared"):
        whorl.prove(key, [whorl.Trace(0, rows)], verify=True)
    with pytest.raises(whorl.RejectedError) as rejected:
        whorl.verify(key, whorl.prove(key, [whorl.Trace(0, rows)]))
    assert rejected.value.kind == "constraint_claim"


def test_a_degree_above_the_limit_names_the_line() -> None:
    class Cubes(Squares):
        def eval(self, b: Builder) -> None:
            local = b.main().local
            b.assert_zero(local.n**9)

    with pytest.raises(whorl.InvalidArgumentError, match=rf"test_air.py:{line_of(Cubes, '**9')}.*degree 9"):
        keygen(Cubes())


def test_what_eval_raises_comes_out_with_its_own_traceback() -> None:
    class Broken(Squares):
        def eval(self, b: Builder) -> None:
            raise KeyError("no such thing")

    with pytest.raises(KeyError) as error:
        keygen(Broken())
    text = "".join(traceback.format_exception(error.value))
    assert 'raise KeyError("no such thing")' in text
    assert 'in eval() of AIR 0 "Broken"' in text


def test_columns_that_do_not_exist() -> None:
    class TooFar(Squares):
        def eval(self, b: Builder) -> None:
            b.assert_zero(b.main().local[2])

    with pytest.raises(IndexError, match="the common main has 2 columns; column 2 does not exist"):
        keygen(TooFar())

    class NoName(Squares):
        def eval(self, b: Builder) -> None:
            b.assert_zero(b.main().local.cube)

    with pytest.raises(AttributeError, match=r"no column 'cube' \(names: n, square\)"):
        keygen(NoName())

    class NoPart(Squares):
        def eval(self, b: Builder) -> None:
            b.assert_zero(b.cached_main(0).local[0])

    with pytest.raises(IndexError, match="0 cached parts; cached part 0 does not exist"):
        keygen(NoPart())


def test_rows_are_sequences() -> None:
    class Uses(Squares):
        def eval(self, b: Builder) -> None:
            local, _ = b.main()
            assert len(local) == 2
            first, last = local
            assert local[-1] is last
            assert local[:1] == (first,)
            assert list(reversed(local)) == [last, first]
            b.assert_zero(first - first)

    keygen(Uses())


def test_expressions_refuse_what_is_rarely_meant() -> None:
    class Compares(Squares):
        def eval(self, b: Builder) -> None:
            local = b.main().local
            with pytest.raises(TypeError, match="assert_eq"):
                local.n == local.square  # noqa: B015
            with pytest.raises(TypeError, match="neither true nor false"):
                bool(local.n)
            with pytest.raises(TypeError):
                local.n + 0.5
            with pytest.raises(TypeError):
                local.n + True
            with pytest.raises(TypeError, match="expected an expression or a whole number, found str"):
                b.assert_zero("n")
            with pytest.raises(ValueError, match="exponent"):
                local.n**0
            b.assert_zero(local.n * np.int64(3) + np.uint32(1) - (1 << 100))

    keygen(Compares())


def test_a_builder_ends_with_eval() -> None:
    kept: list[Builder] = []

    class Keeps(Squares):
        def eval(self, b: Builder) -> None:
            kept.append(b)
            super().eval(b)

    keygen(Keeps())
    with pytest.raises(RuntimeError, match="after its eval"):
        kept[0].main()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"num_public_value": 3}, "'num_public_value', which whorl ignores; is 'num_public_values' meant"),
        ({"is_requierd": True}, "'is_required' meant"),
        ({"column_names": ("n",)}, "expected 2 column_names, one a column, found 1"),
    ],
)
def test_misspelt_members(members: dict[str, object], message: str) -> None:
    with pytest.raises(whorl.InvalidArgumentError, match=message):
        keygen(type("Wrong", (Squares,), members)())


def test_what_is_no_air() -> None:
    with pytest.raises(whorl.InvalidArgumentError, match="make an object of it"):
        keygen(Squares)
    with pytest.raises(whorl.InvalidArgumentError, match="found int without width and eval"):
        keygen(7)
    with pytest.raises(whorl.InvalidArgumentError):
        whorl.keygen(PARAMS, [])
    with pytest.raises(NotImplementedError, match="has no eval"):
        keygen(type("Empty", (whorl.Air,), {"width": 1})())


def test_buses_and_labels_appear_in_reports() -> None:
    bus = whorl.LookupBus(3, "bytes")

    class User(whorl.Air):
        width = 1

        def eval(self, b: Builder) -> None:
            bus.lookup_key(b, [b.main().local[0]], 1, "each is a byte")

    class Table(whorl.Air):
        width = 1
        preprocessed = np.arange(256).reshape(-1, 1)

        def eval(self, b: Builder) -> None:
            bus.add_key_with_lookups(b, [b.preprocessed().local[0]], b.main().local[0])

    key = whorl.keygen(PARAMS, [User(), Table()])
    used = np.array([3, 3, 200, 300])
    counts = np.bincount(used[used < 256], minlength=256)
    traces = [whorl.Trace("User", used.reshape(-1, 1)), whorl.Trace("Table", counts.reshape(-1, 1))]
    report = whorl.check(key, traces)
    (unbalanced,) = report.unbalanced_buses
    assert unbalanced.name == "bytes"
    (message,) = unbalanced.messages
    assert (message.fields, message.net_count) == ([300], 1)
    assert message.contributions[0].row == 3
    assert message.contributions[0].source.label == "each is a byte"

    used[3] = 7
    counts = np.bincount(used, minlength=256)
    traces = [whorl.Trace("Table", counts.reshape(-1, 1)), whorl.Trace("User", used.reshape(-1, 1))]
    assert whorl.check(key, traces)
    whorl.verify(key, whorl.prove(key, traces))


def test_permutation_bus() -> None:
    bus = whorl.PermutationBus(0)

    class Sender(whorl.Air):
        width = 2

        def eval(self, b: Builder) -> None:
            value, direction = b.main().local
            bus.interact(b, [value], direction)
            bus.send(b, [value, 1], 1)
            bus.receive(b, [value, 1], 1)

    key = keygen(Sender())
    p_minus_one = whorl.MODULUS - 1
    assert whorl.check(key, [whorl.Trace(0, [[5, 1], [5, p_minus_one]])])
    assert whorl.check(key, [whorl.Trace(0, [[5, 1], [5, -1]])])
    assert not whorl.check(key, [whorl.Trace(0, [[5, 1], [6, -1]])])


def test_names_of_airs() -> None:
    key = whorl.keygen(PARAMS, [Squares(), Squares()])
    with pytest.raises(whorl.InvalidArgumentError, match=r"the AIRs \[0, 1\] have that name"):
        whorl.check(key, [whorl.Trace("Squares", squares(4))])
    with pytest.raises(whorl.InvalidArgumentError, match="the names are 'Squares', 'Squares'"):
        whorl.check(key, [whorl.Trace("Cubes", squares(4))])
    with pytest.raises(whorl.InvalidArgumentError, match="expected an AIR from 0 to 1, found 2"):
        whorl.check(key, [whorl.Trace(2, squares(4))])


def test_expressions_of_another_air_are_refused() -> None:
    kept: list[whorl.Expr] = []

    class Table(whorl.Air):
        width = 1
        preprocessed = np.ones((8, 1), int)

        def eval(self, b: Builder) -> None:
            kept.extend([b.preprocessed().local[0], b.main().local[0]])
            b.assert_zero(b.main().local[0])

    for use in (
        lambda b, x: b.assert_zero(x),
        lambda b, x: b.assert_zero(b.main().local[0] * x),
        lambda b, x: b.when(x).assert_zero(b.main().local[0]),
        lambda b, x: b.push_interaction(0, [x], 1),
        lambda b, x: b.push_interaction(0, [1], x),
    ):
        for which in (0, 1):

            class User(whorl.Air):
                width = 1

                def eval(self, b: Builder, use=use, which=which) -> None:
                    use(b, kept[which])

            kept.clear()
            with pytest.raises(whorl.InvalidArgumentError, match="an expression of another AIR") as error:
                whorl.keygen(PARAMS, [Table(), User()])
            assert 'in eval() of AIR 1 "User"' in "".join(traceback.format_exception(error.value))
    # A constant is nobody's.
    one = whorl.constant(1)

    class UsesOne(Squares):
        def eval(self, b: Builder) -> None:
            b.assert_zero(one * 0)
            super().eval(b)

    keygen(UsesOne())
    keygen(UsesOne())


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"width": -1}, "width: expected a number from 0"),
        ({"width": 1 << 32}, "width: expected a number from 0"),
        ({"width": 1.5}, "width: expected a whole number, found 1.5"),
        ({"num_public_values": -1}, "num_public_values: expected a number"),
        ({"cached_main_widths": (1.5,)}, "cached_main_widths: expected a whole number"),
        ({"name": "\ud800"}, "UTF-8"),
        ({"column_names": ("n", "\ud800")}, "UTF-8"),
        ({"column_names": ("n", "n")}, "'n' twice"),
        ({"name": 5}, "expected a text, found 5"),
    ],
)
def test_members_that_are_none(members: dict[str, object], message: str) -> None:
    with pytest.raises(whorl.InvalidArgumentError, match=message):
        keygen(type("Wrong", (Squares,), members)())


def test_columns_of_any_name() -> None:
    class Names(whorl.Air):
        column_names = ("index", "count")
        width = 2

        def eval(self, b: Builder) -> None:
            local, _ = b.main()
            b.assert_eq(local.index, local.count)
            with pytest.raises(TypeError, match="names as attributes"):
                local["index"]
            with pytest.raises(whorl.InvalidArgumentError, match="a bus from 0 to 65535, found 70000"):
                b.push_interaction(70000, [1], 1)

    keygen(Names())
