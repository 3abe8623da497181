#include "cli/proof_fit.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include <whorl/verify.hpp>

#include "verifier/proof_shape.hpp"

namespace whorl::cli {
namespace {

void add_misfits_of_air(const VerifyingKey& vk, const Proof& proof, std::size_t i, std::vector<std::string>& misfits) {
    const AirVerifyingKey& air = vk.airs[i];
    const auto add = [&](std::string what) { misfits.push_back(fmt::format("AIR {} {}", i, std::move(what))); };
    if (!proof.trace_vdata[i]) {
        if (air.is_required) add("has no trace, the key requires one");
        return;
    }
    const TraceVData& trace = *proof.trace_vdata[i];
    if (trace.cached_commitments.size() != air.width.cached_mains.size()) {
        add(fmt::format("has {} cached commitments, the key has {} cached parts", trace.cached_commitments.size(),
                        air.width.cached_mains.size()));
    }
    const std::size_t num_values = i < proof.public_values.size() ? proof.public_values[i].size() : 0;
    if (num_values != air.num_public_values) {
        add(fmt::format("has {} public values, the key says {}", num_values, air.num_public_values));
    }
    if (trace.log_height > vk.params.log_stacked_height()) {
        add(fmt::format("has a trace of 2^{} rows, a stacked column of the key has 2^{}", trace.log_height,
                        vk.params.log_stacked_height()));
    }
    if (air.preprocessed) {
        const std::int64_t log_height = std::int64_t{air.preprocessed->hypercube_dim} + vk.params.l_skip;
        if (log_height != trace.log_height) {
            add(fmt::format("has a trace of 2^{} rows, the key's preprocessed columns have 2^{}", trace.log_height,
                            log_height));
        }
    }
}

}  // namespace

std::vector<std::string> find_misfits(const VerifyingKey& vk, const Proof& proof) {
    if (proof.trace_vdata.size() != vk.airs.size()) {
        return {fmt::format("it is for {} AIRs, the key has {}", proof.trace_vdata.size(), vk.airs.size())};
    }
    std::vector<std::string> misfits;
    for (std::size_t i = 0; i < vk.airs.size(); ++i) add_misfits_of_air(vk, proof, i, misfits);
    if (misfits.empty()) {
        if (const auto shape = verifier::check_proof_shape(vk, proof); !shape) {
            misfits.push_back(to_string(shape.error()));
        }
    }
    return misfits;
}

}  // namespace whorl::cli
