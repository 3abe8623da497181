// Number-theoretic transforms over the subgroups of F* (PROTOCOL.md sections 2 and 10).
//
// Forward transforms take coefficients in natural order and leave evaluations in BIT-REVERSED order: position j holds the
// value at w_k^bitrev(j). That order is kept on purpose: the 2^k rows that share a Merkle leaf are then neighbours.
// Words are Montgomery representatives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

/// A transform whose values are used a block at a time, so that they need not be held all at once: spread() leaves blocks,
/// each of which finish() turns into neighbouring values of what ntt() would leave.
class BlockNtt {
public:
    static constexpr unsigned kMinLogSize = 13;
    /// log2 of the words of the smallest block.
    static constexpr unsigned kMinLogBlock = 10;
    static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};

    /// 2^log_n coefficients on shift·<w_log_n>. Precondition: log_n ≥ kMinLogSize.
    BlockNtt(unsigned log_n, Fp shift);

    unsigned log_block() const { return log_block_; }
    std::size_t num_blocks() const { return std::size_t{1} << log_blocks_; }

    /// Coefficients `in` (natural order) to all blocks, block r at out + r·2^log_block(). `out` is `in` or does not overlap it.
    /// Runs on the calling oneTBB arena.
    void spread(const std::uint32_t* in, std::uint32_t* out) const { spread_to(in, nullptr, out); }
    /// To some of the blocks: block r goes to out + places[r]·2^log_block(), or to no place where that is kNowhere.
    void spread_some(const std::uint32_t* in, std::span<const std::uint32_t> places, std::uint32_t* out) const {
        spread_to(in, places.data(), out);
    }
    /// Block r to the values at r·2^log_block() and behind, in place.
    void finish(std::uint32_t* block) const;

    struct Tables;

private:
    void spread_to(const std::uint32_t* in, const std::uint32_t* places, std::uint32_t* out) const;

    unsigned log_block_;
    unsigned log_blocks_;
    std::shared_ptr<const Tables> tables_;
};

/// The Reed–Solomon code of PROTOCOL.md section 10: `data` has room for 2^(log_n + log_blowup) words, its LAST 2^log_n
/// are the message (natural order). On return all of it is the codeword over <w_(log_n + log_blowup)>, bit-reversed.
void reed_solomon_encode(std::uint32_t* data, unsigned log_n, unsigned log_blowup);

/// Where the code is evaluated on its part t, which lies at [t·2^log_n, (t + 1)·2^log_n): shift·<w_log_n>, with this shift.
Fp code_part_shift(unsigned log_n, unsigned log_blowup, std::size_t t);

/// Coefficients (natural order) from evaluations on shift·<w_log_n> in bit-reversed order, in place; one thread, for small sizes.
void inverse_ntt(std::span<Fp> evals, Fp shift = Fp::one());

/// Swaps element i with element reverse_bits(i).
void bit_reverse_permute(std::span<Fp> values);

}  // namespace whorl
