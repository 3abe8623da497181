#include "backend/gpu/generated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "air/program.hpp"
#include "backend/gpu/kernels.hpp"

namespace whorl::gpu {
namespace {

using State = Compilation::State;

constexpr std::chrono::milliseconds kPollInterval{2};

// The values of a program's constants that are the same in every proof: those without public values. Constant 0 is zero.
std::vector<std::optional<Fp>> fixed_constants(const AirVerifyingKey& air, const ChunkedProgram& program) {
    const std::vector<bool> reads_trace = nodes_reading_trace(air);
    const std::vector<Fp> values = constant_node_values(air, reads_trace, std::vector<Fp>(air.num_public_values));
    std::vector<bool> is_fixed(air.nodes.size());
    for (std::size_t i = 0; i < is_fixed.size(); ++i) {
        const SymbolicNode& n = air.nodes[i];
        switch (n.op) {
            case SymbolicNode::Op::kConstant:
                is_fixed[i] = true;
                break;
            case SymbolicNode::Op::kNeg:
                is_fixed[i] = is_fixed[n.left];
                break;
            case SymbolicNode::Op::kAdd:
            case SymbolicNode::Op::kSub:
            case SymbolicNode::Op::kMul:
                is_fixed[i] = is_fixed[n.left] && is_fixed[n.right];
                break;
            default:
                break;
        }
    }
    std::vector<std::optional<Fp>> out{Fp::zero()};
    for (const ConstraintProgram::Constant& c : program.constants) {
        std::optional<Fp>& value = out.emplace_back();
        if (is_fixed[c.node]) value = c.is_negated ? -values[c.node] : values[c.node];
    }
    return out;
}

// The statements of a chunk. Values are named by the instruction that makes them, inputs x, by number.
std::string chunk_body(const ChunkedProgram& program, const ProgramChunk& chunk,
                       std::span<const std::optional<Fp>> constants) {
    std::string text;
    const auto write = [&]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
    };
    std::map<std::uint32_t, std::uint32_t> value_in;  // the last value of each register
    std::set<std::uint32_t> inputs_read;
    std::uint32_t previous = 0;
    const auto operand = [&](std::uint32_t word) -> std::string {
        const std::uint32_t index = word & kOperandIndexMask;
        switch (word >> kOperandKindShift) {
            case kOperandPrevious:
                return fmt::format("v{}", previous);
            case kOperandInput:
                if (inputs_read.insert(index).second) write("    const Word4 x{0} = read_input(in, {0});\n", index);
                return fmt::format("x{}", index);
            case kOperandConstant:
                if (constants[index]) return fmt::format("word4_from({}u)", constants[index]->montgomery());
                return fmt::format("word4_from(program.constants[{}])", index);
            case kOperandSpilled:
                return fmt::format("v{}", value_in.at(kLocalRegisters + index));
            default:
                return fmt::format("v{}", value_in.at(index));
        }
    };
    for (std::uint32_t i = 0; i < chunk.num_instructions; ++i) {
        const auto [operation, destination, a_word, b_word] = program.code[chunk.first_instruction + i];
        const std::string a = operand(a_word);
        if (operation == kProgramAccumulate) {
            write("    out = add_term(out, program, {}, {});\n", b_word & kOperandIndexMask, a);
        } else if (operation == kProgramStore) {
            write("    out.stored = {};\n", a);
        } else {
            const std::string_view name = operation == kProgramAdd ? "add" : operation == kProgramSub ? "sub" : "mul";
            const std::string b = operand(b_word);
            write("    const Word4 v{} = word4_{}({}, {});\n", i, name, a, b);
            previous = i;
            if (destination != kNoRegister) value_in[destination] = i;
        }
    }
    return text;
}

// FNV-1a.
std::uint64_t hash_of(std::span<const std::string> texts) {
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (const std::string& text : texts) {
        for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    }
    return hash;
}

}  // namespace

