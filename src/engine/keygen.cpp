// keygen() of air.hpp: the keys of module air, with the commitments of the prover and the hash of the codec.
#include "air/keygen.hpp"

#include <whorl/air.hpp>
#include <whorl/prove.hpp>

#include "machine/guard.hpp"

namespace whorl {

Result<ProvingKey> keygen(const SystemParams& params, std::span<const AnyAir> airs) noexcept {
    return guarded("keygen", [&]() -> Result<ProvingKey> {
        Result<ProvingKey> key = generate_keys(
            params, airs, [](const SystemParams& with, const Matrix& matrix) { return commit_matrix(with, matrix); });
        if (!key) return key;
        Result<Digest> pre_hash = verifying_key_pre_hash(key->vk);
        if (!pre_hash) return std::move(pre_hash).error();
        key->vk.pre_hash = *pre_hash;
        return key;
    });
}

}  // namespace whorl
