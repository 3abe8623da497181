// Devices for tests of the GPU backend.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "backend/gpu/device.hpp"
#include "backend/gpu/sim/sim_runtime.hpp"

namespace whorl::gpu {

/// Runs `work` on a simulated device, planned first: what a prover does.
inline void on_sim(const std::function<void(Device&)>& work, Dispatch dispatch = Dispatch::kStaged) {
    Device device(sim::make_runtime(), dispatch);
    device.start_planning();
    work(device);
    const MemoryPlan plan = device.finish_planning();
    device.follow(plan);
    work(device);
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
