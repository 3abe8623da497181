// units.json: known answers of the published crates, canonical numbers.
#pragma once

#include <fstream>

#include <nlohmann/json.hpp>

#include "vectors.hpp"

namespace whorl::test {

inline const nlohmann::json& units() {
    static const nlohmann::json document = [] {
        std::ifstream in(std::filesystem::path(WHORL_TEST_VECTORS) / "units.json");
        return nlohmann::json::parse(in);
    }();
    return document;
}

inline Fp to_fp(const nlohmann::json& value) {
    return Fp::from_canonical(value.get<std::uint32_t>());
}
inline Fp4 to_fp4(const nlohmann::json& value) {
    return {to_fp(value[0]), to_fp(value[1]), to_fp(value[2]), to_fp(value[3])};
}
inline std::vector<Fp> to_fps(const nlohmann::json& values) {
    std::vector<Fp> out;
    for (const auto& value : values) out.push_back(to_fp(value));
    return out;
}
inline Digest to_digest(const nlohmann::json& values) {
    Digest out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = to_fp(values[i]);
    return out;
}

}  // namespace whorl::test
