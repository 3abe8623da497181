// Number-theoretic transforms over the subgroups of F* (PROTOCOL.md sections 2 and 10).
//
// Forward transforms take coefficients in natural order and leave evaluations in BIT-REVERSED order: position j holds the
// value at w_k^bitrev(j). That order is kept on purpose: the 2^k rows that share a Merkle leaf are then neighbours.
// Words are Montgomery representatives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <whorl/field.hpp>

namespace whorl {

/// The low `num_bits` bits of x, mirrored.
constexpr std::size_t reverse_bits(std::size_t x, unsigned num_bits) {
    std::size_t out = 0;
    for (unsigned i = 0; i < num_bits; ++i) out |= ((x >> i) & 1) << (num_bits - 1 - i);
    return out;
}

/// Evaluates 2^log_n coefficients (natural order) on shift·<w_log_n>, in place, bit-reversed. Runs on the calling
/// TBB arena. Sizes below kLaneAlignment need room for that many words.
void ntt(std::uint32_t* data, unsigned log_n, Fp shift = Fp::one());

/// The Reed–Solomon code of PROTOCOL.md section 10: `data` has room for 2^(log_n + log_blowup) words, its LAST 2^log_n
/// are the message (natural order). On return all of it is the codeword over <w_(log_n + log_blowup)>, bit-reversed.
void reed_solomon_encode(std::uint32_t* data, unsigned log_n, unsigned log_blowup);

/// Coefficients (natural order) from evaluations on shift·<w_log_n> in bit-reversed order, in place; one thread, for small sizes.
void inverse_ntt(std::span<Fp> evals, Fp shift = Fp::one());

/// Swaps element i with element reverse_bits(i).
void bit_reverse_permute(std::span<Fp> values);

}  // namespace whorl
