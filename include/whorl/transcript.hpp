// The Fiat–Shamir transcript (PROTOCOL.md section 4), for proofs that are part of a larger protocol: prover and verifier go on
// from a transcript that has observed what came before, and leave it for what comes after.
#pragma once

#include <array>
#include <cstdint>

#include <whorl/error.hpp>
#include <whorl/field.hpp>

namespace whorl {

/// All that a transcript remembers: a duplex sponge of rate 8 in overwrite mode over Poseidon2.
struct TranscriptState {
    std::array<Fp, 16> sponge{};
    std::uint32_t absorb_index = 0;   ///< where the next observed element goes, 0 to 7
    std::uint32_t squeeze_index = 0;  ///< samples left before the next permutation, 0 to 8

    friend bool operator==(const TranscriptState&, const TranscriptState&) = default;
};

/// A transcript on the host. A new one is in the state that the published crates begin a proof with.
class Transcript {
public:
    Transcript() = default;
    /// Goes on from `state`. Errors: kInvalidArgument (an index out of its range, a word that is no field element).
    static Result<Transcript> from_state(const TranscriptState& state) noexcept;

    void observe(Fp value) noexcept {
        state_.sponge[state_.absorb_index++] = value;
        if (state_.absorb_index == kRate) permute();
    }
    void observe(const Digest& digest) noexcept {
        for (const Fp x : digest) observe(x);
    }
    void observe_ext(const Fp4& value) noexcept {
        for (const Fp x : value.c) observe(x);
    }

    Fp sample() noexcept {
        if (state_.absorb_index != 0 || state_.squeeze_index == 0) permute();
        return state_.sponge[--state_.squeeze_index];
    }
    Fp4 sample_ext() noexcept {
        Fp4 value;
        for (Fp& x : value.c) x = sample();
        return value;
    }
    /// The low `num_bits` bits of one sample; num_bits < 31.
    std::uint32_t sample_bits(unsigned num_bits) noexcept {
        return sample().canonical() & ((std::uint32_t{1} << num_bits) - 1);
    }
    /// Whether `witness` makes the next `num_bits` bits zero; with 0 bits nothing is observed or sampled.
    bool check_witness(unsigned num_bits, Fp witness) noexcept {
        if (num_bits == 0) return true;
        observe(witness);
        return sample_bits(num_bits) == 0;
    }

    const TranscriptState& state() const noexcept { return state_; }

private:
    static constexpr std::uint32_t kRate = 8;

    void permute() noexcept;

    TranscriptState state_;
};

}  // namespace whorl
