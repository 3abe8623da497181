#include "hash/poseidon2.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hash/poseidon2.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>
#include <vector>

#include "hash/wide_constants.hpp"

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

// One state in as few vectors as it takes, in order: each group of four words is a 128-bit block.
constexpr std::size_t kStateLanes = hn::MaxLanes(D32());
constexpr std::size_t kStateVectors = kPoseidonWidth / kStateLanes;

HWY_INLINE V load_state(const Fp* words, std::size_t v) {
    return load(reinterpret_cast<const std::uint32_t*>(words) + v * kStateLanes);
}

// Every lane of a block gains the block's sum.
HWY_INLINE V sum_in_blocks(V x) {
    const V pairs = add(x, hn::Shuffle1032(x));
    return add(pairs, hn::Shuffle2301(pairs));
}
// Each lane of a block: the sum of that lane over all blocks.
HWY_INLINE V sum_of_blocks(const V* HWY_RESTRICT s) {
    V sum = s[0];
    for (std::size_t v = 1; v < kStateVectors; ++v) sum = add(sum, s[v]);
    if constexpr (kStateLanes >= 8) sum = add(sum, hn::ReverseBlocks(D32(), sum));
    if constexpr (kStateLanes == 16) sum = add(sum, hn::SwapAdjacentBlocks(sum));
    return sum;
}

// circ(2, 3, 1, 1) on each group of four, then every element gains the sum of its residue class mod 4.
HWY_INLINE void external_linear(V* HWY_RESTRICT s) {
    for (std::size_t v = 0; v < kStateVectors; ++v) {
        s[v] = add(add(sum_in_blocks(s[v]), s[v]), twice(hn::Shuffle0321(s[v])));
    }
    const V sum = sum_of_blocks(s);
    for (std::size_t v = 0; v < kStateVectors; ++v) s[v] = add(s[v], sum);
}

HWY_INLINE void external_round(V* HWY_RESTRICT s, const PoseidonWords& constants) {
    for (std::size_t v = 0; v < kStateVectors; ++v) s[v] = hn::Add(s[v], load(constants.data() + v * kStateLanes));
    pow7<kStateVectors>(s);
    external_linear(s);
}

// a·b·2^-32 for |a|, |b| < p, not corrected: in (−p, p).
HWY_INLINE std::int64_t mul_signed(std::int64_t a, std::int64_t b) {
    const std::int64_t x = a * b;
    const auto q = static_cast<std::int32_t>(static_cast<std::uint32_t>(x) * Fp::kModulusInverse);
    return (x - std::int64_t{q} * Fp::kModulus) >> 32;
}
HWY_INLINE Fp sbox(Fp x) {
    const std::int64_t x1 = x.montgomery();
    const std::int64_t x2 = mul_signed(x1, x1);
    const std::int64_t x7 = mul_signed(mul_signed(x2, x1), mul_signed(x2, x2));
    return Fp::from_montgomery(static_cast<std::uint32_t>(x7 < 0 ? x7 + Fp::kModulus : x7));
}

// Word 0 goes from S-box to S-box in a scalar register; meanwhile the vectors, where it is zero, make the sum of the others.
HWY_INLINE void internal_rounds(V* HWY_RESTRICT s) {
    const auto first_lane = hn::FirstN(D32(), 1);
    Fp first = Fp::from_montgomery(hn::GetLane(s[0]));
    V diagonal[kStateVectors];
    for (std::size_t v = 0; v < kStateVectors; ++v) diagonal[v] = load_state(kPoseidonConstants.diagonal.data(), v);
    for (const Fp constant : kPoseidonConstants.internal) {
        s[0] = hn::IfThenZeroElse(first_lane, s[0]);
        const Fp others = Fp::from_montgomery(hn::GetLane(sum_in_blocks(sum_of_blocks(s))));
        const Fp x = sbox(first + constant);
        const V sum = broadcast(others + x);
        for (std::size_t v = 0; v < kStateVectors; ++v) s[v] = add(sum, mul(diagonal[v], s[v]));
        first = others - x;  // V[0] is −2
    }
    s[0] = hn::InsertLane(s[0], 0, first.montgomery());
}

