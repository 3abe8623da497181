// The Fiat–Shamir transcript: a duplex sponge in overwrite mode, rate 8 (PROTOCOL.md section 4). This one runs on the
// host, for the verifier and for backends whose challenges are host numbers.
#pragma once

#include <cstdint>

#include <whorl/field.hpp>

#include "hash/poseidon2.hpp"

namespace whorl {

class HostTranscript {
public:
    void observe(Fp value) {
        state_[absorb_index_++] = value;
        if (absorb_index_ == kPoseidonRate) permute();
    }
    void observe(const Digest& digest) {
        for (const Fp x : digest) observe(x);
    }
    void observe_ext(const Fp4& value) {
        for (const Fp x : value.c) observe(x);
    }

    Fp sample() {
        if (absorb_index_ != 0 || squeeze_index_ == 0) permute();
        return state_[--squeeze_index_];
    }
    Fp4 sample_ext() {
        Fp4 value;
        for (Fp& x : value.c) x = sample();
        return value;
    }
    /// The low `num_bits` bits of one sample; num_bits < 31.
    std::uint32_t sample_bits(unsigned num_bits) { return sample().canonical() & ((std::uint32_t{1} << num_bits) - 1); }

    /// Whether `witness` makes the next `num_bits` bits zero; with 0 bits nothing is observed or sampled.
    bool check_witness(unsigned num_bits, Fp witness) {
        if (num_bits == 0) return true;
        observe(witness);
        return sample_bits(num_bits) == 0;
    }

    /// For grinding: the state as it is, and where the next observed value goes.
    const PoseidonState& state() const { return state_; }
    unsigned absorb_index() const { return absorb_index_; }

private:
    void permute() {
        poseidon2_permute(state_);
        absorb_index_ = 0;
        squeeze_index_ = kPoseidonRate;
    }

    PoseidonState state_{};
    unsigned absorb_index_ = 0;
    unsigned squeeze_index_ = 0;
};

}  // namespace whorl
