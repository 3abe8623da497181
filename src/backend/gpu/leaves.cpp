#include "backend/gpu/leaves.hpp"

#include <algorithm>
#include <cstddef>

#include "backend/gpu/kernels.hpp"
#include "poly/prismalinear.hpp"

namespace whorl::gpu {
namespace {

static_assert(sizeof(LeafJob) == 4 * kLeafJobWords && offsetof(LeafJob, first_group) == 4 * kLeafJobGroupWord);

// Threads of one trace's jobs that have registers in memory.
constexpr std::uint64_t kSpillingThreads = std::uint64_t{1} << 18;

// What an interaction's job needs besides its program.
struct LeafConstants {
    Fp4 denominator;
    Fp count;
};

// Appends the coefficients of a trace's chunks; returns the other constants by interaction.
std::vector<LeafConstants> bind_leaves(const AirVerifyingKey& air, const AirPrograms& programs,
                                       std::span<const Fp> node_values, const Fp4& alpha,
                                       std::span<const Fp4> beta_powers, std::vector<Fp4>& coefficients) {
    const std::size_t first = coefficients.size();
    const std::vector<std::uint32_t>& nodes = programs.leaves.term_nodes;
    coefficients.resize(first + nodes.size());
    std::vector<LeafConstants> out;
    for (std::size_t i = 0; i < air.interactions.size(); ++i) {
        const SymbolicInteraction& interaction = air.interactions[i];
        const std::size_t begin = programs.leaves.program.chunks[i].first_coefficient;
        const std::size_t end =
            i + 1 < air.interactions.size() ? programs.leaves.program.chunks[i + 1].first_coefficient : nodes.size();
        LeafConstants& constants = out.emplace_back();
        const std::size_t length = interaction.message.size();
        constants.denominator = alpha + beta_powers[length] * Fp::from_canonical(interaction.bus_index + 1u);
        constants.count = node_values[interaction.count];
        for (std::size_t m = 0; m < length; ++m) {
            const std::uint32_t node = interaction.message[m];
            if (!programs.summands.reads_trace[node]) {
                constants.denominator += beta_powers[m] * node_values[node];
                continue;
            }
            const auto at = std::lower_bound(nodes.begin() + static_cast<std::ptrdiff_t>(begin),
                                             nodes.begin() + static_cast<std::ptrdiff_t>(end), node);
            coefficients[first + static_cast<std::size_t>(at - nodes.begin())] += beta_powers[m];
        }
    }
    return out;
}

}  // namespace

RecordedLeaves evaluate_leaves(Device& device, const DeviceTraces& traces, const ProverInput& input,
                               ProgramCache& programs, const Fp4& alpha, const Fp4& beta, Address leaf_p,
                               Address leaf_q) {
    Recorder& recorder = device.recorder();
    std::size_t max_message = 0;
    for (std::size_t t = 0; t < input.traces.size(); ++t) {
        for (const auto& i : input.air(t).interactions) max_message = std::max(max_message, i.message.size());
    }
    const std::vector<Fp4> beta_powers = powers(beta, max_message + 1);

    std::vector<LeafJob> jobs;
    std::vector<Fp4> coefficients;
    std::vector<std::size_t> first_coefficient;  // of each job, in `coefficients`
    std::uint64_t num_groups = 0, num_spilled = 0;
    std::size_t first_block = 0;
    for (std::uint32_t t = 0; t < input.traces.size(); ++t) {
        const AirVerifyingKey& air = input.air(t);
        if (air.interactions.empty()) continue;
        const AirPrograms& air_programs = programs.air(input.layout.traces[t].air_id);
        const ChunkedProgram& program = air_programs.leaves.program;
        const std::vector<Fp> node_values =
            constant_node_values(air, air_programs.summands.reads_trace, input.traces[t]->public_values);
        const std::size_t trace_coefficients = coefficients.size();
        const std::vector<LeafConstants> constants =
            bind_leaves(air, air_programs, node_values, alpha, beta_powers, coefficients);
        const Address code = recorder.upload(program.code);
        const Address columns = recorder.upload(input_columns(program, traces, t));
        const Address program_constants = recorder.upload(constant_values(program, node_values));

        const std::uint64_t height = input.traces[t]->height();
        const std::uint64_t num_cells = height << input.log_repetitions(t);
        const std::uint64_t quads = (num_cells + 3) / 4;
        const std::uint64_t max_threads =
            program.num_spilled == 0 ? quads : std::max<std::uint64_t>(kSpillingThreads / program.num_chunks(), 1);
        const std::uint64_t job_groups = groups_for(kernel::logup_leaves, std::min(quads, max_threads));
        const std::uint64_t num_threads = job_groups * kernel::logup_leaves.info.threads;
        for (std::size_t i = 0; i < air.interactions.size(); ++i) {
            const ProgramChunk& chunk = program.chunks[i];
            const std::uint64_t start = input.layout.logup_blocks[first_block + i].start;
            jobs.push_back({.code = code,
                            .coefficients = 0,
                            .constants = program_constants,
                            .inputs = columns,
                            .spilled = num_spilled,
                            .p = leaf_p + 4 * start,
                            .q = leaf_q + 16 * start,
                            .q_constant = ext_param(constants[i].denominator),
                            .first_group = static_cast<std::uint32_t>(num_groups),
                            .first_instruction = chunk.first_instruction,
                            .num_instructions = chunk.num_instructions,
                            .row_mask = static_cast<std::uint32_t>(height - 1),
                            .num_cells = static_cast<std::uint32_t>(num_cells),
                            .num_quads = static_cast<std::uint32_t>((quads + num_threads - 1) / num_threads),
                            .num_threads = static_cast<std::uint32_t>(num_threads),
                            .p_constant = constants[i].count.montgomery(),
                            .p_scale = Fp::half().pow(input.log_repetitions(t)).montgomery(),
                            .has_count = air_programs.leaves.has_count[i] ? 1u : 0u});
            first_coefficient.push_back(trace_coefficients + chunk.first_coefficient);
            num_groups += job_groups;
            num_spilled += num_threads * program.num_spilled;
        }
        first_block += air.interactions.size();
    }

    RecordedLeaves out;
    if (num_spilled != 0) out.registers = device.arena().take_exts("leaf_registers", num_spilled);
    const Address coefficients_at = recorder.upload(coefficients);
    for (std::size_t j = 0; j < jobs.size(); ++j) {
        jobs[j].coefficients = coefficients_at + 16 * first_coefficient[j];
        jobs[j].spilled = out.registers ? out.registers.ext(jobs[j].spilled) : 0;
    }
    recorder.dispatch(kernel::logup_leaves, num_groups,
                      {recorder.upload(jobs), static_cast<std::uint32_t>(jobs.size()), 0});
    out.num_kernels = 1;
    return out;
}

}  // namespace whorl::gpu
