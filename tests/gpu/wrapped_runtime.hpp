// A device behind one that a test changes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "device/runtime.hpp"

namespace whorl::gpu {

/// Does all that the device does, in its name.
class WrappedRuntime : public Runtime {
public:
    explicit WrappedRuntime(std::unique_ptr<Runtime> device) : device_(std::move(device)) {}

    const DeviceInfo& info() const override { return device_->info(); }
    std::uint64_t free_memory() const override { return device_->free_memory(); }
    Block allocate(std::uint64_t bytes) override { return device_->allocate(bytes); }
    Block allocate_shared(std::uint64_t bytes) override { return device_->allocate_shared(bytes); }
    void release(const Block& block) override { device_->release(block); }
    Address bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) override {
        return device_->bind(block, offset, bytes);
    }
    Address wrap(const void* host, std::uint64_t bytes) override { return device_->wrap(host, bytes); }
    std::string memory_problem(const DeviceMemory& memory, std::uint64_t bytes) const override {
        return device_->memory_problem(memory, bytes);
    }
    Address import(const DeviceMemory& memory, std::uint64_t bytes) override { return device_->import(memory, bytes); }
    void unbind(Address address) override { device_->unbind(address); }
    std::unique_ptr<Compilation> compile(const std::string& text, std::span<const KernelInfo> kernels) override {
        return device_->compile(text, kernels);
    }
    void submit(const Submission& submission) override { device_->submit(submission); }
    void wait() override { device_->wait(); }

protected:
    std::unique_ptr<Runtime> device_;
};

}  // namespace whorl::gpu
