// The calls of whorl/whorl.h: the same bytes as in C++, and an answer to whatever they are given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <whorl/whorl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/prove.hpp>
#include <whorl/task.hpp>
#include <whorl/version.hpp>

#include "capi/handles.hpp"
#include "vectors.hpp"

namespace whorl {
namespace {

using test::value_of;
using testing::HasSubstr;

using test::ErrorHandle;
using test::Free;
using test::ParamsHandle;
using test::ProofHandle;
using test::StatementHandle;
using Key = test::KeyHandle;
using Bytes = std::unique_ptr<whorl_bytes, Free<whorl_bytes_free>>;
using MatrixHandle = std::unique_ptr<whorl_matrix, Free<whorl_matrix_free>>;
using Committed = std::unique_ptr<whorl_committed, Free<whorl_committed_free>>;
using Traces = std::unique_ptr<whorl_traces, Free<whorl_traces_free>>;
using ProverHandle = std::unique_ptr<whorl_prover, Free<whorl_prover_free>>;
using Stop = std::unique_ptr<whorl_stop, Free<whorl_stop_free>>;
using TranscriptHandle = std::unique_ptr<whorl_transcript, Free<whorl_transcript_free>>;

/// The handle that `make(place, error)` puts into place, which must succeed.
template <class Handle, class Make>
Handle made(const Make& make) {
    typename Handle::pointer handle = nullptr;
    whorl_error* error = nullptr;
    const whorl_code code = make(&handle, &error);
    const ErrorHandle owner(error);
    EXPECT_EQ(code, WHORL_OK) << whorl_error_message(error);
    return Handle(handle);
}

/// What a call says that must fail.
struct Failure {
    whorl_code code = WHORL_OK;
    std::string stage, message;
};
template <class Call>
Failure failure_of(const Call& call) {
    whorl_error* error = nullptr;
    Failure failure{call(&error), {}, {}};
    const ErrorHandle owner(error);
    failure.stage = whorl_error_stage(error);
    failure.message = whorl_error_message(error);
    EXPECT_EQ(whorl_error_code(error), failure.code);
    return failure;
}

const uint8_t* data_of(const std::vector<std::byte>& bytes) {
    return reinterpret_cast<const uint8_t*>(bytes.data());
}

Key decoded_key(const std::string& vector) {
    const std::vector<std::byte> bytes = test::key_bytes(vector);
    return made<Key>([&](whorl_key** key, whorl_error** error) {
        return whorl_key_decode(data_of(bytes), bytes.size(), key, error);
    });
}

ProofHandle decoded_proof(const std::string& vector) {
    const std::vector<std::byte> bytes = test::proof_bytes(vector);
    return made<ProofHandle>([&](whorl_proof** proof, whorl_error** error) {
        return whorl_proof_decode(data_of(bytes), bytes.size(), proof, error);
    });
}

struct TaskHandles {
    Key key;
    Traces traces;
};
TaskHandles loaded_task(const std::string& vector) {
    TaskHandles task;
    whorl_key* key = nullptr;
    whorl_traces* traces = nullptr;
    const std::string folder = test::vector_path(vector, "");
    EXPECT_EQ(whorl_task_load(folder.c_str(), &key, &traces, nullptr), WHORL_OK);
    task.key.reset(key);
    task.traces.reset(traces);
    return task;
}

ProverHandle new_prover(const Key& key, const char* device = "cpu") {
    whorl_prover_options options{};
    options.struct_size = sizeof options;
    options.device = device;
    options.num_threads = 2;
    options.verify_after = 1;
    return made<ProverHandle>([&](whorl_prover** prover, whorl_error** error) {
        return whorl_prover_new(key.get(), &options, prover, error);
    });
}

ProofHandle prove_with(const ProverHandle& prover, const Traces& traces, const whorl_control* control = nullptr) {
    return made<ProofHandle>([&](whorl_proof** proof, whorl_error** error) {
        return whorl_prover_prove(prover.get(), traces.get(), control, proof, error);
    });
}

void expect_stored_proof(const ProofHandle& proof, const std::string& vector) {
    const Bytes bytes = made<Bytes>(
        [&](whorl_bytes** out, whorl_error** error) { return whorl_proof_encode(proof.get(), out, error); });
    const std::vector<std::byte> expected = test::proof_bytes(vector);
    ASSERT_EQ(whorl_bytes_size(bytes.get()), expected.size());
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                           reinterpret_cast<const std::byte*>(whorl_bytes_data(bytes.get()))));
}

TEST(CApi, HasItsVersions) {
    EXPECT_EQ(whorl_abi_version(), static_cast<std::uint32_t>(WHORL_ABI_VERSION));
    EXPECT_STREQ(whorl_version(), WHORL_VERSION);
}

TEST(CApi, ProvesByteForByteOnEveryDevice) {
    for (const char* device : {"cpu", "sim"}) {
        SCOPED_TRACE(device);
        const TaskHandles task = loaded_task("mixture");
        const ProverHandle prover = new_prover(task.key, device);
        const ProofHandle proof = prove_with(prover, task.traces);
        expect_stored_proof(proof, "mixture");
        EXPECT_EQ(whorl_verify(task.key.get(), proof.get(), nullptr, nullptr), WHORL_OK);
        EXPECT_EQ(whorl_check(task.key.get(), task.traces.get(), nullptr), WHORL_OK);
        std::uint64_t bytes = 0;
        EXPECT_EQ(whorl_prover_memory_bytes(prover.get(), task.traces.get(), &bytes, nullptr), WHORL_OK);
        EXPECT_GT(bytes, 0u);
    }
}

