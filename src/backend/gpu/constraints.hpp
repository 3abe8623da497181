// The batched zerocheck and LogUp sumcheck (PROTOCOL.md sections 13 and 19.3 – 19.4).
//
// Programs are run in chunks (programs.hpp), by many more threads than there are points. Round 0 takes two kernels for each
// coset of a call, whatever the number of traces: one brings all inputs to the coset, one evaluates; LogUp's first coset is
// D itself, where inputs are rows, and two kernels add its sums. A later round is one submission of three kernels.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "backend/gpu/device.hpp"
#include "backend/gpu/eq_heaps.hpp"
#include "backend/gpu/generated.hpp"
#include "backend/gpu/programs.hpp"
#include "backend/gpu/traces.hpp"
#include "prover/constraint_terms.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// How the work is divided. Never changes a value.
struct ConstraintTuning {
    /// Inputs on a coset in memory at once; more are taken in turns. 2^15 rows of keccak-f's 2,859 inputs fit.
    std::uint64_t max_scratch_words = std::uint64_t{96} << 20;
    /// Threads take further points where a launch would have more groups than this.
    std::uint64_t max_round0_groups = 4096;
    std::uint64_t max_round_groups = 16384;
    /// Rounds of fewer groups than this take the split programs instead: few points, long programs.
    std::uint64_t min_round_groups = 2048;
};

class ConstraintBatch {
public:
    /// Everything passed by reference or pointer must outlive this. Without `generated` all programs are interpreted.
    ConstraintBatch(Device& device, const DeviceTraces& traces, ProgramCache& programs, const ProverInput& input,
                    const BatchChallenges& challenges, const ConstraintTuning& tuning = {},
                    const GeneratedPrograms* generated = nullptr);

    /// Evaluates every trace on the cosets of round 0.
    void evaluate_round0();
    ConstraintTerms::SumTerms sum_terms() const { return terms_.sum_terms(); }
    /// The (d + 1)(N − 1) + 1 coefficients of s_0.
    std::vector<Fp4> univariate_message(const Fp4& mu) { return terms_.univariate_message(mu); }
    void fold_univariate(const Fp4& r0);
    /// s_j(1), …, s_j(d + 1) of the next round.
    std::vector<Fp4> round_message();
    void fold(const Fp4& r);
    /// [trace][part][…] as BatchConstraintProof::column_openings.
    std::vector<std::vector<std::vector<Fp4>>> openings();

private:
    enum class Kind : std::size_t { kZerocheck, kLogup };
    static constexpr Kind kKinds[] = {Kind::kZerocheck, Kind::kLogup};

    // A program of one trace, with the parts of data_ that belong to it.
    struct BoundProgram {
        const ChunkedProgram* program = nullptr;
        std::uint32_t num_chunks_0 = 0;  // of sum 0
        Address code = 0, chunks = 0, coefficients = 0, constants = 0;
        Address columns = 0;               // InputColumn; not of split programs
        Address tables = 0;                // the table of each input
        std::array<Fp4, 2> sum_constants;  // what the program's sums lack
    };
    struct Trace {
        std::array<BoundProgram, 2> programs;        // by Kind
        std::array<BoundProgram, 2> split_programs;  // likewise
        const EqHeaps* eq = nullptr;                 // over the hypercube variables
        std::uint32_t num_columns = 0;
        Address columns = 0;           // the address of each, in the order of the openings
        std::uint64_t num_opened = 0;  // tables of columns; three of selectors follow
        std::uint64_t num_tables() const { return num_opened + 3; }
    };
    struct CosetPlan;

    const BoundProgram& program(std::size_t trace, Kind kind) const {
        return traces_[trace].programs[static_cast<std::size_t>(kind)];
    }
    void bind_programs(const DeviceTraces& traces, ProgramCache& programs);
    void make_eq_heaps(std::span<const Fp4> xi);

    std::size_t num_cosets(std::size_t trace, Kind kind) const;
    CosetPlan plan_coset(Kind kind, std::size_t coset) const;
    void evaluate_cosets(Kind kind, std::string_view span_name);
    void run_cosets(Kind kind, std::span<const CosetPlan> plans, std::vector<ConstraintTerms::CosetValues>& values);
    std::span<const GeneratedPrograms::Ready> coset_kernels(const ChunkedProgram& program) const {
        return generated_ == nullptr ? std::span<const GeneratedPrograms::Ready>() : generated_->coset_kernels(program);
    }
    std::int64_t record_coset(Kind kind, const CosetPlan& plan, Address scratch, Address sums, Address registers);

    // Traces that have a variable left, which come first.
    std::size_t num_active() const;
    std::uint64_t num_rows(std::size_t trace) const;
    void keep_opened(std::size_t begin, std::size_t end);

    Device& device_;
    const ProverInput& input_;
    ConstraintTuning tuning_;
    const GeneratedPrograms* generated_;
    ConstraintTerms terms_;
    std::vector<Trace> traces_;
    std::map<unsigned, EqHeaps> eq_;  // by n_lift

    std::vector<std::uint32_t> data_words_;  // what data_ is filled from
    Buffer data_;                            // programs and their bindings
    // Later rounds.
    std::int64_t num_recorded_ = 0;             // kernels not yet submitted
    std::array<Buffer, 2> tables_;              // those of the round, trace after trace, and where to fold them to
    std::vector<std::uint64_t> first_element_;  // of each trace in tables_[0]
    Buffer opened_;                             // column tables of traces without a variable left
};

}  // namespace whorl::gpu
