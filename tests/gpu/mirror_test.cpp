// The mirror finds what a device does wrong, names the kernel, and keeps the fault from spreading.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/proof.hpp>
#include <whorl/prove.hpp>

#include "airs/tasks.hpp"
#include "backend/gpu/kernels.hpp"
#include "backend/gpu/prover.hpp"
#include "device/mirror/mirror_runtime.hpp"
#include "device/sim/thread.hpp"
#include "gpu/devices.hpp"
#include "gpu/wrapped_runtime.hpp"
#include "prove/bytes.hpp"

namespace whorl::gpu::mirror {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A simulated device that does something else with some commands.
class FaultyRuntime final : public WrappedRuntime {
public:
    /// Carries out a command of `submission` in its own way; false: as it should be.
    using Fault = std::function<bool(Runtime& device, const Submission& submission)>;
    FaultyRuntime(std::unique_ptr<Runtime> device, Fault fault)
        : WrappedRuntime(std::move(device)), fault_(std::move(fault)) {}

    void submit(const Submission& submission) override {
        if (!fault_(*device_, submission)) device_->submit(submission);
    }

private:
    Fault fault_;
};

bool is_of(const Submission& submission, const KernelInfo& kernel) {
    const Command& command = submission.commands.front();
    return command.kind == Command::Kind::kDispatch && std::string_view(command.kernel->name) == kernel.name;
}

// The address in the parameters for which the kernel's list has that letter.
Address address_of(const Submission& submission, char letter) {
    const std::string_view access = submission.commands.front().kernel->access;
    Address address;
    std::memcpy(&address, submission.params.data() + sizeof(Address) * access.find(letter), sizeof(address));
    return address;
}

FaultyRuntime::Fault flips_a_bit(const KernelInfo& kernel, char letter, std::uint32_t word) {
    return [&kernel, letter, word](Runtime& device, const Submission& submission) {
        if (!is_of(submission, kernel)) return false;
        device.submit(submission);
        const sim::Words words = sim::words_at(address_of(submission, letter));
        words[word] = words[word] ^ 4u;
        return true;
    };
}

FaultyRuntime::Fault drops_the_last_group(const KernelInfo& kernel) {
    return [&kernel](Runtime& device, const Submission& submission) {
        if (!is_of(submission, kernel)) return false;
        Submission shorter = submission;
        if (--shorter.commands.front().groups != 0) device.submit(shorter);
        return true;
    };
}

struct Mirrored {
    Log log;
    std::vector<std::byte> proof;

