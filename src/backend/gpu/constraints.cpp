#include "backend/gpu/constraints.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include <whorl/params.hpp>

#include "backend/gpu/kernels.hpp"
#include "transforms/ntt.hpp"
#include "transforms/univariate_skip.hpp"

namespace whorl::gpu {
namespace {

static_assert(sizeof(InterpolateJob) == 4 * kInterpolateJobWords &&
              offsetof(InterpolateJob, first_group) == 4 * kInterpolateJobGroupWord);
static_assert(sizeof(EvaluateJob) == 4 * kEvaluateJobWords &&
              offsetof(EvaluateJob, first_group) == 4 * kEvaluateJobGroupWord);
// A group of round 0 adds up whole blocks of the skip domain.
static_assert(kRound0GroupPoints >= 1 << ParamLimits::kMaxLSkip);
static_assert(sizeof(BindJob) == 4 * kBindJobWords && offsetof(BindJob, first_group) == 4 * kBindJobGroupWord);
static_assert(sizeof(PairJob) == 4 * kPairJobWords && offsetof(PairJob, first_group) == 4 * kPairJobGroupWord);

// Groups of a job whose threads have registers in memory, unless it has more chunks.
constexpr std::uint64_t kSpillingGroups = 1024;
// Variables of the eq table that needs no product.
constexpr std::uint32_t kDirectEqVars = 8;

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
    return (a + b - 1) / b;
}

std::uint32_t narrow(std::uint64_t x) {
    return static_cast<std::uint32_t>(x);
}

// Steps for each thread of a job that takes `num_tiles` groups for each of `units` chunks and points at one step.
std::uint64_t steps_of(const ChunkedProgram& program, std::uint64_t steps, std::uint64_t num_tiles,
                       std::uint64_t units) {
    return program.num_spilled == 0 ? steps : std::max(steps, divide_up(num_tiles * units, kSpillingGroups));
}

std::vector<const AirSummands*> summands_of(const ProverInput& input, ProgramCache& programs) {
    std::vector<const AirSummands*> out;
    for (const SortedTrace& trace : input.layout.traces) out.push_back(&programs.air(trace.air_id).summands);
    return out;
}

// Blocks that a thread of round0_interpolate_inputs takes whole.
bool are_blocks_transformed(unsigned l) {
    return l >= 2 && l <= 4;
}

// The tables of round0_interpolate_inputs.
std::vector<Fp> coset_tables(unsigned l, std::size_t coset) {
    const std::size_t n = std::size_t{1} << l;
    const Fp w = two_adic_generator(l);
    const Fp shift = coset_shift(coset);
    std::vector<Fp> out;
    if (are_blocks_transformed(l)) {
        for (std::size_t i = 0; i < n / 2; ++i) out.push_back(w.inverse().pow(i));
        for (std::size_t i = 0; i < n / 2; ++i) out.push_back(w.pow(i));
        for (std::size_t k = 0; k < n; ++k) out.push_back(shift.pow(reverse_bits(k, l)) * Fp::half().pow(l));
        return out;
    }
    Fp point = shift;
    const Fp numerator = (point.pow2k(l) - Fp::one()) * Fp::half().pow(l);
    for (std::size_t k = 0; k < n; ++k, point *= w) out.push_back(numerator * (point - Fp::one()).inverse());
    return out;
}

// Memory for the cosets of a submission: the arena's, or where dispatch is not staged the device's own.
class Scratch {
public:
    Scratch(Device& device, std::uint64_t words) : device_(device) {
        if (device.dispatch() == Dispatch::kStaged) {
            buffer_ = device.arena().take_words("round0_scratch", words);
            address_ = buffer_.address();
        } else if (!device.is_planning()) {
            block_ = device.runtime().allocate(4 * words);
            address_ = device.runtime().bind(block_, 0, 4 * words);
            device.count_scratch_allocation(4 * words);
        }
    }
    ~Scratch() {
        if (block_.bytes == 0) return;
        device_.runtime().unbind(address_);
        device_.runtime().release(block_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    Address address() const { return address_; }

private:
    Device& device_;
    Buffer buffer_;
    Block block_;
    Address address_ = 0;
};

}  // namespace

// The work on one coset. Addresses of scratch, sums and registers are offsets in bytes until they are recorded.
struct ConstraintBatch::CosetPlan {
    // What fits into the scratch memory together.
    struct Launch {
        std::vector<InterpolateJob> interpolate;
        std::vector<EvaluateJob> evaluate;
        std::vector<const ChunkedProgram*> programs;  // of each job of evaluate
        std::uint64_t interpolate_groups = 0;
        std::uint64_t scratch_words = 0;
        std::uint64_t registers = 0;
    };
    // Where a trace's sums are: sets of words (zerocheck), or extension elements by sum (LogUp); kernels/round0_params.h.
    struct Sums {
        std::size_t trace = 0;
        std::array<std::uint64_t, 2> first{}, count{};
    };
    std::size_t coset = 0;
    std::vector<Launch> launches;
    std::vector<Sums> sums;
    std::uint64_t sums_words = 0;
    std::uint64_t scratch_words = 0;
    std::uint64_t registers = 0;
};

ConstraintBatch::ConstraintBatch(Device& device, const DeviceTraces& traces, ProgramCache& programs,
                                 const ProverInput& input, const BatchChallenges& challenges,
                                 const ConstraintTuning& tuning, const GeneratedPrograms* generated)
    : device_(device),
      input_(input),
      tuning_(tuning),
      generated_(generated),
      terms_(input, challenges, summands_of(input, programs)),
      traces_(input.traces.size()) {
    bind_programs(traces, programs);
    make_eq_heaps(std::span<const Fp4>(challenges.xi).subspan(input.params().l_skip));
}

void ConstraintBatch::bind_programs(const DeviceTraces& device_traces, ProgramCache& programs) {
    // Gathers everything, as offsets at first.
    std::size_t num_instructions = 0;
    for (const SortedTrace& trace : input_.layout.traces) {
        const AirPrograms& air = programs.air(trace.air_id);
        for (const ChunkedProgram* p :
             {&air.zerocheck, &air.logup, &air.split_zerocheck.program, &air.split_logup.program}) {
            num_instructions += p->code.size();
        }
    }
    data_words_.reserve(num_instructions * 5);  // code is most of it
    const auto add = [&]<class T>(const std::vector<T>& values) -> Address {
        const std::size_t offset = data_words_.size();
        static_assert(sizeof(T) % 4 == 0);
        data_words_.resize(offset + (values.size() * sizeof(T) / 4 + 3) / 4 * 4);
        if (!values.empty()) std::memcpy(data_words_.data() + offset, values.data(), values.size() * sizeof(T));
        return 4 * offset;
    };
    for (std::uint32_t t = 0; t < traces_.size(); ++t) {
        Trace& trace = traces_[t];
        const AirVerifyingKey& air = input_.air(t);
        const AirPrograms& air_programs = programs.air(input_.layout.traces[t].air_id);
        const std::uint32_t rows_per_column = air.need_rot ? 2 : 1;
        std::vector<Address> columns;
        std::uint32_t preprocessed_first = 0, common_first = 0;
        std::vector<std::uint32_t> main_first;
        for (const PartRef& part : input_.parts(t)) {
            const auto first = narrow(columns.size());
            if (part.kind == PartRef::Kind::kPreprocessed) preprocessed_first = first;
            if (part.kind == PartRef::Kind::kCachedMain) main_first.push_back(first);
            if (part.kind == PartRef::Kind::kCommonMain) common_first = first;
            for (std::uint32_t c = 0; c < part_width(air, part); ++c)
                columns.push_back(device_traces.part(part).column(c));
        }
        main_first.push_back(common_first);
        trace.num_columns = narrow(columns.size());
        trace.num_opened = columns.size() * rows_per_column;
        trace.columns = add(columns);

        const auto table_of = [&](const ConstraintProgram::Input& input) -> std::uint32_t {
            using InputKind = ConstraintProgram::Input::Kind;
            const std::uint32_t selectors = narrow(trace.num_opened);
            const Variable& v = input.variable;
            switch (input.kind) {
                case InputKind::kIsFirstRow:
                    return selectors;
                case InputKind::kIsLastRow:
                    return selectors + 1;
                case InputKind::kIsTransition:
                    return selectors + 2;
                case InputKind::kVariable:
                    break;
            }
            const std::uint32_t first =
                v.entry == Variable::Entry::kPreprocessed ? preprocessed_first : main_first[v.part_index];
            return (first + v.index) * rows_per_column + v.offset;
        };
        const auto bind = [&](BoundProgram& bound, const ChunkedProgram& program,
                              const std::vector<Fp4>& coefficients) {
            bound.program = &program;
            bound.num_chunks_0 = narrow(std::ranges::count(program.chunks, 0u, &ProgramChunk::sum));
            bound.code = add(program.code);
            bound.chunks = add(program.chunks);
            bound.coefficients = add(coefficients);
            bound.constants = add(constant_values(program, terms_.node_values(t)));
            std::vector<std::uint32_t> tables;
            for (const ConstraintProgram::Input& input : program.inputs) tables.push_back(table_of(input));
            bound.tables = add(tables);
        };
        for (const Kind kind : kKinds) {
            const bool is_zerocheck = kind == Kind::kZerocheck;
            BoundProgram& bound = trace.programs[static_cast<std::size_t>(kind)];
            const std::vector<Fp4>& coefficients =
                is_zerocheck ? terms_.zerocheck_coefficients(t) : terms_.logup_coefficients(t);
            bind(bound, is_zerocheck ? air_programs.zerocheck : air_programs.logup, coefficients);
            bound.columns = add(input_columns(*bound.program, device_traces, t));
            if (input_.n_lift(t) == 0) continue;
            BoundProgram& split = trace.split_programs[static_cast<std::size_t>(kind)];
            const SplitProgram& of_air = is_zerocheck ? air_programs.split_zerocheck : air_programs.split_logup;
            bind(split, of_air.program, of_air.coefficients(coefficients));
            std::ranges::copy(of_air.sum_constants(coefficients, terms_.node_values(t)), split.sum_constants.begin());
        }
    }
    data_ = device_.arena().take_words("constraint_programs", data_words_.size());
    device_.recorder().upload_to(data_.address(), data_words_.data(), 4 * data_words_.size());
    for (Trace& trace : traces_) {
        trace.columns += data_.address();
        for (auto* programs_of_size : {&trace.programs, &trace.split_programs}) {
            for (BoundProgram& bound : *programs_of_size) {
                for (Address* at : {&bound.code, &bound.chunks, &bound.coefficients, &bound.constants, &bound.columns,
                                    &bound.tables}) {
                    *at += data_.address();
                }
            }
        }
    }
}

void ConstraintBatch::make_eq_heaps(std::span<const Fp4> xi) {
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        const std::uint32_t n = input_.n_lift(t);
        const std::uint32_t num_high = std::max(n - n / 2, std::min(n, kDirectEqVars));
        traces_[t].eq = &eq_.try_emplace(n, device_, xi.first(n), n - num_high).first->second;
    }
    device_.recorder().submit(static_cast<std::int64_t>(eq_.size()) * EqHeaps::kNumKernels);
}

std::size_t ConstraintBatch::num_cosets(std::size_t trace, Kind kind) const {
    return kind == Kind::kZerocheck ? terms_.num_zerocheck_cosets(trace) : terms_.num_logup_cosets(trace);
}

ConstraintBatch::CosetPlan ConstraintBatch::plan_coset(Kind kind, std::size_t coset) const {
    const std::uint64_t n = std::uint64_t{1} << input_.params().l_skip;
    const std::uint64_t num_parts = std::max<std::uint64_t>(kRound0MaxParts / n, 1);
    // Zerocheck's first coset is 1.
    const std::size_t first_coset = kind == Kind::kZerocheck ? 1 : 0;
    const bool is_on_rows = coset == 0;
    const auto has_work = [&](std::size_t t) {
        return coset - first_coset < num_cosets(t, kind) && program(t, kind).program->num_chunks() != 0;
    };
    // Traces are cut into equal tiles, of whole blocks and fours of points.
    const auto points_of_trace = [&](std::size_t t) { return n << input_.n_lift(t); };
    const auto points_of_tile = [&](std::size_t t) {
        const std::uint64_t num_inputs = program(t, kind).program->inputs.size();
        const std::uint64_t most =
            std::max({std::bit_floor(tuning_.max_scratch_words / num_inputs), n, std::uint64_t{4}});
        return is_on_rows ? points_of_trace(t) : std::min(most, points_of_trace(t));
    };
    std::uint64_t num_groups = 0;
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        if (!has_work(t)) continue;
        num_groups += divide_up(points_of_trace(t), kRound0GroupPoints) * program(t, kind).program->num_chunks();
    }
    const std::uint64_t common_steps = std::max<std::uint64_t>(num_groups / tuning_.max_round0_groups, 1);

