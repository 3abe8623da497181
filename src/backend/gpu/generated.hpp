// Constraint programs as kernels of their own, for devices that compile while the program runs: straight-line code in place
// of instructions that every thread decodes (kernels/program.h). Each chunk becomes a function, and a few chunks a kernel:
// compilers of devices take too long for large ones.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/telemetry.hpp>

#include "backend/gpu/programs.hpp"
#include "device/runtime.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

struct GenerationOptions {
    std::size_t max_kernel_instructions = 1000;  ///< programs with a longer chunk are left to the interpreter
    std::chrono::milliseconds timeout{20'000};   ///< for all waiting that a prover does
};

/// A kernel for some chunks of a program.
struct GeneratedKernel {
    std::string name;
    std::string text;  ///< as Runtime::compile() takes it
    std::uint32_t first_chunk = 0;
    std::uint32_t num_chunks = 0;
    std::size_t num_instructions = 0;
};
/// Kernels round0_g<hash>_<i> that do together what round0_evaluate_cosets does on one job of the program, from
/// EvaluateParams with that job alone. The hash is that of their code. None where a chunk is longer than `max_instructions`.
std::vector<GeneratedKernel> generate_coset_kernels(const AirVerifyingKey& air, const ChunkedProgram& program,
                                                    std::size_t max_instructions);

/// The generated kernels of a key on one device.
class GeneratedPrograms {
public:
    /// A kernel that can be dispatched.
    struct Ready {
        const KernelInfo* info = nullptr;
        std::uint32_t num_chunks = 0;
    };

    /// The runtime must outlive this, and so must the programs of the key.
    GeneratedPrograms(Runtime& runtime, const GenerationOptions& options)
        : runtime_(runtime), options_(options), time_left_(options.timeout) {}

    /// Starts to compile what the proof of `input` can use, and waits while there is time left. What became of it is told in a
    /// span `compile_constraints` when there is something new; nothing here makes a proof fail.
    void prepare(const ProverInput& input, ProgramCache& programs);
    /// Those that take the program's part in evaluating cosets; none while one of them is missing.
    std::span<const Ready> coset_kernels(const ChunkedProgram& program) const;

private:
    struct Kernel {
        GeneratedKernel source;  // the text is given away
        KernelInfo info;
        std::unique_ptr<Compilation> compilation;  // null: not begun
        bool is_compiled = false;
    };
    struct Program {
        std::vector<Kernel> kernels;
        std::vector<Ready> ready;  // all of them, once they are compiled
        std::string problem;       // why one was not
        bool is_under_way() const { return ready.empty() && problem.empty(); }
    };

    void add(const AirVerifyingKey& air, const ChunkedProgram& program);
    bool advance();
    void start(Program& program, Kernel& kernel);
    void wait();
    void report(Span& span) const;

    Runtime& runtime_;
    GenerationOptions options_;
    std::chrono::milliseconds time_left_;
    bool can_compile_ = true;
    std::int64_t text_bytes_ = 0;
    std::size_t num_oversized_ = 0;  // programs
    std::deque<Program> programs_;
    std::map<const ChunkedProgram*, const Program*> program_of_;  // null: left to the interpreter
};

}  // namespace whorl::gpu
