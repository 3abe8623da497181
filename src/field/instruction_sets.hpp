// The instruction sets of the vector kernels, by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace whorl {

/// Those that the kernels are compiled for and this processor has, best first: the first is the one in use. "AVX-512 IFMA", "AVX-512", "AVX2",
/// "NEON", "plain C++". IFMA comes behind AVX-512 where it is slower.
std::vector<std::string> usable_instruction_sets();

/// From here on kernels use the set of this name, or for what it has no kernels the next one in order. False where the name is
/// none of usable_instruction_sets(). For measurements: not beside kernels that are at work.
bool use_instruction_set(std::string_view name);

/// Takes back every use_instruction_set(): kernels use the best set again.
void use_best_instruction_set();

}  // namespace whorl
