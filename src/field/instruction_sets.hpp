// The instruction sets of the vector kernels, by name.
#pragma once

#include <string>
#include <vector>

namespace whorl {

/// Those that the kernels are compiled for and this processor has, best first: the first is the one in use. "AVX-512 IFMA", "AVX-512", "AVX2",
/// "NEON", "plain C++".
std::vector<std::string> usable_instruction_sets();

}  // namespace whorl
