// Proofs of one key on one GPU.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <whorl/device.hpp>
#include <whorl/proof.hpp>

#include "backend/gpu/device.hpp"
#include "backend/gpu/generated.hpp"
#include "backend/gpu/programs.hpp"
#include "backend/gpu/resident.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

class GpuProver {
public:
    /// Every input is of this key, which must outlive the prover. Without `generation` constraint programs are interpreted.
    GpuProver(const VerifyingKey& vk, std::unique_ptr<Runtime> runtime, Dispatch dispatch,
              const std::optional<GenerationOptions>& generation = std::nullopt)
        : device_(std::move(runtime), dispatch), residents_(device_), programs_(vk) {
        if (generation) generated_.emplace(device_.runtime(), *generation);
    }

    /// Errors: DeviceError.
    Proof prove(const ProverInput& input);
    /// What a proof of `input`, whose values do not matter, takes.
    const MemoryPlan& plan(const ProverInput& input);
    /// Commits to a matrix that stays on the device. Errors: DeviceError.
    Digest commit(const CommittedMatrix& committed);
    Device& device() { return device_; }

private:
    Proof run(ProverInput input, Telemetry* telemetry);

    const MemoryPlan& make_plan(const ProverInput& input);

    Device device_;
    Residents residents_;
    bool keeps_parts_ = true;  // false once a proof found no memory beside them
    ProgramCache programs_;
    std::optional<GeneratedPrograms> generated_;
    std::map<std::vector<std::uint32_t>, MemoryPlan>
        plans_;  // by the sorted traces: AIR, log height; residents; parts on the device
};

}  // namespace whorl::gpu
