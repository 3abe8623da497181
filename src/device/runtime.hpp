// What a GPU must offer: memory, and submissions that it carries out in order. Nothing here assumes discrete memory, cheap
// waits or one vendor; the recorder, the arena and every stage rest on it alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <whorl/device_types.hpp>

#include "kernels/types.h"
#include "machine/guard.hpp"

namespace whorl::gpu {

/// A place in device memory as kernels see it, in bytes; sums with byte offsets stay within what was bound.
using Address = u64;

/// A kernel as its list gives it (kernels/types.h).
struct KernelInfo {
    const char* name;
    std::uint32_t threads;  ///< in a threadgroup
    std::uint32_t params_size;
    bool has_barriers;
    const char* access;  ///< to memory, a letter for each u64 field of the parameters (kernels/types.h)
};

/// A kernel and the structure of its parameters.
template <class Params>
struct Kernel {
    using ParamsType = Params;
    KernelInfo info;
};

/// Groups of a kernel that give every one of `count` items a thread.
template <class Params>
std::uint64_t groups_for(const Kernel<Params>& kernel, std::uint64_t count) {
    return (count + kernel.info.threads - 1) / kernel.info.threads;
}

struct DeviceInfo {
    std::string id;                ///< as --device takes it: sim, cuda:0
    std::string name;              ///< as its maker calls it
    std::uint64_t memory = 0;      ///< bytes that allocations may take together
    std::uint64_t max_buffer = 0;  ///< bytes of the largest allocation; 0: as many as there are
    bool is_unified = false;       ///< the device reads host memory as fast as its own
    std::vector<std::pair<std::string, std::string>> limits;  ///< what else is worth knowing, as text for people
};

/// The device could not do what was asked: too little memory, a kernel that failed. The message says what and advises.
struct DeviceError : MachineError {
    using MachineError::MachineError;
};

/// One operation of a stage.
struct Command {
    enum class Kind : std::uint8_t { kDispatch, kCopy, kFill, kUpload };
    Kind kind = Kind::kDispatch;
    const KernelInfo* kernel = nullptr;  // kDispatch
    std::uint32_t groups = 0;            // kDispatch: threadgroups
    std::uint32_t params = 0;            // kDispatch: offset into Submission::params
    Address destination = 0;             // others
    Address source = 0;                  // kCopy
    const void* host = nullptr;          // kUpload: host memory that stays until the submission is done
    std::uint64_t bytes = 0;
    std::uint8_t byte = 0;  // kFill: what each byte is set to
};

/// Stages one after another; the commands of a stage are independent of each other.
struct Submission {
    struct Stage {
        std::uint32_t first = 0, count = 0;  // commands
    };
    std::vector<Command> commands;
    std::vector<Stage> stages;
    std::vector<std::byte> params;
    std::string label;  ///< the stage of the proof that the work belongs to, for errors and captures

    void clear() {
        commands.clear();
        stages.clear();
        params.clear();
    }
};

/// A piece of memory obtained from the device.
struct Block {
    std::uint32_t id = 0;
    std::uint64_t bytes = 0;
    std::byte* host = nullptr;  ///< where the host sees it; null for private memory
};

/// Kernels that a device compiles while the host goes on.
class Compilation {
public:
    enum class State : std::uint8_t { kUnderWay, kReady, kFailed };
    virtual ~Compilation() = default;
    virtual State state() = 0;
    /// Why it failed.
    virtual std::string problem() const = 0;
};

class Runtime {
public:
    virtual ~Runtime() = default;
    virtual const DeviceInfo& info() const = 0;
    /// Bytes that allocate() may still hand out, as far as the device tells.
    virtual std::uint64_t free_memory() const = 0;

    /// Private memory, contents undefined. Errors: DeviceError with the figures when there is not enough.
    virtual Block allocate(std::uint64_t bytes) = 0;
    /// Memory that the host and kernels read and write, meant for little: parameters and results.
    virtual Block allocate_shared(std::uint64_t bytes) = 0;
    virtual void release(const Block& block) = 0;

    /// The address of a part of a block, until unbind(). What kernels reach through it ends with the part.
    virtual Address bind(const Block& block, std::uint64_t offset, std::uint64_t bytes) = 0;
    /// The same for host memory that kernels only read; for unified devices alone. The memory must stay until unbind().
    virtual Address wrap(const void* host, std::uint64_t bytes) = 0;
    virtual void unbind(Address address) = 0;
    /// What is wrong with memory that a caller says is this device's, as what was found; empty where nothing is.
    virtual std::string memory_problem(const DeviceMemory& memory, std::uint64_t bytes) const {
        (void)bytes;
        return memory.stream == nullptr ? std::string() : "a stream, of which " + info().id + " has none";
    }
    /// The address of memory that a caller has on this device, which kernels only read, until unbind(). What is submitted from now on
    /// waits for the work that memory.stream has been given so far. Precondition: memory_problem() is empty.
    virtual Address import(const DeviceMemory& memory, std::uint64_t bytes) { return wrap(memory.words, bytes); }

    /// Starts compiling kernels that are not among those of src/kernels: `text` follows the text of all headers there that
    /// define no kernels, and `kernels` lists what it defines. They may be dispatched once the compilation is ready and while it and `kernels` are kept.
    /// Null where the device compiles nothing while the program runs.
    virtual std::unique_ptr<Compilation> compile(const std::string& text, std::span<const KernelInfo> kernels) {
        (void)text;
        (void)kernels;
        return nullptr;
    }

    /// Starts the work; submissions are carried out in order.
    virtual void submit(const Submission& submission) = 0;
    /// Until all submissions are done. Errors: DeviceError naming the kernel where the device tells.
    virtual void wait() = 0;
};

}  // namespace whorl::gpu
