"""The AIRs of the test vectors, in Python: as src/airs has them in C++."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import whorl
from whorl import Builder, Expr


class FibonacciAir(whorl.Air):
    width = 2
    num_public_values = 3

    def eval(self, b: Builder) -> None:
        local, next = b.main()
        pis = b.public_values()
        b.when_first_row().assert_eq(local[0], pis[0])
        b.when_first_row().assert_eq(local[1], pis[1])
        b.when_transition().assert_eq(local[1], next[0])
        b.when_transition().assert_eq(local[0] + local[1], next[1])
        b.when_last_row().assert_eq(local[1], pis[2])


class FibonacciSelectorAir(whorl.Air):
    width = 2
    num_public_values = 3

    def __init__(self, selectors: Sequence[bool]) -> None:
        self.preprocessed = np.array(selectors, dtype=bool).reshape(-1, 1)

    def eval(self, b: Builder) -> None:
        local, next = b.main()
        pis = b.public_values()
        selector = b.preprocessed().local[0]
        b.when_first_row().assert_eq(local[0], pis[0])
        b.when_first_row().assert_eq(local[1], pis[1])
        b.when_transition().when(selector).assert_eq(local[1], next[0])
        b.when_transition().when_ne(selector, 1).assert_eq(local[0], next[0])
        b.when_transition().when(selector).assert_eq(local[0] + local[1], next[1])
        b.when_transition().when_ne(selector, 1).assert_eq(local[1], next[1])
        b.when_last_row().assert_eq(local[1], pis[2])


class DummyInteractionAir(whorl.Air):
    def __init__(self, is_send: bool, has_cached_fields: bool) -> None:
        self.is_send = is_send
        self.has_cached_fields = has_cached_fields

    def width(self) -> int:
        return 1 if self.has_cached_fields else 2

    def cached_main_widths(self) -> list[int]:
        return [1] if self.has_cached_fields else []

    def eval(self, b: Builder) -> None:
        count = b.main().local[0]
        field = b.cached_main(0).local[0] if self.has_cached_fields else b.main().local[1]
        b.push_interaction(0, [field], count if self.is_send else -1 * count)


class SelfInteractionAir(whorl.Air):
    def __init__(self, width: int, bus_index: int) -> None:
        self.width = width
        self.bus_index = bus_index

    def eval(self, b: Builder) -> None:
        local, next = b.main()
        total: Expr = 0 + local[0]
        for x in local[1:]:
            total = total + x
        # A count that is a constant is one for the key too.
        b.push_interaction(self.bus_index, local, 1, 1)
        b.push_interaction(self.bus_index, next, -1, 1)
        b.push_interaction(self.bus_index, local, total, 1)
        b.push_interaction(self.bus_index, next, -total, 1)
        b.push_interaction(self.bus_index, local, local[0], 1)
        b.push_interaction(self.bus_index, next, -next[0], 1)
        b.push_interaction(self.bus_index, local[::-1], total, 1)
        b.push_interaction(self.bus_index, next[::-1], -total, 1)


class PreprocessedCachedAir(whorl.Air):
    width = 1

    def __init__(self, selectors: Sequence[bool], num_cached_parts: int) -> None:
        self.preprocessed = np.array(selectors, dtype=np.uint8).reshape(-1, 1)
        self.cached_main_widths = [1] * num_cached_parts

    def eval(self, b: Builder) -> None:
        selector = b.preprocessed()
        local, next = b.main().local[0], b.main().next[0]
        b.assert_bool(selector.local[0])
        b.when_first_row().assert_zero(local)
        b.when_transition().assert_one(next - local)
        for part in range(b.num_cached_mains()):
            cached = b.cached_main(part)
            b.assert_eq(local + selector.local[0], cached.local[0])
            b.when_transition().assert_eq(next + selector.next[0], cached.next[0])
            local, next = cached.local[0], cached.next[0]


ROUNDS, LIMBS = 24, 4
ROTATIONS = ((0, 36, 3, 41, 18), (1, 44, 10, 45, 2), (62, 6, 43, 15, 61), (28, 55, 25, 21, 56), (27, 20, 39, 8, 14))


def round_constants() -> list[int]:
    """Of the standard's step iota, from its linear feedback shift register."""
    out, lfsr = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for j in range(7):
            constant |= (lfsr & 1) << ((1 << j) - 1)
            lfsr = (lfsr << 1) ^ (0x171 if lfsr & 0x80 else 0)
        out.append(constant)
    return out