    std::vector<std::string> wrong() const {
        std::vector<std::string> names;
        for (const auto& [name, tally] : log) {
            if (!tally.problem.empty()) names.push_back(name);
        }
        return names;
    }
};

constexpr const char* kVector = "mixture";

Mirrored prove_mirrored(std::unique_ptr<Runtime> device) {
    const AirTask task = *vector_task(kVector);
    const auto key = test::value_of(keygen(task.params, task.airs));
    const std::vector<AirTrace> traces = task.make_traces();
    Mirrored mirrored;
    GpuProver prover(key.vk, std::make_unique<MirrorRuntime>(*device, &sim::find_kernel, mirrored.log),
                     Dispatch::kStaged);
    mirrored.proof = *encode_proof(prover.prove(make_prover_input(key.vk, traces, nullptr)));
    return mirrored;
}

Mirrored prove_mirrored(FaultyRuntime::Fault fault, bool is_unified) {
    return prove_mirrored(
        std::make_unique<FaultyRuntime>(sim::make_runtime({.is_unified = is_unified}), std::move(fault)));
}

TEST(Mirror, FindsNothingOnDevicesThatWork) {
    for (std::unique_ptr<Runtime>& device : runtimes_to_test()) {
        SCOPED_TRACE(device->info().id);
        const Mirrored mirrored = prove_mirrored(std::move(device));
        EXPECT_THAT(mirrored.wrong(), IsEmpty());
        EXPECT_GT(mirrored.log.at("merkle_absorb").count, 0u);
        EXPECT_GT(mirrored.log.at("copy").count, 0u);
        test::expect_same_bytes(mirrored.proof, test::stored_proof(kVector));
    }
}

TEST(Mirror, NamesTheKernelWhoseOutputHasAWrongBit) {
    struct Case {
        const KernelInfo& kernel;
        char letter;
    };
    for (const Case& of : {Case{kernel::merkle_absorb.info, 'x'}, Case{kernel::ntt_blocks.info, 'x'},
                           Case{kernel::gkr_sum_leaves.info, 'w'}, Case{kernel::dot_columns.info, 'w'}}) {
        for (const bool is_unified : {true, false}) {
            SCOPED_TRACE(testing::Message() << of.kernel.name << (is_unified ? " unified" : ""));
            const Mirrored mirrored = prove_mirrored(flips_a_bit(of.kernel, of.letter, 5), is_unified);
            EXPECT_THAT(mirrored.wrong(), ElementsAre(of.kernel.name));
            const std::string& problem = mirrored.log.at(of.kernel.name).problem;
            EXPECT_THAT(problem, HasSubstr("in word 5 of"));
            EXPECT_THAT(problem, HasSubstr(std::string("(\"") + of.letter + "\"); no other word differs"));
            test::expect_same_bytes(mirrored.proof, test::stored_proof(kVector));
        }
    }
}

TEST(Mirror, NamesTheKernelThatMissesAThreadgroup) {
    for (const KernelInfo* kernel : {&kernel::merkle_fold.info, &kernel::logup_leaves.info,
                                     &kernel::round0_evaluate_cosets.info, &kernel::whir_round.info}) {
        SCOPED_TRACE(kernel->name);
        const Mirrored mirrored = prove_mirrored(drops_the_last_group(*kernel), true);
        EXPECT_THAT(mirrored.wrong(), ElementsAre(kernel->name));
        test::expect_same_bytes(mirrored.proof, test::stored_proof(kVector));
    }
}

TEST(Mirror, NamesTheKernelThatWritesWhatItOnlyReads) {
    const Mirrored mirrored = prove_mirrored(flips_a_bit(kernel::fold_pairs.info, 'r', 0), false);
    EXPECT_THAT(mirrored.wrong(), ElementsAre("fold_pairs"));
    EXPECT_THAT(mirrored.log.at("fold_pairs").problem, HasSubstr("parameter 1 of 3 (\"r\")"));
}

TEST(Mirror, NamesEveryKernelThatIsWrong) {
    const auto first = flips_a_bit(kernel::merkle_top.info, 'w', 0), second = flips_a_bit(kernel::eq_heap.info, 'w', 7);
    const Mirrored mirrored = prove_mirrored(
        [&](Runtime& device, const Submission& submission) {
            return first(device, submission) || second(device, submission);
        },
        true);
    EXPECT_THAT(mirrored.wrong(), ElementsAre("eq_heap", "merkle_top"));
    EXPECT_THAT(mirrored.log.at("merkle_top").problem, HasSubstr("(in commit_stream)"));
}

TEST(Mirror, FindsCopiesAndUploadsThatDoNotHappen) {
    const std::map<std::string, Command::Kind> kinds{{"copy", Command::Kind::kCopy},
                                                     {"upload", Command::Kind::kUpload}};
    for (const auto& [name, kind] : kinds) {
        SCOPED_TRACE(name);
        // The mirror's own reads are copies, and its repairs uploads: they have no label.
        const Mirrored mirrored = prove_mirrored(
            [&](Runtime&, const Submission& submission) {
                return !submission.label.empty() && submission.commands.front().kind == kind;
            },
            false);
        EXPECT_THAT(mirrored.wrong(), ElementsAre(name));
        EXPECT_THAT(mirrored.log.at(name).problem, HasSubstr("its destination"));
        test::expect_same_bytes(mirrored.proof, test::stored_proof(kVector));
    }
}

TEST(Mirror, GoesOnWithoutAKernelThatFails) {
    const Mirrored mirrored = prove_mirrored(
        [&](Runtime&, const Submission& submission) {
            if (!is_of(submission, kernel::stacked_round.info)) return false;
            throw DeviceError("it does not compile");
        },
        true);
    EXPECT_THAT(mirrored.wrong(), ElementsAre("stacked_round"));
    EXPECT_EQ(mirrored.log.at("stacked_round").problem, "it does not compile");
    test::expect_same_bytes(mirrored.proof, test::stored_proof(kVector));
}

}  // namespace
}  // namespace whorl::gpu::mirror
