#include "device/cuda/cuda_runtime.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "device/cuda/resources.hpp"
#include "device/cuda/staging.hpp"
#include "device/memory_error.hpp"

namespace whorl::gpu::cuda {
namespace {

// Most submissions are done by then; who waits longer lets other threads of the host go first.
constexpr std::chrono::microseconds kSpin{500};

void* pointer(Address address) {
    return reinterpret_cast<void*>(address);
}

// The kernels launched since the device was last known to be idle, as far as they are worth naming in an error.
class Launches {
public:
    void add(const KernelInfo& kernel) { last_[count_++ % kMax] = &kernel; }
    void clear() { count_ = 0; }
    std::string names() const {
        std::string out;
        for (std::size_t i = count_ - std::min(count_, kMax); i < count_; ++i) {
            out += fmt::format("{}{}", out.empty() ? "" : ", ", last_[i % kMax]->name);
        }
        return out;
    }

private:
    static constexpr std::size_t kMax = 8;
    std::array<const KernelInfo*, kMax> last_{};
    std::size_t count_ = 0;
};

bool is_sync_asked_for() {
    const char* value = std::getenv("WHORL_CUDA_SYNC");
    return value != nullptr && std::string_view(value) == "1";
}

class CudaRuntime final : public Runtime {
public:
    CudaRuntime(unsigned index, const KernelSet& set)
        : set_(set), index_(static_cast<int>(index)), is_synchronous_(is_sync_asked_for()) {
        info_.id = fmt::format("cuda:{}", index);
        guarded([&] {
            cudaDeviceProp properties;
            check(cudaGetDeviceProperties(&properties, index_), "asking for its properties");
            info_.name = properties.name;
            info_.memory = properties.totalGlobalMem;
            stream_ = make_stream();
            // The driver loads kernels when they are first asked for: now, not in the middle of the first proof.
            for (const KernelEntry& kernel : set_.kernels) {
                cudaFuncAttributes attributes;
                check(cudaFuncGetAttributes(&attributes, kernel.function), "loading kernel", kernel.name);
            }
        });
    }
    ~CudaRuntime() override {
        // What staging and shared memory hold may still be on its way.
        cudaSetDevice(index_);
        cudaStreamSynchronize(stream_.get());
        cudaGetLastError();
        for (const auto& [id, allocation] : allocations_) free(allocation);
    }

    const DeviceInfo& info() const override { return info_; }
    std::uint64_t free_memory() const override {
        std::uint64_t bytes = 0;
        guarded([&] { bytes = free_bytes(); });
        return bytes;
    }

    Block allocate(std::uint64_t bytes) override {
        bytes = std::max<std::uint64_t>(bytes, 1);
        void* memory = nullptr;
        guarded([&] {
            const cudaError_t error = cudaMalloc(&memory, bytes);
            if (error != cudaErrorMemoryAllocation) return check(error, "taking memory");
            cudaGetLastError();
            throw DeviceMemoryError(
                fmt::format("{} bytes of memory asked for, {} of {} are free", bytes, free_bytes(), info_.memory));
        });
        return add({reinterpret_cast<Address>(memory), nullptr}, bytes);
    }
    Block allocate_shared(std::uint64_t bytes) override {
        bytes = std::max<std::uint64_t>(bytes, 1);
        Pinned host;
        void* device = nullptr;
        guarded([&] {
            host = make_pinned(bytes);
            check(cudaHostGetDevicePointer(&device, host.get(), 0), "mapping host memory");
        });
        return add({reinterpret_cast<Address>(device), host.release()}, bytes);
    }
    // Called by destructors, also those of buffers of a device that failed: says nothing then.
    void release(const Block& block) override {
        free(allocations_.at(block.id));
        allocations_.erase(block.id);
    }

    Address bind(const Block& block, std::uint64_t offset, std::uint64_t) override {
        return allocations_.at(block.id).device + offset;
    }
    Address wrap(const void*, std::uint64_t) override {
        throw std::logic_error(info_.id + " does not read host memory in place");
    }
    void unbind(Address) override {}

    std::string memory_problem(const DeviceMemory& memory, std::uint64_t bytes) const override {
        std::string problem;
        guarded([&] {
            const auto* begin = static_cast<const std::byte*>(memory.words);
            for (const std::byte* at : {begin, begin + bytes - 1}) {
                if (problem.empty()) problem = place_problem(at);
            }
        });
        return problem;
    }
    Address import(const DeviceMemory& memory, std::uint64_t) override {
        guarded([&] {
            const Event written = make_event();
            check(cudaEventRecord(written.get(), static_cast<cudaStream_t>(memory.stream)),
                  "waiting for the stream of a matrix");
            check(cudaStreamWaitEvent(stream_.get(), written.get(), 0), "waiting for the stream of a matrix");
        });
        return reinterpret_cast<Address>(memory.words);
    }

    void submit(const Submission& submission) override {
        guarded([&] {
            for (const Submission::Stage& stage : submission.stages) {
                for (std::uint32_t c = stage.first; c < stage.first + stage.count; ++c) {
                    start(submission, submission.commands[c]);
                }
            }
        });
    }

