#include "hash/batch.hpp"

#include "field/simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hash/batch.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target comes first
#include <hwy/highway.h>
#include "field/packed-inl.hpp"
// clang-format on

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace whorl {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE void external_linear(V* HWY_RESTRICT s) {
    for (unsigned g = 0; g < 16; g += 4) {
        const V a = s[g], b = s[g + 1], c = s[g + 2], d = s[g + 3];
        const V ab = add(a, b), cd = add(c, d);
        const V sum = add(ab, cd);
        const V sum_b = add(sum, b), sum_d = add(sum, d);
        s[g] = add(sum_b, ab);            // sum + a + 2b
        s[g + 1] = add(sum_b, twice(c));  // sum + b + 2c
        s[g + 2] = add(sum_d, cd);        // sum + c + 2d
        s[g + 3] = add(sum_d, twice(a));  // sum + d + 2a
    }
    for (unsigned k = 0; k < 4; ++k) {
        const V sum = add(add(s[k], s[4 + k]), add(s[8 + k], s[12 + k]));
        for (unsigned g = 0; g < 16; g += 4) s[g + k] = add(s[g + k], sum);
    }
}

HWY_INLINE void external_round(V* HWY_RESTRICT s, const PoseidonState& constants) {
    for (unsigned i = 0; i < 16; ++i) s[i] = pow7(add(s[i], broadcast(constants[i])));
    external_linear(s);
}

HWY_INLINE void internal_round(V* HWY_RESTRICT s, Fp constant) {
    // The sum of the others does not wait for the S-box.
    V rest = add(add(add(s[1], s[2]), add(s[3], s[4])), add(add(s[5], s[6]), add(s[7], s[8])));
    rest = add(rest, add(add(add(s[9], s[10]), add(s[11], s[12])), add(s[13], add(s[14], s[15]))));
    const V x = pow7(add(s[0], broadcast(constant)));
    const V sum = add(rest, x);
    const V half_mask = hn::Set(D32(), (Fp::kModulus + 1) / 2);
    const auto halve = [&](V v) HWY_ATTR {
        const V odd = hn::And(v, hn::Set(D32(), 1));
        // v/2, plus (p + 1)/2 for odd v.
        return hn::Add(hn::ShiftRight<1>(v), hn::And(half_mask, hn::Sub(hn::Zero(D32()), odd)));
    };
    s[0] = sub(rest, x);                                  // −2: sum − 2x
    s[1] = add(sum, s[1]);                                // 1
    s[2] = add(sum, twice(s[2]));                         // 2
    s[3] = add(sum, halve(s[3]));                         // 1/2
    s[4] = add(sum, add(twice(s[4]), s[4]));              // 3
    s[5] = add(sum, twice(twice(s[5])));                  // 4
    s[6] = sub(sum, halve(s[6]));                         // −1/2
    s[7] = sub(sum, add(twice(s[7]), s[7]));              // −3
    s[8] = sub(sum, twice(twice(s[8])));                  // −4
    s[9] = add(sum, div_2exp<8>(s[9]));                   // 2^-8
    s[10] = add(sum, halve(halve(s[10])));                // 1/4
    s[11] = add(sum, halve(halve(halve(s[11]))));         // 1/8
    s[12] = add(sum, div_2exp<27>(s[12]));                // 2^-27
    s[13] = sub(sum, div_2exp<8>(s[13]));                 // −2^-8
    s[14] = sub(sum, halve(halve(halve(halve(s[14])))));  // −1/16
    s[15] = sub(sum, div_2exp<27>(s[15]));                // −2^-27
}

// One copy for all callers: passing sixteen vectors through memory is nothing beside permuting them.
HWY_NOINLINE void permute(V* HWY_RESTRICT s) {
    external_linear(s);
    for (const PoseidonState& constants : kPoseidonConstants.initial) external_round(s, constants);
    for (const Fp constant : kPoseidonConstants.internal) internal_round(s, constant);
    for (const PoseidonState& constants : kPoseidonConstants.final) external_round(s, constants);
}

void PermuteStates(std::uint32_t* states, std::size_t stride, std::size_t count) {
    for (std::size_t i = 0; i < count; i += num_lanes()) {
        V s[16];
        for (unsigned w = 0; w < 16; ++w) s[w] = load(states + w * stride + i);
        permute(s);
        for (unsigned w = 0; w < 16; ++w) store(s[w], states + w * stride + i);
    }
}

void CompressLayer(const std::uint32_t* left, const std::uint32_t* right, std::size_t in_stride, std::size_t count,
                   std::uint32_t* out, std::size_t out_stride) {
    for (std::size_t i = 0; i < count; i += num_lanes()) {
        V s[16];
        for (unsigned w = 0; w < 8; ++w) {
            s[w] = load(left + w * in_stride + i);
            s[8 + w] = load(right + w * in_stride + i);
        }
        permute(s);
        for (unsigned w = 0; w < 8; ++w) store(s[w], out + w * out_stride + i);
    }
}

// Rows hashed before they are folded: enough for whole vectors at every level of a tree over 16 rows.
constexpr std::size_t kTileRows = 512;

void HashRows(std::span<const std::uint32_t* const> columns, std::size_t first, std::size_t count, unsigned log_fold,
              std::uint32_t* digests, std::size_t stride) {
    const std::size_t fold = std::size_t{1} << log_fold;
    const std::size_t tile = std::max(fold, kTileRows);
    std::vector<std::uint32_t> current(8 * tile + 64), left(8 * tile + 64), right(8 * tile + 64);
    for (std::size_t done = 0; done < count; done += tile) {
        std::size_t rows = std::min(tile, count - done);
        const std::size_t base = first + done;
        for (std::size_t r = 0; r < rows; r += num_lanes()) {
            V s[16];
            for (V& word : s) word = hn::Zero(D32());
            std::size_t c = 0;
            while (c < columns.size()) {
                const std::size_t block = std::min<std::size_t>(8, columns.size() - c);
                for (std::size_t w = 0; w < block; ++w) s[w] = load(columns[c + w] + base + r);
                permute(s);
                c += block;
            }
            for (unsigned w = 0; w < 8; ++w) store(s[w], current.data() + w * tile + r);
        }
        // Neighbours of the natural order are half a run apart in bit-reversed order.
        for (std::size_t run = fold; run > 1; run /= 2) {
            const std::size_t half = run / 2;
            for (unsigned w = 0; w < 8; ++w) {
                const std::uint32_t* in = current.data() + w * tile;
                std::uint32_t* l = left.data() + w * tile;
                std::uint32_t* r = right.data() + w * tile;
                for (std::size_t at = 0; at < rows; at += run) {
                    for (std::size_t i = 0; i < half; ++i) {
                        *l++ = in[at + i];
                        *r++ = in[at + half + i];
                    }
                }
            }
            rows /= 2;
            CompressLayer(left.data(), right.data(), tile, rows, current.data(), tile);
        }
        for (unsigned w = 0; w < 8; ++w) {
            std::copy_n(current.data() + w * tile, rows, digests + w * stride + ((first + done) >> log_fold));
        }
    }
}

std::int64_t FindWitness(const PoseidonState& state, unsigned absorb_index, unsigned num_bits, std::uint32_t first,
                         std::uint32_t count) {
    alignas(64) std::uint32_t candidates[16];
    alignas(64) std::uint32_t words[16];
    const std::uint32_t mask = (std::uint32_t{1} << num_bits) - 1;
    for (std::uint32_t done = 0; done < count; done += static_cast<std::uint32_t>(num_lanes())) {
        for (std::uint32_t i = 0; i < num_lanes(); ++i) {
            candidates[i] = Fp::from_canonical(first + done + i).montgomery();
        }
        V s[16];
        for (unsigned w = 0; w < 16; ++w) s[w] = broadcast(state[w]);
        s[absorb_index] = load(candidates);
        permute(s);
        store(s[7], words);
        for (std::uint32_t i = 0; i < num_lanes() && done + i < count; ++i) {
            if ((Fp::from_montgomery(words[i]).canonical() & mask) == 0) return std::int64_t{first} + done + i;
        }
    }
    return -1;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace whorl
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace whorl {

HWY_EXPORT(PermuteStates);
HWY_EXPORT(CompressLayer);
HWY_EXPORT(HashRows);
HWY_EXPORT(FindWitness);

void hash_rows(std::span<const std::uint32_t* const> columns, std::size_t first, std::size_t count, unsigned log_fold,
               std::uint32_t* digests, std::size_t stride) {
    HWY_DYNAMIC_DISPATCH(HashRows)(columns, first, count, log_fold, digests, stride);
}

void compress_layer(const std::uint32_t* left, const std::uint32_t* right, std::size_t in_stride, std::size_t count,
                    std::uint32_t* out, std::size_t out_stride) {
    HWY_DYNAMIC_DISPATCH(CompressLayer)(left, right, in_stride, count, out, out_stride);
}

void permute_states(std::uint32_t* states, std::size_t stride, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(PermuteStates)(states, stride, count);
}

std::optional<std::uint32_t> find_witness(const PoseidonState& state, unsigned absorb_index, unsigned num_bits,
                                          std::uint32_t first, std::uint32_t count) {
    const std::int64_t found = HWY_DYNAMIC_DISPATCH(FindWitness)(state, absorb_index, num_bits, first, count);
    if (found < 0) return std::nullopt;
    return static_cast<std::uint32_t>(found);
}

}  // namespace whorl
#endif