class KeccakAir(whorl.Air):
    """Keccak-f[1600], a round a row."""

    width = 2633

    def eval(self, b: Builder) -> None:
        local, next = b.main()
        at = 0

        def take(*shape: int) -> np.ndarray:
            nonlocal at
            at += int(np.prod(shape))
            return np.arange(at - int(np.prod(shape)), at).reshape(shape)

        # Column numbers, by y, x and limb or bit.
        flag, export = take(ROUNDS), take(1)[0]
        preimage, a = take(5, 5, LIMBS), take(5, 5, LIMBS)
        c, c_prime, a_prime = take(5, 64), take(5, 64), take(5, 5, 64)
        a_pp, a_pp_00_bits, a_ppp_00 = take(5, 5, LIMBS), take(64), take(LIMBS)
        assert at == self.width

        def bit_b(x: int, y: int, z: int) -> Expr:
            from_x, from_y = (x + 3 * y) % 5, x
            return local[a_prime[from_y, from_x, (z - ROTATIONS[from_x][from_y]) % 64]]

        def xor(x: Expr, y: Expr) -> Expr:
            return x + y - x * (y + y)

        def compose(limb: int, bit: Callable[[int], Expr]) -> Expr:
            total: Expr | int = whorl.constant(0)
            for z in reversed(range(16 * limb, 16 * limb + 16)):
                total = (total + total) + bit(z)
            return total

        one = whorl.constant(1)
        b.when_first_row().assert_one(local[flag[0]])
        for r in range(1, ROUNDS):
            b.when_first_row().assert_zero(local[flag[r]])
        for r in range(ROUNDS):
            b.when_transition().assert_zero(local[flag[r]] - next[flag[(r + 1) % ROUNDS]])
        not_final = one - local[flag[ROUNDS - 1]]
        for y, x, limb in np.ndindex(5, 5, LIMBS):
            b.when(local[flag[0]]).assert_zero(local[preimage[y, x, limb]] - local[a[y, x, limb]])
        for column in preimage.ravel():
            b.when(not_final).when_transition().assert_zero(local[column] - next[column])
        b.assert_bool(local[export])
        b.when(not_final).assert_zero(local[export])

        for x in range(5):
            for z in range(64):
                b.assert_bool(local[c[x, z]])
            for z in range(64):
                parity = xor(xor(local[c[x, z]], local[c[(x + 4) % 5, z]]), local[c[(x + 1) % 5, (z + 63) % 64]])
                b.assert_zero(local[c_prime[x, z]] - parity)
        for y, x in np.ndindex(5, 5):
            for z in range(64):
                b.assert_bool(local[a_prime[y, x, z]])
            for limb in range(LIMBS):
                composed = compose(limb, lambda z, x=x, y=y: xor(xor(local[a_prime[y, x, z]], local[c[x, z]]), local[c_prime[x, z]]))
                b.assert_zero(composed - local[a[y, x, limb]])
        two = whorl.constant(2)
        four = two + two
        for x, z in np.ndindex(5, 64):
            total = local[a_prime[0, x, z]]
            for y in range(1, 5):
                total = total + local[a_prime[y, x, z]]
            diff = total - local[c_prime[x, z]]
            b.assert_zero(diff * (diff - two) * (diff - four))
        for y, x, limb in np.ndindex(5, 5, LIMBS):
            composed = compose(
                limb,
                lambda z, x=x, y=y: xor((one - bit_b((x + 1) % 5, y, z)) * bit_b((x + 2) % 5, y, z), bit_b(x, y, z)),
            )
            b.assert_zero(composed - local[a_pp[y, x, limb]])
        for z in range(64):
            b.assert_bool(local[a_pp_00_bits[z]])
        for limb in range(LIMBS):
            b.assert_zero(compose(limb, lambda z: local[a_pp_00_bits[z]]) - local[a_pp[0, 0, limb]])
        constants = round_constants()

        def iota(z: int) -> Expr:
            total = whorl.constant(0)
            for r in range(ROUNDS):
                total = total + local[flag[r]] * (constants[r] >> z & 1)
            return xor(total, local[a_pp_00_bits[z]])

        for limb in range(LIMBS):
            b.assert_zero(compose(limb, iota) - local[a_ppp_00[limb]])
        for x, y, limb in np.ndindex(5, 5, LIMBS):
            output = a_ppp_00[limb] if (x, y) == (0, 0) else a_pp[y, x, limb]
            b.when_transition().when(not_final).assert_zero(local[output] - next[a[y, x, limb]])


def mixture(log_height: int) -> list[whorl.Air]:
    selectors = [row % 2 == 0 for row in range(1 << log_height)]
    return [
        FibonacciAir(),
        *(DummyInteractionAir(is_send, has_cached) for has_cached in (False, True) for is_send in (True, False)),
        FibonacciSelectorAir(selectors),
        *(SelfInteractionAir(width, 5) for width in (4, 7, 8, 8, 10, 100)),
    ]


def bits(number: int) -> list[bool]:
    return [bool(number >> row & 1) for row in range(32)]