    CosetPlan plan;
    plan.coset = coset;
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        if (coset - first_coset >= num_cosets(t, kind)) continue;
        CosetPlan::Sums& sums = plan.sums.emplace_back();
        sums.trace = t;
        if (!has_work(t)) continue;
        const BoundProgram& bound = program(t, kind);
        const ChunkedProgram& chunked = *bound.program;
        const std::uint64_t num_chunks = chunked.num_chunks();
        const std::uint64_t num_points = points_of_tile(t);
        const std::uint64_t num_quads = divide_up(num_points, 4);
        const std::uint64_t num_items = are_blocks_transformed(input_.params().l_skip) ? num_points / n : num_quads;
        const std::uint64_t steps =
            steps_of(chunked, common_steps, divide_up(num_points, kRound0GroupPoints), num_chunks);
        const std::uint64_t num_group_tiles = divide_up(num_points, kRound0GroupPoints * steps);
        const std::uint64_t num_tile_groups = num_group_tiles * num_chunks;
        const std::uint64_t tile_words = is_on_rows ? 0 : chunked.inputs.size() * 4 * num_quads;
        const std::uint64_t num_tiles = points_of_trace(t) / num_points;

        // By tile: sets of 8N words, or by sum entries of N elements.
        std::array<std::uint64_t, 2> tile_count{};
        if (kind == Kind::kZerocheck) {
            tile_count[0] = divide_up(num_tile_groups * num_parts, std::uint64_t{1} << kRound0LogSetParts);
        } else {
            tile_count = {num_group_tiles * bound.num_chunks_0 * num_parts,
                          num_group_tiles * (num_chunks - bound.num_chunks_0) * num_parts};
        }
        const std::uint64_t words_of_one = kind == Kind::kZerocheck ? 8 * n : 4 * n;
        for (std::size_t f = 0; f < 2; ++f) {
            sums.first[f] = plan.sums_words;
            sums.count[f] = num_tiles * tile_count[f];
            plan.sums_words += sums.count[f] * words_of_one;
        }

