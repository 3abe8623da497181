#include "verifier/stacked_reduction.hpp"

#include <algorithm>
#include <optional>

#include "poly/prismalinear.hpp"
#include "verifier/interpolation.hpp"

namespace whorl::verifier {
namespace {

using Kind = VerifyErrorKind;

// Visits all columns, commitment by commitment: visit(commitment index, slice, part).
template <class Visit>
void for_each_column(const ProofLayout& layout, Visit visit) {
    for (std::size_t c = 0; c < layout.commitments.size(); ++c) {
        const CommitmentLayout& commitment = layout.commitments[c];
        for (const StackedSlice& slice : commitment.stack.slices) visit(c, slice, commitment.parts[slice.matrix]);
    }
}

// Σ_j λ^{2j} t_j + λ^{2j+1} t'_j.
Fp4 batched_openings(const Context& context, const Fp4& lambda) {
    const Fp4 lambda_squared = lambda.square();
    Fp4 power = Fp4::one();
    Fp4 sum;
    for_each_column(context.layout, [&](std::size_t, const StackedSlice& slice, const PartRef& part) {
        const bool need_rot = context.air(part.trace).need_rot;
        const OpeningPair pair = opening_pair(part_openings(context, part), slice.column, need_rot);
        sum += power * (need_rot ? pair.plain + lambda * pair.rotated : pair.plain);
        power *= lambda_squared;
    });
    return sum;
}

// What opening a column of some height at r says about its slice at u; the same for all columns of that height.
struct HeightKernels {
    Fp4 plain;    // in_n(u_0)·eq_prism
    Fp4 rotated;  // λ·in_n(u_0)·κ_rot
};
HeightKernels height_kernels(unsigned l_skip, unsigned log_height, std::span<const Fp4> r, std::span<const Fp4> u,
                             const Fp4& lambda) {
    const OpeningPoint point = opening_point(l_skip, log_height, r);
    const auto u_prefix = u.first(point.r.size());
    const int n = static_cast<int>(log_height) - static_cast<int>(l_skip);
    const Fp4 indicator = in_uni(l_skip, n, u[0]);
    return {indicator * eq_prism(point.log_domain, u_prefix, point.r),
            lambda * indicator * rot_kernel_prism(point.log_domain, u_prefix, point.r)};
}

// Σ_j q_{c(j),col(j)}(u)·E_j·(λ^{2j}·plain + λ^{2j+1}·rotated).
Fp4 claim_from_openings(const Context& context, std::span<const Fp4> r, std::span<const Fp4> u, const Fp4& lambda) {
    const SystemParams& params = context.vk.params;
    const auto& openings = context.proof.stacking.stacking_openings;
    std::vector<std::optional<HeightKernels>> kernels(params.log_stacked_height() + 1);
    const Fp4 lambda_squared = lambda.square();
    Fp4 power = Fp4::one();
    Fp4 sum;
    for_each_column(context.layout, [&](std::size_t c, const StackedSlice& slice, const PartRef& part) {
        auto& kernel = kernels[slice.log_height];
        if (!kernel) kernel = height_kernels(params.l_skip, slice.log_height, r, u, lambda);
        const unsigned log_length = std::max(slice.log_height, params.l_skip);
        const Fp4 where = eq_bits(u.subspan(log_length - params.l_skip + 1), slice.row >> log_length);
        const Fp4 what = context.air(part.trace).need_rot ? kernel->plain + kernel->rotated : kernel->plain;
        sum += openings[c][slice.stacked_column] * where * power * what;
        power *= lambda_squared;
    });
    return sum;
}

}  // namespace

Result<std::vector<Fp4>, VerifyError> verify_stacked_reduction(const Context& context, Transcript& transcript,
                                                               std::span<const Fp4> r) {
    constexpr const char* kStage = "stacked_reduction";
    const StackingProof& stacking = context.proof.stacking;
    const Fp4 lambda = transcript.sample_ext();
    Fp4 claim = batched_openings(context, lambda);
    if (const Fp4 sum = sum_over_domain(context.vk.params.l_skip, stacking.univariate_round_coeffs); sum != claim) {
        return reject(Kind::kStackingUnivariateSum, kStage, "", claim, sum);
    }
    for (const Fp4& coeff : stacking.univariate_round_coeffs) transcript.observe_ext(coeff);
    std::vector<Fp4> u{transcript.sample_ext()};
    claim = horner(stacking.univariate_round_coeffs, u[0]);
    for (const auto& evals : stacking.sumcheck_round_polys) {
        for (const Fp4& eval : evals) transcript.observe_ext(eval);
        u.push_back(transcript.sample_ext());
        claim = quadratic_at(claim - evals[0], evals[0], evals[1], u.back());
    }
    for (const auto& openings : stacking.stacking_openings) {
        for (const Fp4& opening : openings) transcript.observe_ext(opening);
    }
    const Fp4 expected = claim_from_openings(context, r, u, lambda);
    if (claim != expected) {
        return reject(Kind::kStackingClaim, kStage, "", expected, claim);
    }
    return u;
}

}  // namespace whorl::verifier
