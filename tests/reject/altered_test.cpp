// Each element and each length of each small proof altered alone: whorl agrees with the published verifier on every one
// (tests/reject/altered/README.md).
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support.hpp"

namespace whorl {
namespace {

using nlohmann::json;

json survey(const std::string& vector) {
    std::ifstream in(std::filesystem::path(WHORL_TEST_VECTORS).parent_path() / "reject/altered" / (vector + ".json"));
    return json::parse(in);
}

class Altered : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        key_ = test::load_key(GetParam());
        bytes_ = test::proof_bytes(GetParam());
        survey_ = survey(GetParam());
        ASSERT_EQ(survey_["proof_bytes"].get<std::size_t>(), bytes_.size());
    }

    VerifyingKey key_;
    std::vector<std::byte> bytes_;
    json survey_;
};

TEST_P(Altered, SurveyCoversEveryByteOfTheProof) {
    std::vector<int> covered(bytes_.size());
    for (const std::size_t offset : survey_["elements"]) {
        for (std::size_t i = 0; i < 4; ++i) ++covered.at(offset + i);
    }
    std::set<std::size_t> seen;
    for (const json& entry : survey_["lengths"]) {
        if (!seen.insert(entry["offset"].get<std::size_t>()).second) continue;
        for (std::size_t i = 0; i < entry["size"].get<std::size_t>(); ++i) {
            ++covered.at(entry["offset"].get<std::size_t>() + i);
        }
    }
    for (std::size_t i = 0; i < covered.size(); ++i) ASSERT_EQ(covered[i], 1) << "byte " << i;
}

TEST_P(Altered, AgreesOnEveryElement) {
    const auto elements = survey_["elements"].get<std::vector<std::size_t>>();
    const auto accepted_list = survey_["accepted"].get<std::vector<std::size_t>>();
    const std::set<std::size_t> accepted(accepted_list.begin(), accepted_list.end());
    std::mutex mutex;
    std::map<std::string, std::size_t> counts;
    std::vector<std::string> disagreements;
    test::for_each_parallel(elements.size(), [&](std::size_t i) {
        std::vector<std::byte> altered = bytes_;
        const std::size_t offset = elements[i];
        test::store_le(altered, offset, 4, (test::load_u32(altered, offset) + 1) % Fp::kModulus);
        const std::string verdict = test::verdict(key_, altered);
        const std::lock_guard lock(mutex);
        ++counts[verdict];
        if ((verdict == "accept") != accepted.contains(offset)) {
            disagreements.push_back("element at byte " + std::to_string(offset) + ": " + verdict);
        }
    });
    EXPECT_EQ(disagreements, std::vector<std::string>{});
    RecordProperty("altered_elements", static_cast<int>(elements.size()));
    std::cout << GetParam() << ": " << elements.size() << " elements altered, " << disagreements.size()
              << " disagreements;";
    for (const auto& [verdict, count] : counts) std::cout << " " << verdict << " " << count;
    std::cout << "\n";
}

TEST_P(Altered, AgreesOnEveryLength) {
    const json& lengths = survey_["lengths"];
    std::mutex mutex;
    std::vector<std::string> disagreements;
    test::for_each_parallel(lengths.size(), [&](std::size_t i) {
        const json& entry = lengths[i];
        std::vector<std::byte> altered = bytes_;
        test::store_le(altered, entry["offset"].get<std::size_t>(), entry["size"].get<std::size_t>(),
                       entry["value"].get<std::uint64_t>());
        const std::string verdict = test::verdict(key_, altered);
        if ((verdict == "accept") != (entry["verdict"].get<std::string>() == "accept")) {
            const std::lock_guard lock(mutex);
            disagreements.push_back(entry.dump() + ": " + verdict);
        }
    });
    EXPECT_EQ(disagreements, std::vector<std::string>{});
    RecordProperty("altered_lengths", static_cast<int>(lengths.size()));
    std::cout << GetParam() << ": " << lengths.size() << " lengths altered, " << disagreements.size()
              << " disagreements\n";
}

INSTANTIATE_TEST_SUITE_P(Vectors, Altered, ::testing::ValuesIn(test::kSmallVectors),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace whorl