        for (std::uint64_t tile = 0; tile < num_tiles; ++tile) {
            if (plan.launches.empty() ||
                (plan.launches.back().scratch_words != 0 &&
                 plan.launches.back().scratch_words + tile_words > tuning_.max_scratch_words)) {
                plan.launches.emplace_back();
            }
            CosetPlan::Launch& launch = plan.launches.back();
            const auto first_point = narrow(tile * num_points);
            const auto row_mask = narrow(input_.traces[t]->height() - 1);
            const auto log_quads = narrow(std::countr_zero(num_quads));
            if (!is_on_rows) {
                launch.interpolate.push_back({.inputs = bound.columns,
                                              .out = 4 * launch.scratch_words,
                                              .first_group = narrow(launch.interpolate_groups),
                                              .num_inputs = narrow(chunked.inputs.size()),
                                              .first_point = first_point,
                                              .num_points = narrow(num_points),
                                              .log_items = narrow(std::countr_zero(num_items)),
                                              .row_mask = row_mask});
                launch.interpolate_groups +=
                    groups_for(kernel::round0_interpolate_inputs, chunked.inputs.size() * num_items);
            }
            launch.evaluate.push_back({.code = bound.code,
                                       .chunks = bound.chunks,
                                       .coefficients = bound.coefficients,
                                       .constants = bound.constants,
                                       .inputs = is_on_rows ? bound.columns : 4 * launch.scratch_words,
                                       .spilled = 16 * launch.registers,
                                       .low_heap = traces_[t].eq->low(),
                                       .high_heap = traces_[t].eq->high(),
                                       .out_0 = 4 * (sums.first[0] + tile * tile_count[0] * words_of_one),
                                       .out_1 = 4 * (sums.first[1] + tile * tile_count[1] * words_of_one),
                                       .first_group = 0,
                                       .num_groups = narrow(num_tile_groups),
                                       .num_chunks = narrow(num_chunks),
                                       .num_chunks_0 = bound.num_chunks_0,
                                       .first_point = first_point,
                                       .num_points = narrow(num_points),
                                       .num_steps = narrow(steps),
                                       .log_quads = log_quads,
                                       .row_mask = row_mask,
                                       .n_lift = input_.n_lift(t),
                                       .num_high = traces_[t].eq->num_vars() - traces_[t].eq->num_low(),
                                       .pad = 0});
            launch.programs.push_back(&chunked);
            launch.scratch_words += tile_words;
            launch.registers += num_tile_groups * kernel::round0_evaluate_cosets.info.threads * chunked.num_spilled;
        }
    }
    for (const CosetPlan::Launch& launch : plan.launches) {
        plan.scratch_words = std::max(plan.scratch_words, launch.scratch_words);
        plan.registers = std::max(plan.registers, launch.registers);
    }
    return plan;
}

