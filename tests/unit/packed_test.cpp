// Vector arithmetic against the scalar field, on every instruction set and at the edges of the range.
#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "unit/packed_test.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "targets.hpp"

#ifndef WHORL_PACKED_TEST_TYPES_
#define WHORL_PACKED_TEST_TYPES_
namespace whorl {
namespace {

// Words in, words out; one block of 16 each.
struct PackedCase {
    std::uint32_t a[16], b[16];
};
struct PackedResults {
    std::uint32_t add[16], sub[16], neg[16], mul[16], square[16], pow7[16], pow7_below_zero[16], half[16], div3[16],
        div8[16], div27[16], sum_of_4[16], mul11[16];
};
struct PackedExtCase {
    std::uint32_t a[64], b[64];  // four planes of 16
};
struct PackedExtResults {
    std::uint32_t add[64], sub[64], mul[64], mul_base[64];
};

}  // namespace
}  // namespace whorl
#endif

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

template <int k>
HWY_INLINE V divided(V x) {
    const DividedParts parts = div_2exp<k>(x);
    return sub(parts.high, parts.low15);
}

void Compute(const PackedCase& in, PackedResults& out) {
    for (std::size_t i = 0; i < 16; i += num_lanes()) {
        const V a = load(in.a + i), b = load(in.b + i);
        store(add(a, b), out.add + i);
        store(sub(a, b), out.sub + i);
        store(neg(a), out.neg + i);
        store(mul(a, b), out.mul + i);
        store(square(a), out.square + i);
        V powers[2] = {a, hn::Sub(a, hn::Set(D32(), Fp::kModulus))};
        pow7<2>(powers);
        store(powers[0], out.pow7 + i);
        store(powers[1], out.pow7_below_zero + i);
        store(halve(a), out.half + i);
        store(divided<3>(a), out.div3 + i);
        store(divided<8>(a), out.div8 + i);
        store(divided<27>(a), out.div27 + i);
        Wide acc = wide_mul(a, b);
        wide_mul_add(acc, a, a);
        wide_mul_add(acc, b, b);
        wide_mul_add(acc, b, a);
        store(wide_reduce(acc), out.sum_of_4 + i);
        store(mul11(a), out.mul11 + i);
    }
}

void ComputeExt(const PackedExtCase& in, PackedExtResults& out) {
    for (std::size_t i = 0; i < 16; i += num_lanes()) {
        const V4 a = load4(in.a + i, 16), b = load4(in.b + i, 16);
        store4(add4(a, b), out.add + i, 16);
        store4(sub4(a, b), out.sub + i, 16);
        store4(mul4(a, b), out.mul + i, 16);
        store4(mul4_base(a, b.c0), out.mul_base + i, 16);
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {
HWY_EXPORT(Compute);
HWY_EXPORT(ComputeExt);
namespace {

// The ends of the range, then random words.
std::uint32_t draw(std::mt19937& random) {
    constexpr std::uint32_t kEdges[] = {
        0, 1, 2, Fp::kModulus - 1, Fp::kModulus - 2, Fp::kModulus / 2, Fp::kModulus / 2 + 1, Fp::one().montgomery()};
    const std::uint32_t r = static_cast<std::uint32_t>(random());
    return r % 3 == 0 ? kEdges[(r >> 8) % std::size(kEdges)] : r % Fp::kModulus;
}

Fp element(std::uint32_t word) {
    return Fp::from_montgomery(word);
}

TEST(Packed, AgreesWithTheScalarField) {
    test::on_every_target([] {
        std::mt19937 random(11);
        for (int repeat = 0; repeat < 2000; ++repeat) {
            PackedCase in;
            for (int i = 0; i < 16; ++i) {
                in.a[i] = draw(random);
                in.b[i] = draw(random);
            }
            PackedResults out;
            HWY_DYNAMIC_DISPATCH(Compute)(in, out);
            for (int i = 0; i < 16; ++i) {
                const Fp a = element(in.a[i]), b = element(in.b[i]);
                SCOPED_TRACE(testing::Message() << "words " << in.a[i] << ", " << in.b[i]);
                ASSERT_EQ(out.add[i], (a + b).montgomery());
                ASSERT_EQ(out.sub[i], (a - b).montgomery());
                ASSERT_EQ(out.neg[i], (-a).montgomery());
                ASSERT_EQ(out.mul[i], (a * b).montgomery());
                ASSERT_EQ(out.square[i], a.square().montgomery());
                ASSERT_EQ(out.pow7[i], a.pow(7).montgomery());
                ASSERT_EQ(out.pow7_below_zero[i], a.pow(7).montgomery());
                ASSERT_EQ(out.half[i], (a * Fp::half()).montgomery());
                ASSERT_EQ(out.div3[i], (a * Fp::half().pow(3)).montgomery());
                ASSERT_EQ(out.div8[i], (a * Fp::half().pow(8)).montgomery());
                ASSERT_EQ(out.div27[i], (a * Fp::half().pow(27)).montgomery());
                ASSERT_EQ(out.sum_of_4[i], (a * b + a * a + b * b + b * a).montgomery());
                ASSERT_EQ(out.mul11[i], (a * Fp::from_canonical(11)).montgomery());
            }
        }
    });
}

TEST(Packed, AgreesWithTheScalarExtension) {
    test::on_every_target([] {
        std::mt19937 random(12);
        for (int repeat = 0; repeat < 2000; ++repeat) {
            PackedExtCase in;
            for (int i = 0; i < 64; ++i) {
                in.a[i] = draw(random);
                in.b[i] = draw(random);
            }
            PackedExtResults out;
            HWY_DYNAMIC_DISPATCH(ComputeExt)(in, out);
            for (int i = 0; i < 16; ++i) {
                const auto at = [&](const std::uint32_t* planes) {
                    return Fp4(element(planes[i]), element(planes[16 + i]), element(planes[32 + i]),
                               element(planes[48 + i]));
                };
                const Fp4 a = at(in.a), b = at(in.b);
                ASSERT_EQ(at(out.add), a + b);
                ASSERT_EQ(at(out.sub), a - b);
                ASSERT_EQ(at(out.mul), a * b);
                ASSERT_EQ(at(out.mul_base), a * b.c[0]);
            }
        }
    });
}

}  // namespace
}  // namespace whorl
#endif