std::vector<GeneratedKernel> generate_coset_kernels(const AirVerifyingKey& air, const ChunkedProgram& program,
                                                    std::size_t max_instructions) {
    std::vector<GeneratedKernel> out;
    for (std::uint32_t c = 0; c < program.num_chunks(); ++c) {
        const std::size_t size = program.chunks[c].num_instructions;
        if (size > max_instructions) return {};
        if (out.empty() || out.back().num_instructions + size > max_instructions) out.emplace_back().first_chunk = c;
        ++out.back().num_chunks;
        out.back().num_instructions += size;
    }

    const std::vector<std::optional<Fp>> constants = fixed_constants(air, program);
    std::vector<std::string> bodies;
    for (const ProgramChunk& chunk : program.chunks) bodies.push_back(chunk_body(program, chunk, constants));
    const std::uint64_t hash = hash_of(bodies);
    for (std::size_t k = 0; k < out.size(); ++k) {
        GeneratedKernel& kernel = out[k];
        const std::string id = fmt::format("g{:016x}_{}", hash, k);
        kernel.name = "round0_" + id;
        std::string cases;
        for (std::uint32_t c = kernel.first_chunk; c < kernel.first_chunk + kernel.num_chunks; ++c) {
            kernel.text += fmt::format(
                "WH_FN Quad {}_chunk{}(Program program, CosetInputs in) {{\n"
                "    Quad out = empty_quad();\n{}"
                "    return out;\n}}\n",
                id, c, bodies[c]);
            const bool is_last = c + 1 == kernel.first_chunk + kernel.num_chunks;
            cases += fmt::format("        {}: return {}_chunk{}(program, code.in);\n",
                                 is_last ? "default" : fmt::format("case {}", c), id, c);
        }
        kernel.text += fmt::format(
            "struct Code_{0} {{\n"
            "    CosetInputs in;\n"
            "    u32 chunk;\n}};\n"
            "WH_FN Quad evaluate_quad(Code_{0} code, Program program, EvaluateJob, u32 quad) {{\n"
            "    code.in.quad = quad;\n"
            "    switch (code.chunk) {{\n{1}    }}\n}}\n"
            "WH_KERNEL({2}, EvaluateParams, 256) {{\n"
            "    WH_SHARED(scratch, 4112);\n"
            "    WH_THREAD(t);\n"
            "    evaluate_generated<Code_{0}>(t, scratch, p, {3}, {4});\n}}\n",
            id, cases, kernel.name, kernel.first_chunk, kernel.num_chunks);
    }
    return out;
}

void GeneratedPrograms::add(const AirVerifyingKey& air, const ChunkedProgram& program) {
    const Program*& entry = program_of_[&program];
    std::vector<GeneratedKernel> sources = generate_coset_kernels(air, program, options_.max_kernel_instructions);
    if (sources.empty()) {
        ++num_oversized_;
        return;
    }
    // AIRs may share a program.
    const auto known = std::ranges::find_if(
        programs_, [&](const Program& other) { return other.kernels[0].source.name == sources[0].name; });
    if (known != programs_.end()) {
        entry = &*known;
        return;
    }
    Program& added = programs_.emplace_back();
    entry = &added;
    added.kernels.resize(sources.size());
    for (std::size_t k = 0; k < sources.size(); ++k) {
        Kernel& kernel = added.kernels[k];
        kernel.source = std::move(sources[k]);
        kernel.info = kernel::round0_evaluate_cosets.info;
        kernel.info.name = kernel.source.name.c_str();
        text_bytes_ += static_cast<std::int64_t>(kernel.source.text.size());
    }
}

void GeneratedPrograms::start(Program& program, Kernel& kernel) {
    try {
        kernel.compilation = runtime_.compile(std::exchange(kernel.source.text, {}), {&kernel.info, 1});
    } catch (const DeviceError& e) {
        program.problem = e.what();
        return;
    }
    if (kernel.compilation != nullptr) return;
    can_compile_ = false;
    program.problem = fmt::format("{} compiles no kernels while the program runs", runtime_.info().id);
}

