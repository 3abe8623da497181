// The instruction sets of the vector kernels, by name.
#include "field/instruction_sets.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace whorl {
namespace {

TEST(InstructionSets, AreUsedByName) {
    const std::vector<std::string> names = usable_instruction_sets();
    ASSERT_FALSE(names.empty());
    EXPECT_EQ(names.back(), "plain C++");
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_TRUE(use_instruction_set(names[i]));
        EXPECT_EQ(usable_instruction_sets(), std::vector<std::string>(names.begin() + i, names.end()));
    }
    use_best_instruction_set();
    EXPECT_EQ(usable_instruction_sets(), names);
    EXPECT_FALSE(use_instruction_set("abacus"));
    EXPECT_FALSE(use_instruction_set(""));
    EXPECT_EQ(usable_instruction_sets(), names);
}

}  // namespace
}  // namespace whorl