// Traces put together by hand: parts copied in both forms, borrowed, and committed.
TEST(CApi, TakesPartsInEveryWay) {
    const Task task = value_of(load_task(test::vector_path("preprocessed_and_cached", "")));
    const Key key = decoded_key("preprocessed_and_cached");
    const ProverHandle prover = new_prover(key);
    const auto words_of = [](const Matrix& matrix, bool is_canonical) {
        std::vector<std::uint32_t> words;
        for (const Fp x : matrix.values()) words.push_back(is_canonical ? x.canonical() : x.montgomery());
        return words;
    };
    for (const bool is_committed : {false, true}) {
        SCOPED_TRACE(is_committed);
        Traces traces = made<Traces>(whorl_traces_new);
        std::vector<std::vector<std::uint32_t>> borrowed;
        for (const AirTrace& trace : task.traces) {
            const std::vector<std::uint32_t> main = words_of(trace.common_main, true);
            const MatrixHandle common = made<MatrixHandle>([&](whorl_matrix** matrix, whorl_error** error) {
                return whorl_matrix_copy(main.data(), trace.common_main.width(), trace.common_main.height(),
                                         WHORL_CANONICAL, matrix, error);
            });
            EXPECT_EQ(whorl_matrix_width(common.get()), trace.common_main.width());
            EXPECT_EQ(whorl_matrix_height(common.get()), trace.common_main.height());
            ASSERT_EQ(whorl_traces_add(traces.get(), trace.air_id, common.get(), nullptr), WHORL_OK);
            std::vector<std::uint32_t> values;
            for (const Fp x : trace.public_values) values.push_back(x.canonical());
            ASSERT_EQ(whorl_traces_set_public_values(traces.get(), values.data(), values.size(), nullptr), WHORL_OK);
            const auto part_of = [&](const TracePart& part) {
                const std::vector<std::uint32_t>& words = borrowed.emplace_back(words_of(part.matrix(), false));
                return made<MatrixHandle>([&](whorl_matrix** matrix, whorl_error** error) {
                    return whorl_matrix_borrow(words.data(), part.width(), part.height(), matrix, error);
                });
            };
            const auto committed_of = [&](const MatrixHandle& matrix) {
                return made<Committed>([&](whorl_committed** committed, whorl_error** error) {
                    return whorl_prover_commit(prover.get(), matrix.get(), nullptr, committed, error);
                });
            };
            for (const TracePart& part : trace.cached_mains) {
                const MatrixHandle matrix = part_of(part);
                if (!is_committed) {
                    ASSERT_EQ(whorl_traces_add_cached(traces.get(), matrix.get(), nullptr), WHORL_OK);
                    continue;
                }
                const Committed committed = committed_of(matrix);
                std::vector<std::uint32_t> digest(whorl_key_digest_words(key.get()));
                ASSERT_EQ(whorl_committed_digest(committed.get(), digest.data(), digest.size(), nullptr), WHORL_OK);
                const Digest expected = value_of(commit_matrix(task.vk.params, part.matrix())).commit;
                for (std::size_t i = 0; i < digest.size(); ++i) EXPECT_EQ(digest[i], expected[i].canonical());
                ASSERT_EQ(whorl_traces_add_committed(traces.get(), committed.get(), nullptr), WHORL_OK);
            }
            if (!trace.preprocessed) continue;
            const MatrixHandle matrix = part_of(*trace.preprocessed);
            const whorl_code code = is_committed ? whorl_traces_set_preprocessed_committed(
                                                       traces.get(), committed_of(matrix).get(), nullptr)
                                                 : whorl_traces_set_preprocessed(traces.get(), matrix.get(), nullptr);
            ASSERT_EQ(code, WHORL_OK);
        }
        expect_stored_proof(prove_with(prover, traces), "preprocessed_and_cached");
    }
}

TEST(CApi, KeysSayWhatTheyHold) {
    const Key key = decoded_key("preprocessed_and_cached");
    const VerifyingKey vk = value_of(decode_verifying_key(test::key_bytes("preprocessed_and_cached")));
    ASSERT_EQ(whorl_key_num_airs(key.get()), vk.airs.size());
    EXPECT_EQ(whorl_key_modulus(key.get()), Fp::kModulus);
    EXPECT_GT(whorl_key_max_proof_bytes(key.get()), 1000u);
    EXPECT_GT(whorl_key_security_bits(key.get()), 0.0);
    whorl_air_info info{};
    info.struct_size = sizeof info;
    ASSERT_EQ(whorl_key_air(key.get(), 0, &info, nullptr), WHORL_OK);
    EXPECT_EQ(info.common_main_width, vk.airs[0].width.common_main);
    EXPECT_EQ(info.preprocessed_width, vk.airs[0].width.preprocessed.value_or(0));
    EXPECT_EQ(info.num_cached_mains, vk.airs[0].width.cached_mains.size());
    EXPECT_EQ(info.num_constraints, vk.airs[0].constraint_idx.size());
    std::uint32_t width = 0;
    ASSERT_EQ(whorl_key_cached_main_width(key.get(), 0, 0, &width, nullptr), WHORL_OK);
    EXPECT_EQ(width, vk.airs[0].width.cached_mains[0]);
    const Failure out_of_range =
        failure_of([&](whorl_error** error) { return whorl_key_air(key.get(), vk.airs.size(), &info, error); });
    EXPECT_EQ(out_of_range.code, WHORL_INVALID_ARGUMENT);
    EXPECT_THAT(out_of_range.message, HasSubstr("expected an AIR below"));
    const Bytes bytes =
        made<Bytes>([&](whorl_bytes** out, whorl_error** error) { return whorl_key_encode(key.get(), out, error); });
    EXPECT_EQ(whorl_bytes_size(bytes.get()), test::key_bytes("preprocessed_and_cached").size());
    std::vector<std::uint32_t> pre_hash(whorl_key_digest_words(key.get()));
    ASSERT_EQ(whorl_key_pre_hash(key.get(), pre_hash.data(), pre_hash.size(), nullptr), WHORL_OK);
    for (std::size_t i = 0; i < pre_hash.size(); ++i) EXPECT_EQ(pre_hash[i], vk.pre_hash[i].canonical());
    EXPECT_EQ(whorl_key_pre_hash(key.get(), pre_hash.data(), 3, nullptr), WHORL_INVALID_ARGUMENT);
}

