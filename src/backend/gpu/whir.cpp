#include "backend/gpu/whir.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "backend/gpu/kernels.hpp"
#include "poly/prismalinear.hpp"

namespace whorl::gpu {
namespace {

constexpr std::uint64_t kMaxRoundGroups = 1024;

// The slices of one height, by the row where they start.
struct Slices {
    std::vector<Address> columns;
    std::vector<Fp4> weights;
};
using SlicesByRow = std::map<std::uint32_t, Slices>;

}  // namespace

WhirProver::WhirProver(Device& device, const NttRoots& roots, const DeviceTraces& traces, const ProverInput& input,
                       const StackedCommitments& commitments, std::span<const Fp4> u, const Fp4& mu)
    : device_(device),
      input_(input),
      roots_(roots),
      commitments_(commitments),
      log_size_(input.params().log_stacked_height()),
      f_(device.arena().take_exts("whir_f", std::uint64_t{1} << log_size_)),
      w_(device.arena().take_exts("whir_w", std::uint64_t{1} << log_size_)) {
    const unsigned l = input.params().l_skip;
    std::vector<Fp4> point = squarings(u[0], l);
    point.insert(point.end(), u.begin() + 1, u.end());
    heaps_.emplace(device_, point);
    combine_stacked_columns(traces, mu);
    device_.recorder().next_stage();
    heaps_->write_table(device_, w_.address());
    record_message(device_.recorder(), l, f_.address(), std::uint64_t{1} << log_size_);
    num_recorded_ += EqHeaps::kNumKernels + 1 + num_message_kernels(l);
}

// f_ = Σ_c μ^c·(stacked column c): a kernel for each height, since slices of several heights may share rows.
void WhirProver::combine_stacked_columns(const DeviceTraces& traces, const Fp4& mu) {
    const unsigned l = input_.params().l_skip;
    const std::vector<Fp4> mu_powers = powers(mu, input_.layout.total_stacked_width());
    std::map<std::uint32_t, SlicesByRow> by_height;
    std::size_t first_column = 0;
    for (const CommitmentLayout& commitment : input_.layout.commitments) {
        for (const StackedSlice& slice : commitment.stack.slices) {
            Slices& slices = by_height[slice.log_height][slice.row];
            slices.columns.push_back(traces.part(commitment.parts[slice.matrix]).column(slice.column));
            slices.weights.push_back(mu_powers[first_column + slice.stacked_column]);
        }
        first_column += commitment.stack.width;
    }
    Recorder& recorder = device_.recorder();
    recorder.fill(f_.address(), f_.bytes(), 0);
    for (const auto& [log_height, by_row] : by_height) {
        std::vector<Address> columns;
        std::vector<Fp4> weights;
        std::vector<ColumnRun> runs;
        for (const auto& [row, slices] : by_row) {
            runs.push_back({static_cast<std::uint32_t>(columns.size()),
                            static_cast<std::uint32_t>(slices.columns.size()), row, kNoColumnRunOutput});
            columns.insert(columns.end(), slices.columns.begin(), slices.columns.end());
            weights.insert(weights.end(), slices.weights.begin(), slices.weights.end());
        }
        const Address weights_at = recorder.upload(weights);
        recorder.next_stage();
        recorder.dispatch(kernel::combine_columns,
                          groups_for(kernel::combine_columns, std::uint64_t{runs.size()} << log_height),
                          {.columns = recorder.upload(columns),
                           .weights = weights_at,
                           .rotated_weights = weights_at,
                           .runs = recorder.upload(runs),
                           .out = f_.address(),
                           .num_runs = static_cast<std::uint32_t>(runs.size()),
                           .log_height = log_height,
                           .log_stride = log_height < l ? l - log_height : 0,
                           .accumulate = 1});
        ++num_recorded_;
    }
}

void WhirProver::submit_and_wait(std::int64_t num_kernels) {
    device_.recorder().submit_and_wait(std::exchange(num_recorded_, 0) + num_kernels);
    release_scratch();
}

void WhirProver::release_scratch() {
    scratch_.clear();
    heaps_.reset();
}

std::array<Fp4, 2> WhirProver::round_message() {
    Recorder& recorder = device_.recorder();
    const bool is_folding = alpha_.has_value();
    Buffer folded_f, folded_w;
    if (is_folding) {
        --log_size_;
        folded_f = device_.arena().take_exts("whir_f", std::uint64_t{1} << log_size_);
        folded_w = device_.arena().take_exts("whir_w", std::uint64_t{1} << log_size_);
    }
    const std::uint32_t num_pairs = std::uint32_t{1} << (log_size_ - 1);
    const std::uint64_t groups = std::min(kMaxRoundGroups, groups_for(kernel::whir_round, num_pairs));
    const Buffer partials = groups > 1 ? device_.arena().take_exts("whir_partials", 2 * groups) : Buffer();
    const auto message = recorder.mailbox<Fp4>(2);
    recorder.next_stage();
    recorder.dispatch(kernel::whir_round, groups,
                      {.f = f_.address(),
                       .w = w_.address(),
                       .folded_f = folded_f.address(),
                       .folded_w = folded_w.address(),
                       .out = partials ? partials.address() : message.address(),
                       .r = ext_param(alpha_.value_or(Fp4())),
                       .num_pairs = num_pairs,
                       .is_folding = is_folding ? 1u : 0u});
    recorder.next_stage();
    if (partials) {
        recorder.dispatch(kernel::sum_strided, message.size(),
                          {partials.address(), message.address(), groups, 1, message.size()});
    }
    submit_and_wait(partials ? 2 : 1);
    if (is_folding) {
        f_ = std::move(folded_f);
        w_ = std::move(folded_w);
        alpha_.reset();
    }
    return {message[0], message[1]};
}

// Records the fold that is still to be done.
void WhirProver::record_fold() {
    --log_size_;
    const std::uint64_t size = std::uint64_t{1} << log_size_;
    scratch_.push_back(std::exchange(f_, device_.arena().take_exts("whir_f", size)));
    scratch_.push_back(std::exchange(w_, device_.arena().take_exts("whir_w", size)));
    device_.recorder().dispatch(kernel::whir_fold, groups_for(kernel::whir_fold, size),
                                {.f = scratch_[scratch_.size() - 2].address(),
                                 .w = scratch_.back().address(),
                                 .folded_f = f_.address(),
                                 .folded_w = w_.address(),
                                 .r = ext_param(*alpha_),
                                 .count = static_cast<std::uint32_t>(size),
                                 .pad = 0});
    ++num_recorded_;
    alpha_.reset();
}

Digest WhirProver::commit_codeword() {
    const SystemParams& params = input_.params();
    record_fold();
    const unsigned log_rows = params.log_codeword_height() - round_ - 1;
    codewords_.emplace_back(device_, roots_, f_.address(), log_size_, log_rows - log_size_, params.whir.k,
                            std::exchange(num_recorded_, 0));
    release_scratch();
    return codewords_.back().root();
}

Fp4 WhirProver::ood_value(const Fp4& z0) {
    Recorder& recorder = device_.recorder();
    const std::uint64_t low_size = std::uint64_t{1} << num_low();
    const std::uint64_t high_size = std::uint64_t{1} << (log_size_ - num_low());
    point_powers_.low = device_.arena().take_exts("whir_point_low", low_size);
    point_powers_.high = device_.arena().take_exts("whir_point_high", high_size);
    recorder.next_stage();
    recorder.dispatch(kernel::whir_point_powers, groups_for(kernel::whir_point_powers, low_size + high_size),
                      {point_powers_.low.address(), point_powers_.high.address(), ext_param(z0), num_low(), log_size_});
    const std::uint64_t groups =
        std::min(kMaxRoundGroups, groups_for(kernel::whir_evaluate, std::uint64_t{1} << log_size_));
    const Buffer partials = device_.arena().take_exts("whir_partials", groups);
    const auto value = recorder.mailbox<Fp4>(1);
    recorder.next_stage();
    recorder.dispatch(kernel::whir_evaluate, groups,
                      {f_.address(), point_powers_.low.address(), point_powers_.high.address(), partials.address(),
                       num_low(), log_size_});
    recorder.next_stage();
    recorder.dispatch(kernel::sum_strided, 1, {partials.address(), value.address(), groups, 1, 1});
    submit_and_wait(3);
    return value[0];
}

void WhirProver::bind_queries(std::span<const std::uint32_t> indices, const Fp4& gamma) {
    const SystemParams& params = input_.params();
    const unsigned log_order = params.log_codeword_height() - round_ - params.whir.k;
    ++round_;
    // The last round's queries are left to the verifier's final check.
    if (round_ == params.whir.num_rounds()) return;
    Recorder& recorder = device_.recorder();
    const std::uint32_t num_queries = static_cast<std::uint32_t>(indices.size());
    const std::uint32_t num_high = log_size_ - num_low();
    const std::uint64_t low_size = std::uint64_t{num_queries} << num_low();
    const std::uint64_t high_size = std::uint64_t{num_queries} << num_high;
    Buffer low = device_.arena().take_words("whir_query_low", low_size);
    Buffer high = device_.arena().take_exts("whir_query_high", high_size);
    std::vector<Fp4> weights(num_queries);
    Fp4 weight = gamma;
    for (Fp4& w : weights) w = weight *= gamma;
    recorder.dispatch(kernel::whir_query_powers, groups_for(kernel::whir_query_powers, low_size + high_size),
                      {.indices = recorder.upload(indices),
                       .weights = recorder.upload(weights),
                       .low = low.address(),
                       .high = high.address(),
                       .generator = two_adic_generator(log_order).montgomery(),
                       .log_order = log_order,
                       .num_queries = num_queries,
                       .num_low = num_low(),
                       .num_high = num_high,
                       .pad = 0});
    recorder.next_stage();
    const std::uint64_t groups = ((std::uint64_t{1} << log_size_) + kWhirElementsPerGroup - 1) / kWhirElementsPerGroup;
    recorder.dispatch(kernel::whir_add_points, groups,
                      {.w = w_.address(),
                       .point_low = point_powers_.low.address(),
                       .point_high = point_powers_.high.address(),
                       .query_low = low.address(),
                       .query_high = high.address(),
                       .point_weight = ext_param(gamma),
                       .num_queries = num_queries,
                       .num_low = num_low(),
                       .num_vars = log_size_,
                       .pad = 0});
    num_recorded_ += 2;
    for (Buffer* buffer : {&low, &high, &point_powers_.low, &point_powers_.high})
        scratch_.push_back(std::move(*buffer));
}

std::vector<Fp4> WhirProver::final_poly() {
    Recorder& recorder = device_.recorder();
    record_fold();
    const auto coefficients = recorder.mailbox<Fp4>(std::size_t{1} << log_size_);
    recorder.next_stage();
    recorder.copy(coefficients.address(), f_.address(), coefficients.size() * sizeof(Fp4));
    submit_and_wait(0);
    return coefficients.values();
}

void WhirProver::open_initial(std::span<const std::uint32_t> indices, WhirProof& proof) const {
    for (auto& opened : commitments_.open(indices)) {
        proof.initial_round_opened_rows.push_back(std::move(opened.rows));
        proof.initial_round_merkle_proofs.push_back(std::move(opened.paths));
    }
}

void WhirProver::open_codeword(std::span<const std::uint32_t> indices, WhirProof& proof) const {
    auto opened = codewords_[round_ - 1].open(indices);
    proof.codeword_opened_values.push_back(std::move(opened.rows));
    proof.codeword_merkle_proofs.push_back(std::move(opened.paths));
}

}  // namespace whorl::gpu
