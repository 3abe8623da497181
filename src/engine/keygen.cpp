// keygen() of air.hpp: the keys of room air, with the commitments of the prover and the hash of the codec.
#include "air/keygen.hpp"

#include <whorl/air.hpp>
#include <whorl/prove.hpp>

namespace whorl {

Result<ProvingKey> keygen(const SystemParams& params, std::span<const AnyAir> airs) {
    auto key = generate_keys(
        params, airs, [](const SystemParams& with, const Matrix& matrix) { return commit_matrix(with, matrix); });
    if (key) key->vk.pre_hash = verifying_key_pre_hash(key->vk);
    return key;
}

}  // namespace whorl
