// Devices for tests of the GPU backend.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "backend/gpu/compiled/sim/sim_gpu.hpp"
#include "backend/gpu/device.hpp"
#ifdef WHORL_HAS_CUDA
#include "backend/gpu/compiled/cuda/cuda_gpus.hpp"
#endif
#ifdef WHORL_HAS_METAL
#include "backend/gpu/compiled/metal/metal_gpus.hpp"
#endif

namespace whorl::gpu {

/// The first CUDA device; null where there is none that can be used.
inline std::unique_ptr<Runtime> cuda_runtime() {
#ifdef WHORL_HAS_CUDA
    static const bool has_cuda_device = cuda::device_problem(0).empty();
    if (has_cuda_device) return cuda::make_runtime(0);
#endif
    return nullptr;
}

/// The first Metal device, which may be a fake one (tests/metal); null where there is none that can be used.
inline std::unique_ptr<Runtime> metal_runtime() {
#ifdef WHORL_HAS_METAL
    if (metal::device_problem(0).empty()) return metal::make_runtime(0);
#endif
    return nullptr;
}

/// The devices of this machine: the simulated one, with the host's memory and, watched for races, with its own, and the first CUDA and Metal
/// devices where they can be used.
inline std::vector<std::unique_ptr<Runtime>> runtimes_to_test() {
    std::vector<std::unique_ptr<Runtime>> runtimes;
    runtimes.push_back(sim::make_runtime());
    runtimes.push_back(sim::make_runtime({.finds_races = true, .is_unified = false}));
    if (auto cuda = cuda_runtime()) runtimes.push_back(std::move(cuda));
    if (auto metal = metal_runtime()) runtimes.push_back(std::move(metal));
    return runtimes;
}

/// Runs `work` on a device, planned first: what a prover does.
inline void on_device(std::unique_ptr<Runtime> runtime, const std::function<void(Device&)>& work,
                      Dispatch dispatch = Dispatch::kStaged) {
    Device device(std::move(runtime), dispatch);
    SCOPED_TRACE("on " + device.info().id);
    device.plan_and_run([&] { work(device); });
}

/// The same on each of runtimes_to_test().
inline void on_devices(const std::function<void(Device&)>& work, Dispatch dispatch = Dispatch::kStaged) {
    for (std::unique_ptr<Runtime>& runtime : runtimes_to_test()) on_device(std::move(runtime), work, dispatch);
}

/// The contents of device memory.
template <class T>
std::vector<T> read_back(Device& device, Address source, std::size_t count) {
    const auto values = device.recorder().mailbox<T>(count);
    device.recorder().copy(values.address(), source, count * sizeof(T));
    device.recorder().submit_and_wait(0);
    return values.values();
}

}  // namespace whorl::gpu
