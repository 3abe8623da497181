// From traces to a proof.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/key.hpp>
#include <whorl/notes.hpp>
#include <whorl/proof.hpp>
#include <whorl/telemetry.hpp>
#include <whorl/trace.hpp>
#include <whorl/transcript.hpp>
#include <whorl/validate.hpp>

namespace whorl {

/// How a GPU gets its work. The kernels are the same.
enum class Dispatch : std::uint8_t {
    kUnfused,  ///< round 0: a submission, a wait and a scratch allocation for each coset
    kStaged,   ///< all cosets of a round-0 call in one submission over persistent scratch
};

/// How a GPU evaluates constraints in round 0.
enum class ConstraintKernels : std::uint8_t {
    kInterpreted,  ///< kernels that are always there run programs
    /// Kernels are made for each AIR and compiled before the first proof, on devices that compile while the program runs
    /// (metal). What cannot be compiled, or not in time, is interpreted; the span compile_constraints says so.
    kGenerated,
};

/// The most threads that a call may be asked to use.
inline constexpr std::uint32_t kMaxThreads = 1024;

/// What trades speed for memory and never changes a byte of the proof.
struct ProverOptions {
    /// cpu, sim (the simulated GPU), gpu (the first there is), metal[:i], cuda[:i]: see device.hpp.
    std::string device = "cpu";
    Dispatch dispatch = Dispatch::kStaged;                            ///< GPUs only
    ConstraintKernels constraints = ConstraintKernels::kInterpreted;  ///< GPUs only
    /// kGenerated: how long all proofs of a prover together wait for the compiler.
    std::chrono::milliseconds compile_timeout{20'000};
    /// At most kMaxThreads; 0: one per core that this process may use. Where the system starts fewer threads, fewer work.
    std::uint32_t num_threads = 0;
    /// Verifies each proof, read back from its bytes, before it is returned (span "verify"). Costs milliseconds.
    bool verify_after = false;
    Telemetry* telemetry = nullptr;
    std::vector<std::string> air_names = {};  ///< for messages: one per AIR of the key, empty where unknown
    KeyNotes notes = {};                      ///< for messages: ProvingKey::notes
};

/// How far a proof is.
struct Progress {
    double fraction = 0;     ///< of its work, by estimates from key and heights; never falls, and is 1 at the end
    std::string_view stage;  ///< the span (telemetry.hpp) that begins or goes on
};

/// What belongs to one call.
struct ProveControl {
    /// The call ends with kCancelled soon after it becomes true, by any thread or signal handler: on the CPU within
    /// milliseconds, on a GPU at the end of the submission that is under way. What the call was given is free then.
    const std::atomic<bool>* stop = nullptr;
    /// Called on the calling thread, some dozen times in a proof, before and after a commitment. It may not call the
    /// prover. An exception that it throws ends the call with kInternal.
    std::function<void(const Progress&)> progress = {};
    Telemetry* telemetry = nullptr;  ///< null: that of the options
    /// The most that the proof may take of the device's memory (Prover::plan says how much it is); 0: what there is.
    /// Not for commit().
    std::uint64_t memory_limit_bytes = 0;
    /// The proof goes on from this transcript and leaves its end there, unless it fails; null: from a new one. A verifier must go on
    /// from the same (verify in verify.hpp). Not for commit().
    Transcript* transcript = nullptr;
};

/// Proves that `traces` satisfy the constraints of `vk`. The traces are not checked row by row: unsatisfied constraints
/// give a proof that is rejected (see check_constraints in check.hpp).
/// Errors: kInvalidArgument (check_key, check_traces, options, preprocessed columns that the key does not commit to), kMachine (memory,
/// device); on the CPU a proof that would take more memory than this process may have is refused before it starts. With options.verify_after also, where the verifier rejects the proof: kUnsatisfied (the traces break a constraint or
/// leave a bus unbalanced; the message has check_constraints' report), kInternal (they do not: a bug in whorl).
/// kCancelled (control.stop).
Result<Proof> prove(const VerifyingKey& vk, std::span<const AirTrace> traces, const ProverOptions& options = {},
                    const ProveControl& control = {}) noexcept;

struct MemoryPlan;

struct ProvingKey;  // air.hpp

/// Proves many times with one key on one device, and keeps what the proofs have in common: constraint programs in the
/// device's form, memory plans, device memory (a GPU allocates nothing from the second proof of a shape on). A prover takes
/// one call at a time, and answers others meanwhile with kInvalidArgument; several provers may work at once, also on one
/// device. Calls of a prover that was moved from return kInvalidArgument.
class Prover {
public:
    /// Errors: kInvalidArgument (key, options), kMachine (the device is not there or cannot be used, memory).
    static Result<Prover> create(const VerifyingKey& vk, const ProverOptions& options = {}) noexcept;
    /// A prover that has the preprocessed columns, committed once: what traces hold in AirTrace::preprocessed is not looked at.
    /// Where options.air_names is empty, names of AIRs and notes are the key's.
    /// Errors: as above; kInvalidArgument (preprocessed columns that are not those of the key).
    static Result<Prover> create(ProvingKey&& key, const ProverOptions& options = {}) noexcept;
    static Result<Prover> create(const ProvingKey& key, const ProverOptions& options = {}) noexcept;
    Prover(Prover&&) noexcept;
    Prover& operator=(Prover&&) noexcept;
    ~Prover();

    /// As whorl::prove.
    Result<Proof> prove(std::span<const AirTrace> traces, const ProveControl& control = {}) noexcept;
    /// Commits to a cached or preprocessed part once for many proofs, of this prover and of others; its tree stays in the
    /// memory of this device (and the code too, on a GPU). On another device the first proof that takes it commits again; a
    /// GPU that has no memory to keep it commits in each proof. Traces take it like a matrix: trace.cached_mains = {part}.
    /// Errors: as commit_matrix; kInvalidArgument (words that are no field elements).
    Result<CommittedMatrix> commit(Matrix&& matrix, const ProveControl& control = {}) noexcept;
    Result<CommittedMatrix> commit(const Matrix& matrix, const ProveControl& control = {}) noexcept;
    /// What a proof of traces of these heights takes (include device.hpp for the plan).
    Result<MemoryPlan> plan(std::span<const AirTrace> traces) noexcept;

private:
    struct State;
    explicit Prover(std::unique_ptr<State> state);
    static Result<Prover> create(const VerifyingKey& vk, ProvingKey* key, const ProverOptions& options) noexcept;
    std::unique_ptr<State> state_;
};

/// The commitment to one matrix alone, as for a preprocessed or cached part (PROTOCOL.md 9 and 10), and its stacked width.
/// Errors: kInvalidArgument (parameters, options, a matrix that does not fit them), kMachine (memory).
struct MatrixCommitment {
    Digest commit{};
    std::uint32_t stacking_width = 0;
};
Result<MatrixCommitment> commit_matrix(const SystemParams& params, const Matrix& matrix,
                                       const ProverOptions& options = {}) noexcept;

}  // namespace whorl