void PermuteState(Fp* words) {
    V s[kStateVectors];
    for (std::size_t v = 0; v < kStateVectors; ++v) s[v] = load_state(words, v);
    external_linear(s);
    for (const PoseidonWords& constants : kPoseidonConstants.initial_words) external_round(s, constants);
    internal_rounds(s);
    for (const PoseidonWords& constants : kPoseidonConstants.final_words) external_round(s, constants);
    for (std::size_t v = 0; v < kStateVectors; ++v) {
        store(s[v], reinterpret_cast<std::uint32_t*>(words) + v * kStateLanes);
    }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {
namespace {

// Canonical values in the order initial, internal, final: the Grain LFSR's output for this field, width and round
// count (tests/unit/poseidon2_test.cpp derives them again).
constexpr std::array<std::uint32_t, 141> kRoundConstants = {
    0x69cbb6af, 0x46ad93f9, 0x60a00f4e, 0x6b1297cd, 0x23189afe, 0x732e7bef, 0x72c246de, 0x2c941900, 0x0557eede,
    0x1580496f, 0x3a3ea77b, 0x54f3f271, 0x0f49b029, 0x47872fe1, 0x221e2e36, 0x1ab7202e, 0x487779a6, 0x3851c9d8,
    0x38dc17c0, 0x209f8849, 0x268dcee8, 0x350c48da, 0x5b9ad32e, 0x0523272b, 0x3f89055b, 0x01e894b2, 0x13ddedde,
    0x1b2ef334, 0x7507d8b4, 0x6ceeb94e, 0x52eb6ba2, 0x50642905, 0x05453f3f, 0x06349efc, 0x6922787c, 0x04bfff9c,
    0x768c714a, 0x3e9ff21a, 0x15737c9c, 0x2229c807, 0x0d47f88c, 0x097e0ecc, 0x27eadba0, 0x2d7d29e4, 0x3502aaa0,
    0x0f475fd7, 0x29fbda49, 0x018afffd, 0x0315b618, 0x6d4497d1, 0x1b171d9e, 0x52861abd, 0x2e5d0501, 0x3ec8646c,
    0x6e5f250a, 0x148ae8e6, 0x17f5fa4a, 0x3e66d284, 0x0051aa3b, 0x483f7913, 0x2cfe5f15, 0x023427ca, 0x2cc78315,
    0x1e36ea47, 0x5a8053c0, 0x693be639, 0x3858867d, 0x19334f6b, 0x128f0fd8, 0x4e2b1ccb, 0x61210ce0, 0x3c318939,
    0x0b5b2f22, 0x2edb11d5, 0x213effdf, 0x0cac4606, 0x241af16d, 0x7290a80d, 0x6f7e5329, 0x598ec8a8, 0x76a859a0,
    0x6559e868, 0x657b83af, 0x13271d3f, 0x1f876063, 0x0aeeae37, 0x706e9ca6, 0x46400cee, 0x72a05c26, 0x2c589c9e,
    0x20bd37a7, 0x6a2d3d10, 0x20523767, 0x5b8fe9c4, 0x2aa501d6, 0x1e01ac3e, 0x1448bc54, 0x5ce5ad1c, 0x4918a14d,
    0x2c46a83f, 0x4fcf6876, 0x61d8d5c8, 0x6ddf4ff9, 0x11fda4d3, 0x02933a8f, 0x170eaf81, 0x5a9c314f, 0x49a12590,
    0x35ec52a1, 0x58eb1611, 0x5e481e65, 0x367125c9, 0x0eba33ba, 0x1fc28ded, 0x066399ad, 0x0cbec0ea, 0x75fd1af0,
    0x50f5bf4e, 0x643d5f41, 0x6f4fe718, 0x5b3cbbde, 0x1e3afb3e, 0x296fb027, 0x45e1547b, 0x4a8db2ab, 0x59986d19,
    0x30bcdfa3, 0x1db63932, 0x1d7c2824, 0x53b33681, 0x0673b747, 0x038a98a3, 0x2c5bce60, 0x351979cd, 0x5008fb73,
    0x547bca78, 0x711af481, 0x3f93bf64, 0x644d987b, 0x3c8bcd87, 0x608758b8};
constexpr std::array<std::uint32_t, kPoseidonWidth> kDiagonal = {
    0x77ffffff, 0x00000001, 0x00000002, 0x3c000001, 0x00000003, 0x00000004, 0x3c000000, 0x77fffffe,
    0x77fffffd, 0x77880001, 0x5a000001, 0x69000001, 0x77fffff2, 0x00780000, 0x07800000, 0x0000000f};

constexpr PoseidonConstants make_constants() {
    PoseidonConstants out{};
    std::size_t next = 0;
    for (PoseidonState& round : out.initial) {
        for (Fp& constant : round) constant = Fp::from_canonical(kRoundConstants[next++]);
    }
    for (Fp& constant : out.internal) constant = Fp::from_canonical(kRoundConstants[next++]);
    for (PoseidonState& round : out.final) {
        for (Fp& constant : round) constant = Fp::from_canonical(kRoundConstants[next++]);
    }
    const auto below_zero = [](Fp constant) { return constant.montgomery() - Fp::kModulus; };
    for (unsigned r = 0; r < kPoseidonHalfRounds; ++r) {
        std::ranges::transform(out.initial[r], out.initial_words[r].begin(), below_zero);
        std::ranges::transform(out.final[r], out.final_words[r].begin(), below_zero);
    }
    std::ranges::transform(out.internal, out.internal_words.begin(), below_zero);
    for (unsigned i = 0; i < kPoseidonWidth; ++i) out.diagonal[i] = Fp::from_canonical(kDiagonal[i]);
    return out;
}

}  // namespace

constexpr PoseidonConstants kPoseidonConstantsValue = make_constants();
const PoseidonConstants kPoseidonConstants = kPoseidonConstantsValue;

constexpr WidePoseidonConstants kWidePoseidonConstantsValue = wide_constants::make(kPoseidonConstantsValue);
const WidePoseidonConstants kWidePoseidonConstants = kWidePoseidonConstantsValue;

HWY_EXPORT(PermuteState);

void poseidon2_permute(PoseidonState& state) {
    HWY_DYNAMIC_DISPATCH(PermuteState)(state.data());
}

Digest hash_slice(std::span<const Fp> values) {
    PoseidonState state{};
    while (!values.empty()) {
        const auto block = values.first(std::min<std::size_t>(values.size(), kPoseidonRate));
        std::ranges::copy(block, state.begin());
        poseidon2_permute(state);
        values = values.subspan(block.size());
    }
    Digest digest;
    std::copy_n(state.begin(), digest.size(), digest.begin());
    return digest;
}

Digest compress(const Digest& left, const Digest& right) {
    PoseidonState state;
    std::ranges::copy(left, state.begin());
    std::ranges::copy(right, state.begin() + left.size());
    poseidon2_permute(state);
    Digest digest;
    std::copy_n(state.begin(), digest.size(), digest.begin());
    return digest;
}

Digest tree_compress(std::span<const Digest> digests) {
    std::vector<Digest> layer(digests.begin(), digests.end());
    while (layer.size() > 1) {
        for (std::size_t i = 0; i < layer.size() / 2; ++i) layer[i] = compress(layer[2 * i], layer[2 * i + 1]);
        layer.resize(layer.size() / 2);
    }
    return layer.front();
}

}  // namespace whorl
#endif