void ConstraintBatch::evaluate_round0() {
    evaluate_cosets(Kind::kZerocheck, "zerocheck_ntt_eval_constraints");
    evaluate_cosets(Kind::kLogup, "logup_bary_eval_interactions_round0");
}

void ConstraintBatch::evaluate_cosets(Kind kind, std::string_view span_name) {
    std::size_t max_cosets = 0;
    for (std::size_t t = 0; t < traces_.size(); ++t) max_cosets = std::max(max_cosets, num_cosets(t, kind));
    if (max_cosets == 0) return;
    Span span(input_.telemetry, span_name);
    span.set("coset_count", static_cast<std::int64_t>(max_cosets));
    std::vector<CosetPlan> plans;
    for (std::size_t c = 0; c < max_cosets; ++c)
        plans.push_back(plan_coset(kind, kind == Kind::kZerocheck ? c + 1 : c));
    std::vector<ConstraintTerms::CosetValues> values(traces_.size());
    if (device_.dispatch() == Dispatch::kStaged) {
        run_cosets(kind, plans, values);
    } else {
        for (const CosetPlan& plan : plans) run_cosets(kind, {&plan, 1}, values);
    }
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        if (num_cosets(t, kind) == 0) continue;
        if (kind == Kind::kZerocheck) {
            terms_.set_zerocheck_values(t, std::move(values[t]));
        } else {
            terms_.set_logup_values(t, std::move(values[t]));
        }
    }
}

