// The stored proofs and how others are compared with them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

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

/// Names the first difference instead of printing both proofs.
inline void expect_same_bytes(const std::vector<std::byte>& found, const std::vector<std::byte>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    const auto [a, b] = std::ranges::mismatch(found, expected);
    EXPECT_TRUE(a == found.end()) << "first difference at byte " << (a - found.begin());
}

}  // namespace whorl::test
