// Whether a proof can be one under a key, without judging it.
#pragma once

#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/proof.hpp>

namespace whorl::cli {

/// All AIRs in which `proof` differs from what `vk` asks for; where there are none, the first length in it that no proof under
/// `vk` has. Empty where the proof has the shape of one under `vk`: verification alone tells whether it is valid.
std::vector<std::string> find_misfits(const VerifyingKey& vk, const Proof& proof);

}  // namespace whorl::cli