// A struct of an older header is shorter, one of a newer header longer.
TEST(CApi, StructsMayHaveAnotherSize) {
    const Key key = decoded_key("mixture");
    struct {
        std::size_t struct_size;
        std::uint32_t common_main_width;
        std::uint32_t guard;
    } shorter{offsetof(whorl_air_info, num_cached_mains), 0, 77};
    ASSERT_EQ(whorl_key_air(key.get(), 0, reinterpret_cast<whorl_air_info*>(&shorter), nullptr), WHORL_OK);
    EXPECT_GT(shorter.common_main_width, 0u);
    EXPECT_EQ(shorter.guard, 77u);
    struct {
        whorl_prover_options options;
        std::uint64_t later;
    } longer{};
    longer.options.struct_size = sizeof longer;
    longer.later = 7;
    const ProverHandle prover = made<ProverHandle>([&](whorl_prover** out, whorl_error** error) {
        return whorl_prover_new(key.get(), &longer.options, out, error);
    });
    EXPECT_NE(prover, nullptr);
    const whorl_prover_options none{};
    const Failure failure = failure_of([&](whorl_error** error) {
        whorl_prover* out = nullptr;
        return whorl_prover_new(key.get(), &none, &out, error);
    });
    EXPECT_EQ(failure.code, WHORL_INVALID_ARGUMENT);
    EXPECT_THAT(failure.message, HasSubstr("struct_size"));
}

