#include "cli/commands.hpp"
#include "cli/proving.hpp"
#include "cli/table.hpp"
#include "cli/workloads.hpp"

namespace whorl::cli {
namespace {

Result<std::vector<KeccakState>> inputs_of(const Session& session, const KeccakfOptions& options) {
    if (options.inputs_path.empty())
        return random_keccak_inputs(options.num_permutations.value_or(kDefaultPermutations));
    Result<std::vector<KeccakState>> inputs = read_keccak_inputs(session, options.inputs_path);
    if (!inputs) return inputs;
    const std::size_t wanted = options.num_permutations.value_or(inputs->size());
    if (wanted > inputs->size()) {
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = "keccakf.inputs",
                     .message = fmt::format("{} has {} inputs, --permutations asks for {}",
                                            shown_path(options.inputs_path, "standard input"), inputs->size(), wanted)};
    }
    if (wanted > kMaxPermutations) {
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = "keccakf.inputs",
                     .message = fmt::format("{} permutations, at most {} fit the largest stacked height", wanted,
                                            kMaxPermutations)};
    }
    inputs->resize(wanted);
    return inputs;
}

}  // namespace

Result<ExitCode> run_keccakf(Session& session, const KeccakfOptions& options) {
    session.claim_input("--inputs", options.inputs_path);
    if (auto claimed = session.claim_output("--out", options.proof_path); !claimed) return claimed.error();
    if (auto claimed = session.claim_output("--vk-out", options.key_path); !claimed) return claimed.error();
    if (auto begun = session.begin(); !begun) return begun.error();

    Result<std::vector<KeccakState>> inputs = inputs_of(session, options);
    if (!inputs) return std::move(inputs).error();
    const std::size_t num_permutations = inputs->size();
    Result<Workload> workload = keccakf_workload(
        session, *std::move(inputs), options.log_stacked_height.value_or(keccakf_log_stacked_height(num_permutations)));
    if (!workload) return std::move(workload).error();
    const VerifyingKey& vk = workload->key.vk;
    const Matrix& trace = workload->traces.front().common_main;
    session.say("keccakf: {} permutations, {} columns x {} rows, stacked height 2^{}, {} threads\n",
                grouped(num_permutations), grouped(trace.width()), grouped(trace.height()),
                vk.params.log_stacked_height(), session.num_threads());

    const Result<ProofBytes> proof =
        make_proof(session, vk, workload->traces, workload->key.air_names, workload->key.notes, true);
    if (!proof) return proof.error();
    const std::vector<std::byte>& bytes = proof->bytes;
    session.say("proved in {:.2f} s: {} bytes\n", proof->prove_ms / 1000, grouped(bytes.size()));
    say_verified(session, *proof, true);

    std::vector<Session::Output> outputs;
    if (!options.proof_path.empty()) outputs.push_back({options.proof_path, bytes});
    std::vector<std::byte> key;
    if (!options.key_path.empty()) {
        Result<std::vector<std::byte>> encoded = encode_verifying_key(vk);
        if (!encoded) return encoded.error();
        key = *std::move(encoded);
        outputs.push_back({options.key_path, key});
    }
    if (auto written = session.write(outputs); !written) return written.error();
    if (!options.proof_path.empty()) session.say("proof: {}\n", shown_path(options.proof_path, "standard output"));
    if (!options.key_path.empty()) session.say("verifying key: {}\n", shown_path(options.key_path, "standard output"));
    return kExitOk;
}

}  // namespace whorl::cli
