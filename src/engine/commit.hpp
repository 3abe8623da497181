// Matrices committed to on their own: commit_matrix, and the parts that proofs share.
#pragma once

#include <whorl/error.hpp>
#include <whorl/params.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/trace.hpp>

#include "air/committed_matrix.hpp"
#include "prover/input.hpp"

namespace whorl {

/// `matrix` with its stacked width, not yet committed. Errors: kInvalidArgument (parameters, a matrix that does not fit them,
/// words that are no field elements).
Result<CommittedMatrix> checked_for_commitment(const SystemParams& params, Matrix matrix);

/// The commitment, made on the host unless it has been. Errors: kMachine (memory).
Result<Digest> commit_on_host(CommittedMatrix::State& parts, Telemetry* telemetry);
/// All committed parts of a proof. Their buffers outlive it, so this comes before the proof's PagePoolUse. Errors: kMachine.
Result<void> commit_parts_on_host(const ProverInput& input);

}  // namespace whorl
