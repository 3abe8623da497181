#include <whorl/transcript.hpp>

#include "hash/poseidon2.hpp"
#include "machine/guard.hpp"

namespace whorl {

static_assert(sizeof(PoseidonState) == sizeof(TranscriptState::sponge));

void Transcript::permute() noexcept {
    poseidon2_permute(state_.sponge);
    state_.absorb_index = 0;
    state_.squeeze_index = kRate;
}

Result<Transcript> Transcript::from_state(const TranscriptState& state) noexcept {
    constexpr const char* kStage = "transcript";
    if (state.absorb_index >= kRate || state.squeeze_index > kRate) {
        return guarded_error(
            ErrorCode::kInvalidArgument, kStage,
            "an index of the state is out of its range: expected absorb_index below 8, squeeze_index at most 8");
    }
    for (const Fp x : state.sponge) {
        if (x.montgomery() < Fp::kModulus) continue;
        return guarded_error(ErrorCode::kInvalidArgument, kStage,
                             "the sponge of the state holds a word that is no field element: expected words below p");
    }
    Transcript transcript;
    transcript.state_ = state;
    return transcript;
}

}  // namespace whorl