// One submission; appends each trace's sums on the plans' cosets to `values`.
void ConstraintBatch::run_cosets(Kind kind, std::span<const CosetPlan> plans,
                                 std::vector<ConstraintTerms::CosetValues>& values) {
    Recorder& recorder = device_.recorder();
    const std::size_t n = std::size_t{1} << input_.params().l_skip;
    std::uint64_t scratch_words = 0, sums_words = 0, num_registers = 0;
    for (const CosetPlan& plan : plans) {
        scratch_words = std::max(scratch_words, plan.scratch_words);
        sums_words += plan.sums_words;
        num_registers = std::max(num_registers, plan.registers);
    }
    const Scratch scratch(device_, std::max<std::uint64_t>(scratch_words + sums_words, 1));
    Buffer registers;
    if (num_registers != 0) registers = device_.arena().take_exts("round0_registers", num_registers);
    const Address sums = scratch.address() + 4 * scratch_words;

    std::int64_t num_kernels = 0;
    if (kind == Kind::kZerocheck) {
        recorder.fill(sums, 4 * sums_words, 0);
        recorder.next_stage();
        Address next = sums;
        for (const CosetPlan& plan : plans) {
            num_kernels += record_coset(kind, plan, scratch.address(), next, registers.address());
            next += 4 * plan.sums_words;
        }
        const auto counts = recorder.mailbox<std::uint32_t>(sums_words);
        recorder.copy(counts.address(), sums, 4 * sums_words);
        recorder.submit_and_wait(num_kernels);
        std::uint64_t first = 0;
        for (const CosetPlan& plan : plans) {
            for (const CosetPlan::Sums& of_trace : plan.sums) {
                std::vector<Fp4> at_z(n);
                for (std::uint64_t word = 0; word < of_trace.count[0] * 4 * n; ++word) {
                    const std::size_t at = first + of_trace.first[0] + 2 * word;
                    const std::uint64_t value = counts[at] + (std::uint64_t{counts[at + 1]} << 16);
                    at_z[word / 4 % n].c[word % 4] += Fp::from_montgomery(narrow(value % Fp::kModulus));
                }
                values[of_trace.trace].push_back({std::move(at_z)});
            }
            first += plan.sums_words;
        }
        return;
    }

    std::vector<std::array<Mailbox<Fp4>, 2>> results;
    Address next = sums;
    for (const CosetPlan& plan : plans) {
        num_kernels += record_coset(kind, plan, scratch.address(), next, registers.address());
        std::array<Mailbox<Fp4>, 2>& of_plan = results.emplace_back();
        for (std::size_t f = 0; f < 2; ++f) {
            std::vector<SumSegment> segments;
            for (const CosetPlan::Sums& of_trace : plan.sums) {
                for (std::size_t z = 0; z < n; ++z) {
                    segments.push_back({narrow(of_trace.first[f] / 4 + z), narrow(of_trace.count[f]), narrow(n),
                                        narrow(segments.size())});
                }
            }
            of_plan[f] = recorder.mailbox<Fp4>(segments.size());
            recorder.dispatch(kernel::sum_segments, segments.size(),
                              {next, of_plan[f].address(), recorder.upload(segments)});
            ++num_kernels;
        }
        recorder.next_stage();
        next += 4 * plan.sums_words;
    }
    recorder.submit_and_wait(num_kernels);
    for (std::size_t c = 0; c < plans.size(); ++c) {
        for (std::size_t k = 0; k < plans[c].sums.size(); ++k) {
            auto& of_trace = values[plans[c].sums[k].trace].emplace_back();
            for (const Mailbox<Fp4>& of_sum : results[c]) {
                std::vector<Fp4>& at_z = of_trace.emplace_back();
                for (std::size_t z = 0; z < n; ++z) at_z.push_back(of_sum[k * n + z]);
            }
        }
    }
}

