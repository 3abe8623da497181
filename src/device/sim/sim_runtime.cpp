#include "device/sim/sim_runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>

#include "device/sim/dispatch.hpp"
#include "device/sim/parts.hpp"
#include "device/sim/race_check.hpp"
#include "machine/memory.hpp"
#include "machine/poison.hpp"

namespace whorl::gpu::sim {
namespace {

class SimRuntime final : public Runtime {
public:
    SimRuntime(FindKernel find_kernel, const Options& options) : find_kernel_(find_kernel), seed_(options.seed) {
        info_.id = "sim";
        info_.name = "simulated device";
        info_.memory = options.memory != 0 ? options.memory : tightest_memory_limit().available();
        info_.max_buffer = options.max_buffer;
        info_.is_unified = options.is_unified;
        if (options.finds_races) races_ = std::make_unique<RaceCheck>();
    }
    ~SimRuntime() override {
        for (const auto& [id, memory] : blocks_) std::free(memory);
    }

    const DeviceInfo& info() const override { return info_; }
    std::uint64_t free_memory() const override { return info_.memory - allocated_; }

    Block allocate(std::uint64_t bytes) override {
        Block block = allocate_shared(bytes);
        if (!info_.is_unified) block.host = nullptr;
        return block;
    }
    Block allocate_shared(std::uint64_t bytes) override {
        const std::uint64_t size = (std::max<std::uint64_t>(bytes, 1) + 255) / 256 * 256;
        if (info_.max_buffer != 0 && size > info_.max_buffer) {
            throw DeviceError(
                fmt::format("sim: {} bytes of memory asked for at once, at most {}", size, info_.max_buffer));
        }
        auto* memory = size <= free_memory() ? static_cast<std::byte*>(std::aligned_alloc(256, size)) : nullptr;
        if (memory == nullptr) {
            throw DeviceError(
                fmt::format("sim: {} bytes of memory asked for, {} of {} are free", size, free_memory(), info_.memory));
        }
        std::unique_ptr<std::byte, decltype(&std::free)> owner(memory, &std::free);
        const std::uint32_t id = ++next_block_;
        if (races_) races_->add(memory, size);
        blocks_.emplace(id, memory);
        owner.release();  // NOLINT(bugprone-unused-return-value): blocks_ owns it
        allocated_ += size;
        return {id, size, memory};
    }
    void release(const Block& block) override {
        if (races_) races_->remove(blocks_.at(block.id));
        std::free(blocks_.at(block.id));
        allocated_ -= block.bytes;
        blocks_.erase(block.id);
    }

    Address bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) override {
        // What was there belonged to another buffer.
        poison_fresh(blocks_.at(block.id) + offset, bytes);
        return parts().bind(blocks_.at(block.id) + offset, bytes);
    }
    Address wrap(const void* host, std::uint64_t bytes) override {
        if (!info_.is_unified) throw std::logic_error("sim: host memory wrapped on a device with memory of its own");
        return parts().bind(static_cast<std::byte*>(const_cast<void*>(host)), bytes);
    }
    Address import(const DeviceMemory& memory, std::uint64_t bytes) override {
        return parts().bind(static_cast<std::byte*>(const_cast<void*>(memory.words)), bytes);
    }
    void unbind(Address address) override { parts().unbind(address); }

    void submit(const Submission& submission) override {
        for (const Submission::Stage& stage : submission.stages) {
            if (races_) races_->begin_stage();
            for (std::uint32_t c = stage.first; c < stage.first + stage.count; ++c) {
                run_command(submission, submission.commands[c], find_kernel_, parts(), seed_, races_.get());
            }
        }
    }
    void wait() override {}

private:
    FindKernel find_kernel_;
    std::uint64_t seed_;
    DeviceInfo info_;
    std::uint64_t allocated_ = 0;
    std::map<std::uint32_t, std::byte*> blocks_;
    std::uint32_t next_block_ = 0;
    std::unique_ptr<RaceCheck> races_;  // null: not looked for
};

}  // namespace

std::unique_ptr<Runtime> make_runtime(FindKernel find_kernel, const Options& options) {
    return std::make_unique<SimRuntime>(find_kernel, options);
}

}  // namespace whorl::gpu::sim
