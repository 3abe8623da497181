// The stored proofs and how others are compared with them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <whorl/device.hpp>
#include <whorl/task.hpp>

#include "vectors.hpp"

namespace whorl::test {

/// Vectors whose traces are stored: all but keccakf_1024.
inline const std::vector<std::string> kStoredVectors{"cached",
                                                     "fib_2e5",
                                                     "fib_height_1",
                                                     "fib_three_airs_one_absent",
                                                     "interactions",
                                                     "keccak_5_perms",
                                                     "mixture",
                                                     "mixture_app_100_bits",
                                                     "mixture_l_skip_5",
                                                     "preprocessed",
                                                     "preprocessed_and_cached",
                                                     "self_interactions"};

inline std::vector<std::byte> stored_proof(const std::string& vector) {
    return read_file(vector_path(vector, "proof.bin"));
}

inline Task task_of(const std::string& vector) {
    return value_of(load_task(vector_path(vector, "")));
}

/// What tests on a device of every kind run on; on a machine without one of them they say so and are skipped (DeviceTest).
inline const std::vector<std::string> kDevices{"cpu", "sim", "cuda"};

/// A test that has a device's name as its parameter.
class DeviceTest : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        const std::vector<DeviceReport> listed = *list_devices();
        const auto is_it = [](const DeviceReport& device) { return device.id.starts_with(GetParam()); };
        const auto device = std::ranges::find_if(listed, is_it);
        if (device == listed.end()) GTEST_SKIP() << "there is no device " << GetParam();
        if (!device->problem.empty()) GTEST_SKIP() << device->id << ": " << device->problem;
    }
};

/// Names the first difference instead of printing both proofs.
inline void expect_same_bytes(const std::vector<std::byte>& found, const std::vector<std::byte>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    const auto [a, b] = std::ranges::mismatch(found, expected);
    EXPECT_TRUE(a == found.end()) << "first difference at byte " << (a - found.begin());
}

}  // namespace whorl::test