// Returns the number of kernels; what follows is in a later stage.
std::int64_t ConstraintBatch::record_coset(Kind kind, const CosetPlan& plan, Address scratch, Address sums,
                                           Address registers) {
    Recorder& recorder = device_.recorder();
    const std::uint32_t l = input_.params().l_skip;
    const bool is_on_rows = plan.coset == 0;
    std::int64_t num_kernels = 0;
    Address tables = 0;
    if (!is_on_rows) tables = recorder.upload(coset_tables(l, plan.coset));
    for (CosetPlan::Launch launch : plan.launches) {
        if (!is_on_rows) {
            for (InterpolateJob& job : launch.interpolate) job.out += scratch;
            recorder.dispatch(kernel::round0_interpolate_inputs, launch.interpolate_groups,
                              {recorder.upload(launch.interpolate), tables, narrow(launch.interpolate.size()), l});
            recorder.next_stage();
            ++num_kernels;
        }
        // The interpreter's jobs first.
        std::vector<EvaluateJob> jobs;
        std::vector<std::pair<EvaluateJob, std::span<const GeneratedPrograms::Ready>>> generated;
        std::uint64_t num_groups = 0;
        for (std::size_t j = 0; j < launch.evaluate.size(); ++j) {
            EvaluateJob& job = launch.evaluate[j];
            if (!is_on_rows) job.inputs += scratch;
            job.out_0 += sums;
            job.out_1 += sums;
            job.spilled += registers;
            const auto kernels =
                is_on_rows ? std::span<const GeneratedPrograms::Ready>() : coset_kernels(*launch.programs[j]);
            if (!kernels.empty()) {
                generated.emplace_back(job, kernels);
                continue;
            }
            job.first_group = narrow(num_groups);
            num_groups += job.num_groups;
            jobs.push_back(job);
        }
        const auto num_interpreted = narrow(jobs.size());
        for (const auto& [job, kernels] : generated) jobs.push_back(job);
        const Address jobs_address = recorder.upload(jobs);
        const auto params = [&](std::size_t first, std::uint32_t count) -> EvaluateParams {
            return {jobs_address + sizeof(EvaluateJob) * first, count, l, kind == Kind::kZerocheck ? 1u : 0u, 0};
        };
        if (num_interpreted != 0) {
            recorder.dispatch(is_on_rows ? kernel::round0_evaluate_rows : kernel::round0_evaluate_cosets, num_groups,
                              params(0, num_interpreted));
            ++num_kernels;
        }
        for (std::size_t g = 0; g < generated.size(); ++g) {
            const auto& [job, kernels] = generated[g];
            for (const GeneratedPrograms::Ready& kernel : kernels) {
                recorder.dispatch(*kernel.info, job.num_groups / job.num_chunks * kernel.num_chunks,
                                  params(num_interpreted + g, 1));
                ++num_kernels;
            }
        }
        recorder.next_stage();
    }
    return num_kernels;
}

std::size_t ConstraintBatch::num_active() const {
    std::size_t count = 0;
    while (count < traces_.size() && terms_.is_active(count)) ++count;
    return count;
}

// Of a trace's tables. Precondition: the trace is active or has just become exhausted.
std::uint64_t ConstraintBatch::num_rows(std::size_t trace) const {
    return std::uint64_t{1} << (input_.n_lift(trace) + 1 - terms_.round());
}