TEST(CApi, ParametersAreThoseOfThePresetsAndOfKeys) {
    const auto preset = [](const char* name, std::uint32_t log_stacked_height) {
        return made<ParamsHandle>([&](whorl_params** out, whorl_error** error) {
            return whorl_params_preset(name, log_stacked_height, out, error);
        });
    };
    const Key key = decoded_key("keccakf_1024");
    const ParamsHandle of_key = made<ParamsHandle>(
        [&](whorl_params** out, whorl_error** error) { return whorl_key_params(key.get(), out, error); });
    EXPECT_EQ(whorl_params_equal(of_key.get(), preset("app", 21).get()), 1);
    EXPECT_EQ(whorl_params_equal(of_key.get(), preset("app", 20).get()), 0);
    EXPECT_EQ(whorl_params_equal(of_key.get(), nullptr), 0);
    for (const char* name : {"leaf", "internal", "root", "hook"}) {
        // What is read makes the same parameters again.
        const ParamsHandle params = preset(name, 0);
        whorl_params_info info{};
        info.struct_size = sizeof info;
        ASSERT_EQ(whorl_params_read(params.get(), &info, nullptr, 0, nullptr), WHORL_OK);
        std::vector<std::uint32_t> num_queries(info.num_whir_rounds);
        ASSERT_EQ(whorl_params_read(params.get(), nullptr, num_queries.data(), num_queries.size(), nullptr), WHORL_OK);
        const ParamsHandle again = made<ParamsHandle>([&](whorl_params** out, whorl_error** error) {
            return whorl_params_new(&info, num_queries.data(), out, error);
        });
        EXPECT_EQ(whorl_params_equal(params.get(), again.get()), 1) << name;
    }
    whorl_params_info info{};
    info.struct_size = sizeof info;
    ASSERT_EQ(whorl_params_read(of_key.get(), &info, nullptr, 0, nullptr), WHORL_OK);
    EXPECT_EQ(info.l_skip + info.n_stack, 21u);
    EXPECT_EQ(info.proximity, static_cast<std::uint32_t>(WHORL_UNIQUE_DECODING));
    const auto refusal = [&](const whorl_params_info& given, const std::vector<std::uint32_t>& num_queries) {
        const Failure failure = failure_of([&](whorl_error** error) {
            whorl_params* out = nullptr;
            return whorl_params_new(&given, num_queries.data(), &out, error);
        });
        EXPECT_EQ(failure.code, WHORL_INVALID_ARGUMENT);
        return failure.message;
    };
    const std::vector<std::uint32_t> num_queries(info.num_whir_rounds, 10);
    whorl_params_info wrong = info;
    wrong.log_blowup = 9;
    EXPECT_THAT(refusal(wrong, num_queries), HasSubstr("log_blowup is 9, expected 0 to 8"));
    wrong = info;
    wrong.proximity = 3;
    EXPECT_THAT(refusal(wrong, num_queries), HasSubstr("whorl_proximity"));
    wrong = info;
    wrong.proximity_m = 2;
    EXPECT_THAT(refusal(wrong, num_queries), HasSubstr("found proximity_m 2"));
    wrong = info;
    wrong.num_whir_rounds = 0xFFFFFFFF;
    EXPECT_THAT(refusal(wrong, num_queries), HasSubstr("WHIR rounds"));
    whorl_params* out = nullptr;
    EXPECT_EQ(whorl_params_preset("app", 25, &out, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_params_preset("leaf", 21, &out, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_params_preset("wide", 0, &out, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(out, nullptr);
}

Failure verdict_of(const Key& key, const ProofHandle& proof, const StatementHandle& statement) {
    return failure_of(
        [&](whorl_error** error) { return whorl_verify(key.get(), proof.get(), statement.get(), error); });
}

TEST(CApi, StatementsNameParametersAndForbidOtherAirs) {
    const Key key = decoded_key("fib_2e5");
    const ProofHandle proof = decoded_proof("fib_2e5");
    const StatementHandle statement = made<StatementHandle>(whorl_statement_new);
    const auto verdict = [&] { return verdict_of(key, proof, statement); };
    ASSERT_EQ(whorl_statement_set_min_security_bits(statement.get(), 0, nullptr), WHORL_OK);
    const ParamsHandle params = made<ParamsHandle>(
        [&](whorl_params** out, whorl_error** error) { return whorl_key_params(key.get(), out, error); });
    ASSERT_EQ(whorl_statement_set_params(statement.get(), params.get(), nullptr), WHORL_OK);
    EXPECT_EQ(verdict().code, WHORL_OK);
    ASSERT_EQ(whorl_statement_allow_other_airs(statement.get(), 0, nullptr), WHORL_OK);
    EXPECT_EQ(verdict().code, WHORL_REJECTED);
    ASSERT_EQ(whorl_statement_require_air(statement.get(), 0, nullptr), WHORL_OK);
    EXPECT_EQ(verdict().code, WHORL_OK);
    const ParamsHandle other = made<ParamsHandle>(
        [](whorl_params** out, whorl_error** error) { return whorl_params_preset("root", 0, out, error); });
    ASSERT_EQ(whorl_statement_set_params(statement.get(), other.get(), nullptr), WHORL_OK);
    EXPECT_EQ(verdict().stage, "statement_params");
}

TEST(CApi, StatementsAreHeld) {
    const Key key = decoded_key("fib_2e5");
    const ProofHandle proof = decoded_proof("fib_2e5");
    const StatementHandle statement = made<StatementHandle>(whorl_statement_new);
    const auto verdict = [&] { return verdict_of(key, proof, statement); };
    const Failure weak = verdict();
    EXPECT_EQ(weak.code, WHORL_REJECTED);
    EXPECT_EQ(weak.stage, "statement_security");
    ASSERT_EQ(whorl_statement_set_min_security_bits(statement.get(), 0, nullptr), WHORL_OK);
    std::size_t num_words = 0;
    ASSERT_EQ(whorl_proof_public_values(proof.get(), 0, nullptr, 0, &num_words, nullptr), WHORL_OK);
    ASSERT_EQ(num_words, 3u);
    std::vector<std::uint32_t> values(num_words);
    ASSERT_EQ(whorl_proof_public_values(proof.get(), 0, values.data(), values.size(), &num_words, nullptr), WHORL_OK);
    EXPECT_EQ(values.back(), 2178309u);
    ASSERT_EQ(whorl_statement_set_public_values(statement.get(), 0, values.data(), values.size(), nullptr), WHORL_OK);
    std::vector<std::uint32_t> pre_hash(whorl_key_digest_words(key.get()));
    ASSERT_EQ(whorl_key_pre_hash(key.get(), pre_hash.data(), pre_hash.size(), nullptr), WHORL_OK);
    ASSERT_EQ(whorl_statement_set_pre_hash(statement.get(), pre_hash.data(), pre_hash.size(), nullptr), WHORL_OK);
    EXPECT_EQ(verdict().code, WHORL_OK);
    ++values[2];
    ASSERT_EQ(whorl_statement_set_public_values(statement.get(), 0, values.data(), values.size(), nullptr), WHORL_OK);
    const Failure other = verdict();
    EXPECT_EQ(other.code, WHORL_REJECTED);
    EXPECT_EQ(other.stage, "statement_public_value");
    --values[2];
    ASSERT_EQ(whorl_statement_set_public_values(statement.get(), 0, values.data(), values.size(), nullptr), WHORL_OK);
    ++pre_hash[0];
    ASSERT_EQ(whorl_statement_set_pre_hash(statement.get(), pre_hash.data(), pre_hash.size(), nullptr), WHORL_OK);
    EXPECT_EQ(verdict().stage, "statement_pre_hash");
}

TEST(CApi, StatementsNameAirsAndCachedCommitments) {
    const Key key = decoded_key("cached");
    const ProofHandle proof = decoded_proof("cached");
    const StatementHandle statement = made<StatementHandle>(whorl_statement_new);
    ASSERT_EQ(whorl_statement_set_min_security_bits(statement.get(), 0, nullptr), WHORL_OK);
    std::size_t num_airs = whorl_proof_num_airs(proof.get());
    std::size_t num_found = 0;
    for (std::size_t air_id = 0; air_id < num_airs; ++air_id) {
        std::uint8_t has_trace = 0;
        ASSERT_EQ(whorl_proof_has_trace(proof.get(), air_id, &has_trace, nullptr), WHORL_OK);
        if (has_trace == 0) continue;
        ASSERT_EQ(whorl_statement_require_air(statement.get(), air_id, nullptr), WHORL_OK);
        std::uint64_t height = 0;
        ASSERT_EQ(whorl_proof_height(proof.get(), air_id, &height, nullptr), WHORL_OK);
        EXPECT_GT(height, 0u);
        std::size_t num_words = 0;
        ASSERT_EQ(whorl_proof_cached_commitments(proof.get(), air_id, nullptr, 0, &num_words, nullptr), WHORL_OK);
        std::vector<std::uint32_t> words(num_words);
        ASSERT_EQ(whorl_proof_cached_commitments(proof.get(), air_id, words.data(), words.size(), &num_words, nullptr),
                  WHORL_OK);
        num_found += num_words;
        ASSERT_EQ(whorl_statement_set_cached_commitments(statement.get(), air_id, words.data(), words.size(), nullptr),
                  WHORL_OK);
        EXPECT_EQ(whorl_verify(key.get(), proof.get(), statement.get(), nullptr), WHORL_OK);
        if (words.empty()) continue;
        words[0] = (words[0] + 1) % Fp::kModulus;
        ASSERT_EQ(whorl_statement_set_cached_commitments(statement.get(), air_id, words.data(), words.size(), nullptr),
                  WHORL_OK);
        EXPECT_EQ(whorl_verify(key.get(), proof.get(), statement.get(), nullptr), WHORL_REJECTED);
        EXPECT_EQ(whorl_statement_set_cached_commitments(statement.get(), air_id, words.data(), 3, nullptr),
                  WHORL_INVALID_ARGUMENT);
        break;
    }
    EXPECT_GT(num_found, 0u);
    ASSERT_EQ(whorl_statement_require_air(statement.get(), num_airs, nullptr), WHORL_OK);
    EXPECT_EQ(whorl_verify(key.get(), proof.get(), statement.get(), nullptr), WHORL_REJECTED);
}

whorl_control new_control() {
    whorl_control control{};
    control.struct_size = sizeof control;
    return control;
}

struct Calls {
    int count = 0;
    int stop_at = -1;
    double last = -1;
};
int count_call(void* user, double fraction, const char* stage) {
    auto* calls = static_cast<Calls*>(user);
    EXPECT_GE(fraction, calls->last);
    EXPECT_STRNE(stage, "");
    calls->last = fraction;
    return calls->count++ == calls->stop_at ? 1 : 0;
}

TEST(CApi, TellsProgressAndStops) {
    const TaskHandles task = loaded_task("mixture");
    const ProverHandle prover = new_prover(task.key);
    Calls calls;
    whorl_control control = new_control();
    control.progress = count_call;
    control.user = &calls;
    expect_stored_proof(prove_with(prover, task.traces, &control), "mixture");
    EXPECT_EQ(calls.last, 1.0);
    EXPECT_GT(calls.count, 8);
    const auto prove_again = [&] {
        return failure_of([&](whorl_error** error) {
            whorl_proof* proof = nullptr;
            const whorl_code code = whorl_prover_prove(prover.get(), task.traces.get(), &control, &proof, error);
            whorl_proof_free(proof);
            return code;
        });
    };
    calls = {.stop_at = 4};
    EXPECT_EQ(prove_again().code, WHORL_CANCELLED);
    EXPECT_EQ(calls.count, 5);
    const Stop stop = made<Stop>(whorl_stop_new);
    control = new_control();
    control.stop = stop.get();
    whorl_stop_request(stop.get());
    EXPECT_EQ(prove_again().code, WHORL_CANCELLED);
    whorl_stop_reset(stop.get());
    EXPECT_EQ(prove_again().code, WHORL_OK);
    control = new_control();
    control.memory_limit_bytes = 1;
    const Failure limited = prove_again();
    EXPECT_EQ(limited.code, WHORL_MACHINE);
    EXPECT_THAT(limited.message, HasSubstr("memory_limit_bytes"));
}

TEST(CApi, BadInputIsAnError) {
    const Key key = decoded_key("mixture");
    const std::uint8_t garbage[] = {1, 2, 3, 250};
    const Failure bad_key = failure_of([&](whorl_error** error) {
        whorl_key* out = nullptr;
        return whorl_key_decode(garbage, sizeof garbage, &out, error);
    });
    EXPECT_EQ(bad_key.code, WHORL_BAD_FORMAT);
    EXPECT_FALSE(bad_key.message.empty());
    whorl_proof* proof = nullptr;
    EXPECT_EQ(whorl_proof_decode(garbage, sizeof garbage, &proof, nullptr), WHORL_BAD_FORMAT);
    EXPECT_EQ(whorl_proof_decode(nullptr, 0, &proof, nullptr), WHORL_BAD_FORMAT);
    EXPECT_EQ(proof, nullptr);
    const std::uint32_t words[] = {1, Fp::kModulus};
    whorl_matrix* matrix = nullptr;
    const Failure word = failure_of(
        [&](whorl_error** error) { return whorl_matrix_copy(words, 1, 2, WHORL_MONTGOMERY, &matrix, error); });
    EXPECT_EQ(word.code, WHORL_INVALID_ARGUMENT);
    EXPECT_THAT(word.message, HasSubstr("column 0, row 1"));
    EXPECT_EQ(whorl_matrix_copy(words, SIZE_MAX, SIZE_MAX, WHORL_CANONICAL, &matrix, nullptr), WHORL_MACHINE);
    EXPECT_EQ(whorl_matrix_borrow(words, SIZE_MAX, SIZE_MAX, &matrix, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_matrix_borrow(nullptr, 1, 1, &matrix, nullptr), WHORL_INVALID_ARGUMENT);
    const void* const odd = reinterpret_cast<const char*>(words) + 1;
    EXPECT_EQ(whorl_matrix_borrow(static_cast<const uint32_t*>(odd), 1, 1, &matrix, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_matrix_on_device(nullptr, 1, 1, nullptr, &matrix, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_matrix_on_device(words, 1, 2, nullptr, nullptr, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(matrix, nullptr);

    // A borrowed word that is no field element is found when it is used.
    const MatrixHandle borrowed = made<MatrixHandle>(
        [&](whorl_matrix** out, whorl_error** error) { return whorl_matrix_borrow(words, 1, 2, out, error); });
    const ProverHandle prover = new_prover(key);
    whorl_committed* committed = nullptr;
    EXPECT_EQ(whorl_prover_commit(prover.get(), borrowed.get(), nullptr, &committed, nullptr), WHORL_INVALID_ARGUMENT);

    const Traces traces = made<Traces>(whorl_traces_new);
    const Failure no_trace =
        failure_of([&](whorl_error** error) { return whorl_traces_add_cached(traces.get(), borrowed.get(), error); });
    EXPECT_EQ(no_trace.code, WHORL_INVALID_ARGUMENT);
    EXPECT_THAT(no_trace.message, HasSubstr("a trace to have been added"));
    ASSERT_EQ(whorl_traces_add(traces.get(), 99, borrowed.get(), nullptr), WHORL_OK);
    const Failure unknown = failure_of(
        [&](whorl_error** error) { return whorl_prover_prove(prover.get(), traces.get(), nullptr, &proof, error); });
    EXPECT_EQ(unknown.code, WHORL_INVALID_ARGUMENT);
    EXPECT_THAT(unknown.message, HasSubstr("AIR 99"));
    whorl_prover* out = nullptr;
    whorl_prover_options abacus{};
    abacus.struct_size = sizeof abacus;
    abacus.device = "abacus";
    EXPECT_EQ(whorl_prover_new(key.get(), &abacus, &out, nullptr), WHORL_INVALID_ARGUMENT);
    const StatementHandle statement = made<StatementHandle>(whorl_statement_new);
    EXPECT_EQ(whorl_statement_set_min_security_bits(statement.get(), -1, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_statement_set_public_values(statement.get(), 0, words, 2, nullptr), WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_task_load("/no/such/folder", nullptr, nullptr, nullptr), WHORL_INVALID_ARGUMENT);
    whorl_key* key_out = nullptr;
    whorl_traces* traces_out = nullptr;
    EXPECT_EQ(whorl_task_load("/no/such/folder", &key_out, &traces_out, nullptr), WHORL_IO);
}

TranscriptHandle new_transcript(const Key& key) {
    return made<TranscriptHandle>([&](whorl_transcript** transcript, whorl_error** error) {
        return whorl_transcript_new(key.get(), transcript, error);
    });
}

std::vector<uint32_t> state_of(const TranscriptHandle& transcript) {
    std::vector<uint32_t> words(whorl_transcript_state_words(transcript.get()));
    EXPECT_EQ(whorl_transcript_state(transcript.get(), words.data(), words.size(), nullptr), WHORL_OK);
    return words;
}

// A proof in the middle of a protocol: what was observed before binds it, and both sides end alike.
TEST(CApi, ProofsGoOnFromATranscript) {
    const TaskHandles task = loaded_task("mixture");
    const std::vector<uint32_t> observed{1, 2, 3};
    const auto begin = [&] {
        TranscriptHandle transcript = new_transcript(task.key);
        EXPECT_EQ(whorl_transcript_observe(transcript.get(), observed.data(), observed.size(), nullptr), WHORL_OK);
        return transcript;
    };
    std::vector<uint32_t> end_on_cpu;
    for (const char* device : {"cpu", "sim"}) {
        SCOPED_TRACE(device);
        const TranscriptHandle provers = begin();
        const std::vector<uint32_t> start = state_of(provers);
        EXPECT_EQ(start.size(), 18U);
        EXPECT_EQ(start[16], 3U);
        whorl_control control{};
        control.struct_size = sizeof control;
        control.transcript = provers.get();
        const ProofHandle proof = prove_with(new_prover(task.key, device), task.traces, &control);
        EXPECT_NE(state_of(provers), start);
        if (end_on_cpu.empty()) end_on_cpu = state_of(provers);
        EXPECT_EQ(state_of(provers), end_on_cpu);
        // Alone it is another proof.
        EXPECT_EQ(whorl_verify(task.key.get(), proof.get(), nullptr, nullptr), WHORL_REJECTED);
        const TranscriptHandle verifiers = begin();
        EXPECT_EQ(whorl_verify_from(task.key.get(), proof.get(), nullptr, verifiers.get(), nullptr), WHORL_OK);
        EXPECT_EQ(state_of(verifiers), end_on_cpu);
        // Rejected, it leaves the transcript as it was.
        EXPECT_EQ(whorl_verify_from(task.key.get(), proof.get(), nullptr, verifiers.get(), nullptr), WHORL_REJECTED);
        EXPECT_EQ(state_of(verifiers), end_on_cpu);
        // The state carries all: another transcript goes on alike.
        const TranscriptHandle copy = new_transcript(task.key);
        EXPECT_EQ(whorl_transcript_set_state(copy.get(), end_on_cpu.data(), end_on_cpu.size(), nullptr), WHORL_OK);
        std::vector<uint32_t> samples(20), of_copy(20);
        EXPECT_EQ(whorl_transcript_sample(verifiers.get(), samples.data(), samples.size(), nullptr), WHORL_OK);
        EXPECT_EQ(whorl_transcript_sample(copy.get(), of_copy.data(), of_copy.size(), nullptr), WHORL_OK);
        EXPECT_EQ(samples, of_copy);
    }
    const TranscriptHandle transcript = begin();
    const std::vector<uint32_t> state = state_of(transcript);
    const auto refusal = [&](std::size_t at, std::uint32_t word) {
        std::vector<uint32_t> altered = state;
        altered[at] = word;
        return failure_of([&](whorl_error** error) {
                   return whorl_transcript_set_state(transcript.get(), altered.data(), altered.size(), error);
               })
            .message;
    };
    EXPECT_THAT(refusal(3, 2013265921), HasSubstr("found 2013265921 at 3"));
    EXPECT_THAT(refusal(16, 8), HasSubstr("absorb_index below 8"));
    EXPECT_THAT(refusal(17, 9), HasSubstr("a squeeze_index of at most 8, found 9"));
    EXPECT_EQ(state_of(transcript), state);
}

// What is saved is loaded again as it was, with the names that the key was given.
TEST(CApi, SavesTasks) {
    const TaskHandles task = loaded_task("mixture");
    const std::vector<std::byte> bytes = test::key_bytes("mixture");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < whorl_key_num_airs(task.key.get()); ++i) names.push_back("Named" + std::to_string(i));
    std::vector<const char*> pointers;
    for (const std::string& name : names) pointers.push_back(name.c_str());
    const Key named = made<Key>([&](whorl_key** key, whorl_error** error) {
        return whorl_key_decode_named(data_of(bytes), bytes.size(), pointers.data(), pointers.size(), key, error);
    });

    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("whorl_capi_" + std::to_string(::getpid()));
    ASSERT_EQ(whorl_task_save(folder.c_str(), "a task", named.get(), task.traces.get(), nullptr), WHORL_OK);
    const Task loaded = value_of(load_task(folder));
    EXPECT_EQ(loaded.name, "a task");
    EXPECT_EQ(loaded.air_names, names);
    whorl_key* key = nullptr;
    whorl_traces* traces = nullptr;
    ASSERT_EQ(whorl_task_load(folder.c_str(), &key, &traces, nullptr), WHORL_OK);
    const Key again(key);
    const Traces again_traces(traces);
    expect_stored_proof(prove_with(new_prover(again), again_traces), "mixture");
    std::filesystem::remove_all(folder);

    // Nothing is written of traces that no prover takes.
    const Key other = decoded_key("fib_2e5");
    const Failure failure = failure_of([&](whorl_error** error) {
        return whorl_task_save(folder.c_str(), "a task", other.get(), task.traces.get(), error);
    });
    EXPECT_EQ(failure.code, WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(failure.stage, "task.save");
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(CApi, NamesOfAirsMustBeAsManyAsTheKeyHas) {
    const std::vector<std::byte> bytes = test::key_bytes("fib_2e5");
    const char* names[] = {"Fibonacci", nullptr};
    whorl_key* key = nullptr;
    const Failure two = failure_of([&](whorl_error** error) {
        return whorl_key_decode_named(data_of(bytes), bytes.size(), names, 2, &key, error);
    });
    EXPECT_EQ(two.code, WHORL_INVALID_ARGUMENT);
    EXPECT_THAT(two.message, HasSubstr("1 AIRs, found 2"));
    EXPECT_EQ(whorl_key_decode_named(data_of(bytes), bytes.size(), names + 1, 1, &key, nullptr),
              WHORL_INVALID_ARGUMENT);
    EXPECT_EQ(whorl_key_decode_named(data_of(bytes), 5, names, 1, &key, nullptr), WHORL_BAD_FORMAT);
    EXPECT_EQ(key, nullptr);
}

TEST(CApi, UnsatisfiedTracesAreReported) {
    const TaskHandles task = loaded_task("fib_2e5");
    const std::uint32_t values[] = {0, 1, 5};
    ASSERT_EQ(whorl_traces_set_public_values(task.traces.get(), values, 3, nullptr), WHORL_OK);
    const Failure failure =
        failure_of([&](whorl_error** error) { return whorl_check(task.key.get(), task.traces.get(), error); });
    EXPECT_EQ(failure.code, WHORL_UNSATISFIED);
    EXPECT_THAT(failure.message, HasSubstr("FibonacciAir"));
}

TEST(CApi, NullIsAnErrorOrNothing) {
    whorl_error_free(nullptr);
    whorl_bytes_free(nullptr);
    whorl_key_free(nullptr);
    whorl_proof_free(nullptr);
    whorl_statement_free(nullptr);
    whorl_matrix_free(nullptr);
    whorl_committed_free(nullptr);
    whorl_traces_free(nullptr);
    whorl_stop_free(nullptr);
    whorl_prover_free(nullptr);
    whorl_transcript_free(nullptr);
    EXPECT_EQ(whorl_transcript_state_words(nullptr), 0u);
    whorl_stop_request(nullptr);
    whorl_stop_reset(nullptr);
    EXPECT_EQ(whorl_error_code(nullptr), WHORL_OK);
    EXPECT_STREQ(whorl_error_stage(nullptr), "");
    EXPECT_STREQ(whorl_error_message(nullptr), "");
    EXPECT_EQ(whorl_bytes_data(nullptr), nullptr);
    EXPECT_EQ(whorl_bytes_size(nullptr), 0u);
    EXPECT_EQ(whorl_key_num_airs(nullptr), 0u);
    EXPECT_LT(whorl_key_security_bits(nullptr), 0);
    EXPECT_EQ(whorl_key_max_proof_bytes(nullptr), 0u);
    EXPECT_EQ(whorl_proof_num_airs(nullptr), 0u);
    EXPECT_EQ(whorl_matrix_width(nullptr), 0u);
    EXPECT_EQ(whorl_matrix_height(nullptr), 0u);

    const Key key = decoded_key("mixture");
    const ProofHandle proof = decoded_proof("mixture");
    whorl_air_info info{};
    std::size_t n = 0;
    std::uint32_t word = 0;
    std::uint64_t number = 0;
    std::uint8_t flag = 0;
    whorl_key* key_out = nullptr;
    whorl_params* params_out = nullptr;
    const StatementHandle statement = made<StatementHandle>(whorl_statement_new);
    const Traces no_traces = made<Traces>(whorl_traces_new);
    whorl_proof* proof_out = nullptr;
    whorl_bytes* bytes_out = nullptr;
    whorl_prover* prover_out = nullptr;
    whorl_matrix* matrix_out = nullptr;
    whorl_committed* committed_out = nullptr;
    whorl_transcript* transcript_out = nullptr;
    const TranscriptHandle transcript = new_transcript(key);
    for (const whorl_code code : {
             whorl_key_decode(nullptr, 5, &key_out, nullptr),
             whorl_key_decode(&flag, 1, nullptr, nullptr),
             whorl_key_decode_named(nullptr, 5, nullptr, 0, &key_out, nullptr),
             whorl_key_decode_named(&flag, 1, nullptr, 0, nullptr, nullptr),
             whorl_key_decode_named(&flag, 1, nullptr, 1, &key_out, nullptr),
             whorl_key_encode(nullptr, &bytes_out, nullptr),
             whorl_key_encode(key.get(), nullptr, nullptr),
             whorl_key_pre_hash(nullptr, &word, 8, nullptr),
             whorl_key_pre_hash(key.get(), nullptr, 8, nullptr),
             whorl_key_air(nullptr, 0, &info, nullptr),
             whorl_key_air(key.get(), 0, nullptr, nullptr),
             whorl_key_cached_main_width(nullptr, 0, 0, &word, nullptr),
             whorl_key_cached_main_width(key.get(), 0, 0, nullptr, nullptr),
             whorl_proof_decode(nullptr, 5, &proof_out, nullptr),
             whorl_proof_decode(&flag, 1, nullptr, nullptr),
             whorl_proof_encode(nullptr, &bytes_out, nullptr),
             whorl_transcript_new(nullptr, &transcript_out, nullptr),
             whorl_transcript_new(key.get(), nullptr, nullptr),
             whorl_transcript_observe(nullptr, &word, 1, nullptr),
             whorl_transcript_observe(transcript.get(), nullptr, 1, nullptr),
             whorl_transcript_sample(nullptr, &word, 1, nullptr),
             whorl_transcript_sample(transcript.get(), nullptr, 1, nullptr),
             whorl_transcript_state(nullptr, &word, 18, nullptr),
             whorl_transcript_state(transcript.get(), nullptr, 18, nullptr),
             whorl_transcript_state(transcript.get(), &word, 17, nullptr),
             whorl_transcript_set_state(nullptr, &word, 18, nullptr),
             whorl_transcript_set_state(transcript.get(), nullptr, 18, nullptr),
             whorl_transcript_set_state(transcript.get(), &word, 17, nullptr),
             whorl_verify_from(key.get(), proof.get(), nullptr, nullptr, nullptr),
             whorl_verify_from(nullptr, proof.get(), nullptr, transcript.get(), nullptr),
             whorl_proof_encode(proof.get(), nullptr, nullptr),
             whorl_proof_has_trace(nullptr, 0, &flag, nullptr),
             whorl_proof_has_trace(proof.get(), 0, nullptr, nullptr),
             whorl_proof_height(nullptr, 0, &number, nullptr),
             whorl_proof_height(proof.get(), 0, nullptr, nullptr),
             whorl_proof_public_values(nullptr, 0, &word, 1, &n, nullptr),
             whorl_proof_public_values(proof.get(), 0, nullptr, 1, &n, nullptr),
             whorl_proof_public_values(proof.get(), 0, &word, 1, nullptr, nullptr),
             whorl_proof_cached_commitments(nullptr, 0, &word, 1, &n, nullptr),
             whorl_proof_cached_commitments(proof.get(), 0, nullptr, 1, &n, nullptr),
             whorl_params_preset(nullptr, 20, &params_out, nullptr),
             whorl_params_preset("app", 20, nullptr, nullptr),
             whorl_params_new(nullptr, nullptr, &params_out, nullptr),
             whorl_params_read(nullptr, nullptr, nullptr, 0, nullptr),
             whorl_key_params(nullptr, &params_out, nullptr),
             whorl_key_params(key.get(), nullptr, nullptr),
             whorl_statement_set_params(nullptr, nullptr, nullptr),
             whorl_statement_set_params(statement.get(), nullptr, nullptr),
             whorl_statement_allow_other_airs(nullptr, 0, nullptr),
             whorl_statement_new(nullptr, nullptr),
             whorl_statement_set_min_security_bits(nullptr, 0, nullptr),
             whorl_statement_set_pre_hash(nullptr, &word, 8, nullptr),
             whorl_statement_require_air(nullptr, 0, nullptr),
             whorl_statement_set_public_values(nullptr, 0, &word, 1, nullptr),
             whorl_statement_set_cached_commitments(nullptr, 0, &word, 8, nullptr),
             whorl_verify(nullptr, proof.get(), nullptr, nullptr),
             whorl_verify(key.get(), nullptr, nullptr, nullptr),
             whorl_matrix_copy(nullptr, 1, 1, WHORL_CANONICAL, &matrix_out, nullptr),
             whorl_matrix_copy(&word, 1, 1, WHORL_CANONICAL, nullptr, nullptr),
             whorl_matrix_borrow(&word, 1, 1, nullptr, nullptr),
             whorl_committed_digest(nullptr, &word, 8, nullptr),
             whorl_traces_new(nullptr, nullptr),
             whorl_traces_add(nullptr, 0, nullptr, nullptr),
             whorl_traces_set_public_values(nullptr, &word, 1, nullptr),
             whorl_traces_add_cached(nullptr, nullptr, nullptr),
             whorl_traces_add_committed(nullptr, nullptr, nullptr),
             whorl_traces_set_preprocessed(nullptr, nullptr, nullptr),
             whorl_traces_set_preprocessed_committed(nullptr, nullptr, nullptr),
             whorl_task_load(nullptr, &key_out, nullptr, nullptr),
             whorl_task_save(nullptr, "name", key.get(), no_traces.get(), nullptr),
             whorl_task_save("folder", nullptr, key.get(), no_traces.get(), nullptr),
             whorl_task_save("folder", "name", nullptr, no_traces.get(), nullptr),
             whorl_task_save("folder", "name", key.get(), nullptr, nullptr),
             whorl_stop_new(nullptr, nullptr),
             whorl_prover_new(nullptr, nullptr, &prover_out, nullptr),
             whorl_prover_new(key.get(), nullptr, nullptr, nullptr),
             whorl_prover_prove(nullptr, nullptr, nullptr, &proof_out, nullptr),
             whorl_prover_commit(nullptr, nullptr, nullptr, &committed_out, nullptr),
             whorl_prover_memory_bytes(nullptr, nullptr, &number, nullptr),
             whorl_check(nullptr, nullptr, nullptr),
         }) {
        EXPECT_EQ(code, WHORL_INVALID_ARGUMENT);
    }
    // A matrix without elements needs none.
    const MatrixHandle empty = made<MatrixHandle>([&](whorl_matrix** matrix, whorl_error** error) {
        return whorl_matrix_copy(nullptr, 0, 8, WHORL_CANONICAL, matrix, error);
    });
    EXPECT_EQ(whorl_matrix_height(empty.get()), 8u);
}

}  // namespace
}  // namespace whorl
