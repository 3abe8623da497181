// Constraint programs in chunks: the counts that bench/metal_cost_model.py takes for keccak-f.
#include <gmock/gmock.h>

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include <whorl/key.hpp>

#include "backend/gpu/programs.hpp"
#include "engine/files.hpp"

namespace whorl::gpu {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> bytes_of(const fs::path& path) {
    Result<std::vector<std::byte>> bytes =
        read_file(path, {.max_bytes = std::uint64_t{1} << 24, .content = "a list of programs"});
    EXPECT_TRUE(bytes) << path;
    return bytes ? *std::move(bytes) : std::vector<std::byte>();
}

// The line of the script that describes a program.
std::string line_of(const char* name, const ChunkedProgram& program) {
    std::size_t additions = 0, multiplications = 0, accumulations = 0, operands = 0, chunk_inputs = 0;
    std::uint32_t longest = 0;
    for (const ProgramChunk& chunk : program.chunks) {
        std::set<std::uint32_t> inputs;
        for (std::uint32_t i = 0; i < chunk.num_instructions; ++i) {
            const ProgramInstruction& instruction = program.code[chunk.first_instruction + i];
            const std::uint32_t operation = instruction[0];
            additions += operation == kProgramAdd || operation == kProgramSub;
            multiplications += operation == kProgramMul || operation == kProgramScale;
            accumulations += operation == kProgramAccumulate;
            for (const std::uint32_t operand : {instruction[2], instruction[3]}) {
                if (operand >> kOperandKindShift != kOperandInput) continue;
                ++operands;
                inputs.insert(operand);
            }
        }
        chunk_inputs += inputs.size();
        longest = std::max(longest, chunk.num_instructions);
    }
    return fmt::format("\n{} = Program({}, {}, {}, {}, {}, {}, {})\n", name, program.num_chunks(), additions,
                       multiplications, accumulations, operands, chunk_inputs, longest);
}

TEST(Programs, OfKeccakHaveTheCountsOfTheCostModel) {
    const fs::path vectors = WHORL_TEST_VECTORS;
    const Result<VerifyingKey> key = decode_verifying_key(bytes_of(vectors / "keccakf_1024/vk.postcard"));
    ASSERT_TRUE(key);
    const AirPrograms programs(key->airs.at(0));
    const std::vector<std::byte> bytes = bytes_of(vectors.parent_path().parent_path() / "bench/metal_cost_model.py");
    const std::string script(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    EXPECT_THAT(script, testing::HasSubstr(fmt::format("\nINPUTS = {}\n", programs.zerocheck.inputs.size())));
    EXPECT_THAT(script, testing::HasSubstr(line_of("ZEROCHECK", programs.zerocheck)));
    EXPECT_THAT(script, testing::HasSubstr(line_of("SPLIT_ZEROCHECK", programs.split_zerocheck.program)));
}

}  // namespace
}  // namespace whorl::gpu