void ConstraintBatch::fold_univariate(const Fp4& r0) {
    terms_.fold_univariate(r0);
    Recorder& recorder = device_.recorder();
    const unsigned l = input_.params().l_skip;
    const std::size_t n = std::size_t{1} << l;
    const std::vector<Fp4> basis = lagrange_basis_at(l, r0);

    std::uint64_t num_elements = 0, num_to_fold = 0, num_opened = 0;
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        first_element_.push_back(num_elements);
        num_elements += traces_[t].num_tables() << input_.n_lift(t);
        num_opened += traces_[t].num_opened;
        if (terms_.is_active(t)) num_to_fold = num_elements;
    }
    tables_[0] = device_.arena().take_exts("mle_tables", num_elements);
    if (num_to_fold != 0) tables_[1] = device_.arena().take_exts("folded_mle_tables", num_to_fold / 2);
    opened_ = device_.arena().take_exts("column_openings", num_opened);

    std::vector<BindJob> jobs;
    std::uint64_t num_groups = 0;
    for (std::size_t t = 0; t < traces_.size(); ++t) {
        const Trace& trace = traces_[t];
        const std::size_t height = input_.traces[t]->height();
        // Selectors are 0/1 columns of the unlifted trace, repeated where it is short.
        const std::size_t period = std::min(height, n);
        Fp4 first_value, last_value;
        for (std::size_t z = 0; z < n; z += period) {
            first_value += basis[z];
            last_value += basis[z + period - 1];
        }
        jobs.push_back({.columns = trace.columns,
                        .out = tables_[0].ext(first_element_[t]),
                        .first_value = ext_param(first_value),
                        .last_value = ext_param(last_value),
                        .first_group = narrow(num_groups),
                        .num_columns = trace.num_columns,
                        .n_lift = input_.n_lift(t),
                        .row_mask = narrow(height - 1),
                        .has_rotations = input_.air(t).need_rot ? 1u : 0u,
                        .pad = 0});
        num_groups += groups_for(kernel::mle_bind_columns, (trace.num_columns + std::uint64_t{3}) << input_.n_lift(t));
    }
    recorder.dispatch(kernel::mle_bind_columns, num_groups,
                      {recorder.upload(jobs), recorder.upload(basis), narrow(jobs.size()), l});
    recorder.next_stage();
    num_recorded_ = 1;
    keep_opened(num_active(), traces_.size());
}

// Copies the column tables, of one row each, of traces [begin, end).
void ConstraintBatch::keep_opened(std::size_t begin, std::size_t end) {
    std::uint64_t first = 0;
    for (std::size_t t = 0; t < end; ++t) {
        if (t >= begin) {
            device_.recorder().copy(opened_.ext(first), tables_[0].ext(first_element_[t]), 16 * traces_[t].num_opened);
        }
        first += traces_[t].num_opened;
    }
}