    void wait() override {
        guarded([&] {
            const auto begin = std::chrono::steady_clock::now();
            cudaError_t state;
            while ((state = cudaStreamQuery(stream_.get())) == cudaErrorNotReady) {
                if (std::chrono::steady_clock::now() - begin > kSpin) std::this_thread::yield();
            }
            cudaGetLastError();  // "not ready" counts as one
            check(state, "waiting");
            launches_.clear();
        });
    }

private:
    struct Allocation {
        Address device = 0;
        std::byte* host = nullptr;  // null: device memory
    };

    // Runs `work` with the device current. Errors say which device, and which kernels may be to blame.
    template <class Work>
    void guarded(const Work& work) const {
        try {
            check(cudaSetDevice(index_), "choosing the device");
            work();
        } catch (const DeviceError& e) {
            std::string message = fmt::format("{}: {}", info_.id, e.what());
            if (const std::string kernels = launches_.names(); !kernels.empty()) {
                message += "; kernels under way: " + kernels;
                if (!is_synchronous_) message += " (WHORL_CUDA_SYNC=1 tells which one fails)";
            }
            throw DeviceError(message);
        }
    }

    std::uint64_t free_bytes() const {
        std::size_t free = 0, total = 0;
        check(cudaMemGetInfo(&free, &total), "asking for free memory");
        return free;
    }

    // Why kernels of this device do not read what is there; empty where they do.
    std::string place_problem(const void* place) const {
        cudaPointerAttributes attributes;
        check(cudaPointerGetAttributes(&attributes, place), "asking about memory");
        switch (attributes.type) {
            case cudaMemoryTypeManaged:
                return {};
            case cudaMemoryTypeDevice:
                return attributes.device == index_ ? std::string()
                                                   : fmt::format("memory of cuda:{}", attributes.device);
            case cudaMemoryTypeHost:
                return "host memory";
            default:
                return "memory that CUDA does not know";
        }
    }

    Block add(const Allocation& allocation, std::uint64_t bytes) {
        const std::uint32_t id = ++next_block_;
        allocations_[id] = allocation;
        return {id, bytes, allocation.host};
    }
    void free(const Allocation& allocation) const {
        cudaSetDevice(index_);
        if (allocation.host != nullptr) {
            cudaFreeHost(allocation.host);
        } else {
            cudaFree(pointer(allocation.device));
        }
        cudaGetLastError();
    }

    void start(const Submission& submission, const Command& command) {
        switch (command.kind) {
            case Command::Kind::kDispatch:
                dispatch(*command.kernel, command.groups, submission.params.data() + command.params);
                break;
            case Command::Kind::kCopy:
                check(cudaMemcpyAsync(pointer(command.destination), pointer(command.source), command.bytes,
                                      cudaMemcpyDefault, stream_.get()),
                      "copying");
                break;
            case Command::Kind::kFill:
                check(cudaMemsetAsync(pointer(command.destination), command.byte, command.bytes, stream_.get()),
                      "filling");
                break;
            case Command::Kind::kUpload:
                if (!staging_) staging_.emplace(stream_.get());
                staging_->upload(command.destination, static_cast<const std::byte*>(command.host), command.bytes);
                break;
        }
        if (!is_synchronous_) return;
        check(cudaStreamSynchronize(stream_.get()), "waiting for a command");
        launches_.clear();
    }

    void dispatch(const KernelInfo& kernel, std::uint32_t groups, const std::byte* params) {
        const void*& function = functions_[&kernel];
        if (function == nullptr) {
            const auto entry = std::ranges::find(set_.kernels, std::string_view(kernel.name),
                                                 [](const KernelEntry& known) { return std::string_view(known.name); });
            if (entry != set_.kernels.end()) function = entry->function;
        }
        if (function == nullptr) throw DeviceError(fmt::format("no kernel \"{}\"", kernel.name));
        void* arguments[] = {const_cast<std::byte*>(params)};
        check(cudaLaunchKernel(function, dim3(groups), dim3(kernel.threads), arguments, 0, stream_.get()),
              "launching kernel", kernel.name);
        launches_.add(kernel);
    }

    KernelSet set_;
    int index_;
    bool is_synchronous_;
    DeviceInfo info_;
    Stream stream_;
    std::optional<Staging> staging_;  // from the first upload on
    std::unordered_map<std::uint32_t, Allocation> allocations_;
    std::uint32_t next_block_ = 0;
    std::unordered_map<const KernelInfo*, const void*> functions_;
    Launches launches_;
};

}  // namespace

std::unique_ptr<Runtime> make_runtime(unsigned index, const KernelSet& set) {
    if (const std::string problem = device_problem(index, set); !problem.empty()) {
        throw DeviceError(fmt::format("cuda:{}: {}", index, problem));
    }
    return std::make_unique<CudaRuntime>(index, set);
}

}  // namespace whorl::gpu::cuda
