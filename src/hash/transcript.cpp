#include <whorl/transcript.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>

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
    return guarded(kStage, [&]() -> Result<Transcript> {
        const auto bad = [](std::string message) {
            return Error{ErrorCode::kInvalidArgument, kStage, std::move(message)};
        };
        if (state.absorb_index >= kRate) {
            return bad(fmt::format("expected an absorb_index below {}, found {}", kRate, state.absorb_index));
        }
        if (state.squeeze_index > kRate) {
            return bad(fmt::format("expected a squeeze_index of at most {}, found {}", kRate, state.squeeze_index));
        }
        for (std::size_t i = 0; i < state.sponge.size(); ++i) {
            if (state.sponge[i].montgomery() < Fp::kModulus) continue;
            return bad(fmt::format("word {} of the sponge: expected a word below {}, found {}", i, Fp::kModulus,
                                   state.sponge[i].montgomery()));
        }
        Transcript transcript;
        transcript.state_ = state;
        return transcript;
    });
}

}  // namespace whorl