std::vector<Fp4> ConstraintBatch::round_message() {
    Recorder& recorder = device_.recorder();
    constexpr std::uint64_t kGroupPairs = kernel::mle_evaluate_pairs.info.threads;
    bool is_split = false;
    const auto for_each_program = [&](const auto& work) {
        for (std::size_t t = 0; t < num_active(); ++t) {
            for (const Kind kind : kKinds) {
                const Trace& trace = traces_[t];
                const BoundProgram& bound =
                    (is_split ? trace.split_programs : trace.programs)[static_cast<std::size_t>(kind)];
                if (bound.program->num_chunks() != 0) work(t, kind, bound);
            }
        }
    };
    const auto num_single_step_groups = [&] {
        std::uint64_t count = 0;
        for_each_program([&](std::size_t t, Kind, const BoundProgram& bound) {
            count += divide_up(num_rows(t) / 2, kGroupPairs) * bound.program->num_chunks() * terms_.num_points(t);
        });
        return count;
    };
    is_split = num_single_step_groups() < tuning_.min_round_groups;
    const std::uint64_t common_steps = std::max<std::uint64_t>(num_single_step_groups() / tuning_.max_round_groups, 1);

    std::vector<PairJob> jobs;
    std::vector<SumSegment> segments;  // by job, X and sum
    std::uint64_t num_groups = 0, num_registers = 0, num_parts = 0;
    for_each_program([&](std::size_t t, Kind kind, const BoundProgram& bound) {
        const std::uint64_t num_chunks = bound.program->num_chunks();
        const std::uint64_t num_points = terms_.num_points(t);
        const std::uint64_t num_pairs = num_rows(t) / 2;
        const std::uint64_t steps =
            steps_of(*bound.program, common_steps, divide_up(num_pairs, kGroupPairs), num_chunks * num_points);
        const std::uint64_t num_tiles = divide_up(num_pairs, kGroupPairs * steps);
        const std::uint64_t num_packed = std::clamp<std::uint64_t>(kGroupPairs / num_pairs, 1, num_points);
        const std::uint64_t num_job_groups = num_tiles * num_chunks * divide_up(num_points, num_packed);
        jobs.push_back({.code = bound.code,
                        .chunks = bound.chunks,
                        .coefficients = bound.coefficients,
                        .constants = bound.constants,
                        .inputs = bound.tables,
                        .tables = tables_[0].ext(first_element_[t]),
                        .spilled = 16 * num_registers,
                        .low_heap = traces_[t].eq->low(),
                        .high_heap = traces_[t].eq->high(),
                        .first_group = narrow(num_groups),
                        .num_groups = narrow(num_job_groups),
                        .num_chunks = narrow(num_chunks),
                        .num_points = narrow(num_points),
                        .num_packed = narrow(num_packed),
                        .num_pairs = narrow(num_pairs),
                        .num_steps = narrow(steps),
                        .num_tiles = narrow(num_tiles),
                        .num_high = traces_[t].eq->num_vars() - traces_[t].eq->num_low(),
                        .num_vars = input_.n_lift(t) - terms_.round(),
                        .first_out = narrow(num_parts),
                        .pad = 0});
        for (std::uint64_t x = 0; x < num_points; ++x) {
            const std::uint64_t chunks_of_sum[] = {bound.num_chunks_0, num_chunks - bound.num_chunks_0};
            for (std::size_t f = 0; f < (kind == Kind::kZerocheck ? 1u : 2u); ++f) {
                segments.push_back(
                    {narrow(num_parts), narrow(chunks_of_sum[f] * num_tiles), 1, narrow(segments.size())});
                num_parts += chunks_of_sum[f] * num_tiles;
            }
        }
        num_groups += num_job_groups;
        num_registers += num_job_groups * kGroupPairs * bound.program->num_spilled;
    });

    std::vector<ConstraintTerms::RoundSums> sums(traces_.size());
    for (std::size_t t = 0; t < num_active(); ++t) {
        sums[t].zerocheck.assign(terms_.num_points(t), std::vector<Fp4>(1));
        sums[t].logup.assign(terms_.num_points(t), std::vector<Fp4>(2));
    }
    if (jobs.empty()) return terms_.round_message(sums);

    Buffer registers;
    if (num_registers != 0) registers = device_.arena().take_exts("mle_registers", num_registers);
    for (PairJob& job : jobs) job.spilled += registers.address();
    const Buffer parts = device_.arena().take_exts("mle_sums", num_parts);
    const auto results = recorder.mailbox<Fp4>(segments.size());
    recorder.dispatch(kernel::mle_evaluate_pairs, num_groups,
                      {recorder.upload(jobs), parts.address(), narrow(jobs.size()), 0});
    recorder.next_stage();
    recorder.dispatch(kernel::sum_segments, segments.size(),
                      {parts.address(), results.address(), recorder.upload(segments)});
    recorder.submit_and_wait(num_recorded_ + 2);
    num_recorded_ = 0;
    std::size_t next = 0;
    for_each_program([&](std::size_t t, Kind kind, const BoundProgram& bound) {
        for (std::vector<Fp4>& at_x : kind == Kind::kZerocheck ? sums[t].zerocheck : sums[t].logup) {
            for (std::size_t f = 0; f < at_x.size(); ++f) at_x[f] = results[next++] + bound.sum_constants[f];
        }
    });
    return terms_.round_message(sums);
}

void ConstraintBatch::fold(const Fp4& r) {
    Recorder& recorder = device_.recorder();
    const std::size_t active = num_active();
    std::uint64_t num_folded = 0;
    for (std::size_t t = 0; t < active; ++t) num_folded += traces_[t].num_tables() * num_rows(t) / 2;
    recorder.next_stage();
    recorder.dispatch(kernel::fold_pairs, groups_for(kernel::fold_pairs, num_folded),
                      {tables_[0].address(), tables_[1].address(), num_folded, ext_param(r)});
    recorder.next_stage();
    ++num_recorded_;
    std::swap(tables_[0], tables_[1]);
    for (std::size_t t = 0; t < active; ++t) first_element_[t] /= 2;
    terms_.fold(r);
    keep_opened(num_active(), active);
}

std::vector<std::vector<std::vector<Fp4>>> ConstraintBatch::openings() {
    Recorder& recorder = device_.recorder();
    std::uint64_t num_opened = 0;
    for (const Trace& trace : traces_) num_opened += trace.num_opened;
    const auto values = recorder.mailbox<Fp4>(num_opened);
    recorder.next_stage();
    recorder.copy(values.address(), opened_.address(), 16 * num_opened);
    recorder.submit_and_wait(num_recorded_);
    num_recorded_ = 0;
    std::vector<std::vector<std::vector<Fp4>>> out;
    std::size_t next = 0;
    for (std::uint32_t t = 0; t < traces_.size(); ++t) {
        out.emplace_back();
        const AirVerifyingKey& air = input_.air(t);
        for (const PartRef& part : input_.parts(t)) {
            std::vector<Fp4>& of_part = out.back().emplace_back(part_width(air, part) * (air.need_rot ? 2 : 1));
            for (Fp4& value : of_part) value = values[next++];
        }
    }
    return out;
}

}  // namespace whorl::gpu