// Looks at what is under way and starts what there is room for. Returns whether a program has come to an end.
bool GeneratedPrograms::advance() {
    const std::size_t max_under_way = std::max(std::thread::hardware_concurrency(), 2u);
    std::size_t num_under_way = 0;
    bool has_ended = false;
    for (Program& program : programs_) {
        if (!program.is_under_way()) continue;
        for (Kernel& kernel : program.kernels) {
            if (kernel.is_compiled) continue;
            if (kernel.compilation == nullptr && num_under_way < max_under_way) start(program, kernel);
            if (!program.problem.empty()) break;
            if (kernel.compilation == nullptr) continue;
            const State state = kernel.compilation->state();
            if (state == State::kFailed) {
                program.problem = kernel.compilation->problem();
                break;
            }
            kernel.is_compiled = state == State::kReady;
            num_under_way += kernel.is_compiled ? 0 : 1;
        }
        if (std::ranges::all_of(program.kernels, &Kernel::is_compiled)) {
            for (const Kernel& kernel : program.kernels) {
                program.ready.push_back({&kernel.info, kernel.source.num_chunks});
            }
        }
        has_ended |= !program.is_under_way();
    }
    return has_ended;
}

void GeneratedPrograms::wait() {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    for (advance(); std::ranges::any_of(programs_, &Program::is_under_way) && Clock::now() - start < time_left_;
         advance()) {
        std::this_thread::sleep_for(kPollInterval);
    }
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    time_left_ -= std::min(time_left_, waited);
}

void GeneratedPrograms::report(Span& span) const {
    std::int64_t num_compiled = 0, num_failed = 0, num_pending = 0;
    std::string problem;
    for (const Program& program : programs_) {
        const auto num_kernels = static_cast<std::int64_t>(program.kernels.size());
        std::int64_t& count = program.is_under_way()    ? num_pending
                              : program.problem.empty() ? num_compiled
                                                        : num_failed;
        count += num_kernels;
        if (problem.empty()) problem = program.problem;
    }
    if (problem.empty() && num_pending != 0) {
        problem = fmt::format("{} of {} kernels were not compiled within {:.3g} s", num_pending,
                              num_pending + num_compiled, std::chrono::duration<double>(options_.timeout).count());
    }
    if (problem.empty() && num_oversized_ != 0) {
        problem = fmt::format("{} programs have a constraint of more than {} instructions", num_oversized_,
                              options_.max_kernel_instructions);
    }
    span.set("device_compiles", std::int64_t{can_compile_});
    span.set("compiled_kernel_count", num_compiled);
    span.set("failed_kernel_count", num_failed);
    span.set("pending_kernel_count", num_pending);
    span.set("text_bytes", text_bytes_);
    if (!problem.empty()) span.set("problem", std::move(problem));
}

void GeneratedPrograms::prepare(const ProverInput& input, ProgramCache& programs) {
    std::vector<std::pair<const AirVerifyingKey*, const ChunkedProgram*>> added;
    for (std::uint32_t t = 0; t < input.traces.size() && can_compile_; ++t) {
        const AirPrograms& air = programs.air(input.layout.traces[t].air_id);
        // Sums of degree 1 are on rows alone.
        if (air.summands.zerocheck.degree > 1) added.emplace_back(&input.air(t), &air.zerocheck);
        if (air.summands.logup.degree > 1) added.emplace_back(&input.air(t), &air.logup);
    }
    std::erase_if(added, [&](const auto& entry) {
        return entry.second->num_chunks() == 0 || program_of_.contains(entry.second);
    });
    if (added.empty() && !advance()) return;

    Span span(input.telemetry, "compile_constraints");
    for (const auto& [air, program] : added) add(*air, *program);
    wait();
    report(span);
}

std::span<const GeneratedPrograms::Ready> GeneratedPrograms::coset_kernels(const ChunkedProgram& program) const {
    const auto found = program_of_.find(&program);
    return found == program_of_.end() || found->second == nullptr ? std::span<const Ready>() : found->second->ready;
}

}  // namespace whorl::gpu
