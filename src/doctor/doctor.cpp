#include "doctor/doctor.hpp"

#include <whorl/air.hpp>
#include <whorl/prove.hpp>
#include <whorl/verify.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "airs/tasks.hpp"
#include "backend/gpu/compiled/sim/sim_gpu.hpp"
#include "backend/gpu/kernels.hpp"
#include "backend/gpu/ntt.hpp"
#include "backend/gpu/prover.hpp"
#include "device/memory_error.hpp"
#include "device/mirror/mirror_runtime.hpp"
#include "doctor/stage_order.hpp"
#include "engine/devices.hpp"
#include "machine/guard.hpp"
#include "prover/input.hpp"
#include "threads/thread_team.hpp"

namespace whorl {
namespace {

using gpu::mirror::Log;
using gpu::mirror::MirrorRuntime;

/// A task with its key, and the CPU's proof.
struct Case {
    std::string name;
    VerifyingKey vk;
    std::vector<AirTrace> traces;
    std::vector<std::byte> proof;
    double time_ms = 0;         // of the CPU
    std::string problem;        // with it
    bool is_generated = false;  // tested with generated kernels too
};

/// Small tasks that together dispatch all kernels of proofs: all kinds of columns, interactions, degrees up to 4, skip
/// domains up to 2^4 and above, transforms of more than one pass, and proof-of-work that is worth a GPU.
std::vector<AirTask> tasks() {
    std::vector<AirTask> tasks;
    for (const std::string_view name : {"mixture", "preprocessed_and_cached", "mixture_l_skip_5"}) {
        tasks.push_back(*vector_task(name));
    }
    SystemParams params = test_params_small(4, 8, 3);
    params.max_constraint_degree = 4;
    tasks.push_back(keccak_task(random_keccak_inputs(1), params));
    params = test_params_small(3, 11, 3);
    params.logup.pow_bits = 8;
    tasks.push_back(logup_task(10, params, {3}));
    return tasks;
}

/// The machine cannot carry the examination out: no verdict on the device.
struct MachineFault {
    Error error;
};

template <class T>
T value_of(Result<T> result) {
    if (result) return *std::move(result);
    if (result.error().code == ErrorCode::kMachine) throw MachineFault{std::move(result).error()};
    throw std::runtime_error(to_string(result.error()));
}

// Runs `work`; what it throws becomes the problem, unless memory has run out.
template <class Work>
void note_problem(std::string& problem, const Work& work) {
    try {
        work();
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const gpu::DeviceMemoryError& e) {
        throw MachineFault{{ErrorCode::kMachine, "doctor", e.what()}};
    } catch (const std::exception& e) {
        problem = e.what();
    }
}

Case make_case(const AirTask& task) {
    Case made;
    made.name = task.name;
    note_problem(made.problem, [&] {
        made.vk = std::move(value_of(keygen(task.params, task.airs)).vk);
        made.traces = task.make_traces();
        const Telemetry clock;
        const Proof proof = value_of(prove(made.vk, made.traces));
        made.time_ms = clock.now_ms();
        made.proof = value_of(encode_proof(proof));
        // keccak's would take compilers minutes.
        constexpr std::size_t kMaxNodes = 1000;
        made.is_generated =
            std::ranges::all_of(made.vk.airs, [](const AirVerifyingKey& air) { return air.nodes.size() < kMaxNodes; });
        const Proof read_back = value_of(decode_proof(made.proof));
        if (const auto verified = verify(made.vk, read_back); !verified) {
            if (verified.error().kind == VerifyErrorKind::kMachine) throw std::bad_alloc();
            throw std::runtime_error("the CPU's proof is rejected: " + to_string(verified.error()));
        }
    });
    return made;
}

ProofVerdict judge(const Case& of, std::string how, const std::function<Proof()>& make_proof) {
    ProofVerdict verdict{.task = of.name, .how = std::move(how)};
    const Telemetry clock;
    note_problem(verdict.problem, [&] {
        if (!of.problem.empty()) throw std::runtime_error(of.problem);
        const std::vector<std::byte> proof = value_of(encode_proof(make_proof()));
        const auto [found, expected] = std::ranges::mismatch(proof, of.proof);
        if (found == proof.end() && expected == of.proof.end()) return;
        throw std::runtime_error(
            fmt::format("not the CPU's proof from byte {} of {} on", found - proof.begin(), of.proof.size()));
    });
    verdict.time_ms = clock.now_ms();
    return verdict;
}

// The kernels that no proof of columns on the host needs: a sponge on the device, the look at columns that are there, and
// transforms back, of more points than one pass takes.
void run_other_kernels(std::unique_ptr<gpu::Runtime> runtime) {
    constexpr std::uint32_t kNumObserved = 21, kNumSampled = 11;
    constexpr unsigned kLogPoints = kNttLogTile + 1;
    std::vector<Fp> values(std::size_t{1} << kLogPoints);
    for (std::uint32_t i = 0; i < values.size(); ++i) values[i] = Fp::from_canonical(i * i + 1);
    gpu::Device device(std::move(runtime), Dispatch::kStaged);
    device.plan_and_run([&] {
        gpu::Recorder& recorder = device.recorder();
        const gpu::Buffer state = device.arena().take_words("sponge", sizeof(SpongeState) / 4);
        const gpu::Buffer sampled = device.arena().take_words("sampled", kNumSampled);
        const gpu::Buffer points = device.arena().take_words("points", values.size());
        recorder.fill(state.address(), sizeof(SpongeState), 0);
        recorder.upload_to(points.address(), values.data(), points.bytes());
        recorder.next_stage();
        recorder.dispatch(gpu::kernel::sponge_duplex, 1,
                          {.state = state.address(),
                           .observed = points.address(),
                           .sampled = sampled.address(),
                           .num_observed = kNumObserved,
                           .num_sampled = kNumSampled});
        const auto found = recorder.mailbox<std::uint32_t>(1);
        recorder.dispatch(gpu::kernel::find_non_elements, 1,
                          {.words = points.address(), .found = found.address(), .count = values.size()});
        const gpu::NttRoots roots(device, kLogPoints, gpu::NttDirection::kInverse);
        const gpu::NttColumns columns{.address = points.address(), .stride = values.size()};
        gpu::record_inverse_ntt(recorder, roots, columns, columns, kLogPoints);
        recorder.submit_and_wait(3 + gpu::num_ntt_passes(kLogPoints));
    });
}

// All kernels that there are, whether or not the log has them, then the rest of the log.
std::vector<KernelVerdict> verdicts(const Log& log) {
    std::vector<KernelVerdict> verdicts;
    const auto add = [&](std::string_view file, std::string_view name) {
        KernelVerdict& verdict = verdicts.emplace_back();
        verdict.file = file;
        verdict.name = name;
        const auto found = log.find(name);
        if (found == log.end()) {
            verdict.problem = "not tested";
            return;
        }
        verdict.num_dispatches = found->second.count;
        verdict.time_ms = found->second.time_ms;
        verdict.problem = found->second.problem;
    };
#define WH_ADD_KERNEL(name, Params, threads, barriers, access) #name,
#define WH_ADD_FILE(file, KERNELS, X) \
    for (const std::string_view kernel : {KERNELS(X)}) add(#file, kernel);
    WH_KERNEL_FILES(WH_ADD_FILE, WH_ADD_KERNEL)
#undef WH_ADD_FILE
#undef WH_ADD_KERNEL
    for (const std::string_view command : {"copy", "fill", "upload"}) {
        if (log.contains(command)) add("", command);
    }
    return verdicts;
}

template <class T>
T field_of(const SpanRecord& span, std::string_view key) {
    const auto field = std::ranges::find(span.fields, key, &std::pair<std::string, FieldValue>::first);
    return field == span.fields.end() ? T{} : std::get<T>(field->second);
}
std::int64_t count_of(const SpanRecord& span, std::string_view key) {
    return field_of<std::int64_t>(span, key);
}
std::string text_of(const SpanRecord& span, std::string_view key) {
    return field_of<std::string>(span, key);
}

// Tests a GPU with proofs kernel by kernel, then with work whose order matters, then as proofs are made.
class GpuExamination {
public:
    GpuExamination(std::string device, std::span<const Case> cases, Telemetry* telemetry)
        : device_(std::move(device)), cases_(cases), telemetry_(telemetry) {}

    void run(DoctorReport& report) {
        for (const Case& of : cases_) {
            const Span span(telemetry_, of.name);
            report.proofs.push_back(judge(of, "kernel by kernel", [&] {
                gpu::GpuProver prover(of.vk, mirror(), Dispatch::kStaged);
                return prover.prove(make_prover_input(of.vk, of.traces, nullptr));
            }));
            if (!report.proofs.back().problem.empty()) runtime_.reset();
        }
        {
            const Span span(telemetry_, "other_kernels");
            std::string problem;  // which the log has too
            note_problem(problem, [&] { run_other_kernels(mirror()); });
        }
        runtime_.reset();
        report.kernels = verdicts(log_);
        {
            const Span span(telemetry_, "stages_in_order");
            report.order = judge_order();
        }
        judge_proofs(report);
    }

private:
    // As prove() makes it, with the exceptions that tell a wrong device from a machine that is too small.
    Proof prove_on_device(const Case& of, Dispatch dispatch, std::optional<gpu::GenerationOptions> generation,
                          Telemetry* spans) const {
        gpu::GpuProver prover(of.vk, value_of(open_gpu(device_)), dispatch, generation);
        return prover.prove(make_prover_input(of.vk, of.traces, spans));
    }

    void judge_proofs(DoctorReport& report) const {
        for (const auto& [dispatch, how] : {std::pair(Dispatch::kStaged, "staged"), {Dispatch::kUnfused, "unfused"}}) {
            const Span span(telemetry_, how);
            for (const Case& of : cases_) {
                report.proofs.push_back(
                    judge(of, how, [&] { return prove_on_device(of, dispatch, std::nullopt, nullptr); }));
            }
        }
        const Span span(telemetry_, "generated");
        for (const Case& of : cases_) {
            if (of.is_generated && !judge_generated(of, report.proofs)) return;
        }
    }

    // Adds a verdict where kernels are generated at all. Returns false where the device compiles none while the program runs.
    bool judge_generated(const Case& of, std::vector<ProofVerdict>& verdicts) const {
        Telemetry spans;
        ProofVerdict verdict = judge(
            of, "generated", [&] { return prove_on_device(of, Dispatch::kStaged, gpu::GenerationOptions{}, &spans); });
        const auto span = std::ranges::find(spans.spans(), "compile_constraints", &SpanRecord::name);
        if (span == spans.spans().end()) return true;
        if (count_of(*span, "device_compiles") == 0) return false;
        const std::int64_t num_failed = count_of(*span, "failed_kernel_count");
        const std::int64_t num_late = count_of(*span, "pending_kernel_count");
        verdict.how += fmt::format(": {} kernel(s)", count_of(*span, "compiled_kernel_count"));
        if (num_late != 0) verdict.how += fmt::format(", {} not in time", num_late);
        if (num_failed != 0 && verdict.problem.empty())
            verdict.problem = fmt::format("{} kernel(s) did not compile: {}", num_failed, text_of(*span, "problem"));
        verdicts.push_back(std::move(verdict));
        return true;
    }

    // The device, opened again where a proof has failed, beside the host.
    std::unique_ptr<gpu::Runtime> mirror() {
        if (runtime_ == nullptr) runtime_ = value_of(open_gpu(device_));
        return std::make_unique<MirrorRuntime>(*runtime_, &gpu::sim::find_kernel, log_);
    }

    OrderVerdict judge_order() const {
        constexpr std::uint64_t kSeed = 1;
        OrderVerdict verdict{.num_stages = kNumOrderedStages};
        note_problem(verdict.problem, [&] {
            const std::vector<std::uint32_t> expected = run_ordered_stages(gpu::sim::make_runtime(), kSeed);
            const Telemetry clock;
            const std::vector<std::uint32_t> found = run_ordered_stages(value_of(open_gpu(device_)), kSeed);
            verdict.time_ms = clock.now_ms();
            const auto [at, other] = std::ranges::mismatch(found, expected);
            if (at == found.end()) return;
            throw std::runtime_error(
                fmt::format("word {} of {} is {:#x}, not {:#x}: stages overlap or overtake each other",
                            at - found.begin(), found.size(), *at, *other));
        });
        return verdict;
    }

    std::string device_;
    std::span<const Case> cases_;
    Telemetry* telemetry_;
    std::unique_ptr<gpu::Runtime> runtime_;
    Log log_;
};

}  // namespace

bool DoctorReport::is_healthy() const {
    const auto has_no_problem = [](const auto& verdict) { return verdict.problem.empty(); };
    return order.problem.empty() && std::ranges::all_of(kernels, has_no_problem) &&
           std::ranges::all_of(proofs, has_no_problem);
}

namespace {

Result<DoctorReport> examine_device(const std::string& device, Telemetry* telemetry) {
    if (auto ok = check_device(device); !ok) return ok.error();
    DoctorReport report;
    report.device.id = device;
    if (!is_cpu(device)) {
        std::string problem;
        note_problem(problem, [&] {
            const gpu::DeviceInfo info = value_of(open_gpu(device))->info();
            report.device.id = info.id;
            report.device.name = info.name;
            report.device.memory_bytes = info.memory;
            report.is_unified = info.is_unified;
            report.max_buffer_bytes = info.max_buffer;
            report.limits = info.limits;
        });
        if (!problem.empty()) throw MachineFault{{ErrorCode::kMachine, "doctor", problem}};
    }
    for (DeviceReport& listed : value_of(list_devices())) {
        if (listed.id == report.device.id) report.device = std::move(listed);
    }

    std::vector<Case> cases;
    {
        const Span span(telemetry, "proofs_of_the_cpu");
        for (const AirTask& task : tasks()) cases.push_back(make_case(task));
    }
    if (is_cpu(device)) {
        for (const Case& of : cases) {
            report.proofs.push_back({.task = of.name, .how = {}, .time_ms = of.time_ms, .problem = of.problem});
        }
    } else {
        GpuExamination(device, cases, telemetry).run(report);
    }
    return report;
}

}  // namespace

Result<DoctorReport> examine(const std::string& device, Telemetry* telemetry) noexcept {
    return guarded("doctor", [&]() -> Result<DoctorReport> {
        try {
            return ThreadTeam(0).run([&] { return examine_device(device, telemetry); });
        } catch (MachineFault& fault) {
            return std::move(fault.error);
        }
    });
}

}  // namespace whorl
