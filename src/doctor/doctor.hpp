// Whether a device computes what it should, and which kernel does not.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <whorl/device.hpp>
#include <whorl/error.hpp>
#include <whorl/telemetry.hpp>

namespace whorl {

/// What a device did with one kernel. Its memory was compared with the host's, word by word, after every dispatch.
struct KernelVerdict {
    std::string file;  ///< of src/kernels; empty for what is no kernel: copy, fill, upload
    std::string name;
    std::uint64_t num_dispatches = 0;
    double time_ms = 0;   ///< of all dispatches, with the wait after each
    std::string problem;  ///< the first difference, or why it did not run; empty: none
};

/// One proof of the self-test.
struct ProofVerdict {
    std::string task;
    std::string how;  ///< "kernel by kernel", "staged", "unfused", "generated: …"; empty on the CPU
    double time_ms = 0;
    std::string problem = {};  ///< empty: the CPU's bytes, which the verifier accepts
};

/// Whether stages of work come one after another, also those of submissions that nobody waits for between them.
struct OrderVerdict {
    std::uint32_t num_stages = 0;  ///< that read and overwrite what others wrote; none on the CPU
    double time_ms = 0;
    std::string problem = {};  ///< empty: the memory is as the host's is after the same work
};

struct DoctorReport {
    DeviceReport device;
    bool is_unified = false;                                  ///< the device reads host memory as fast as its own
    std::uint64_t max_buffer_bytes = 0;                       ///< of the largest allocation; 0: as many as there are
    std::vector<std::pair<std::string, std::string>> limits;  ///< what else the device tells of itself
    std::vector<KernelVerdict> kernels;                       ///< all there are, file by file; none on the CPU
    OrderVerdict order;
    std::vector<ProofVerdict> proofs;

    bool is_healthy() const;
};

/// Describes a device and tests it: small proofs that dispatch every kernel, each dispatch compared with the same kernel
/// on the host, stages that depend on each other, then whole proofs as they are always made and, where the device compiles
/// while the program runs, with kernels generated for their constraints. Takes some seconds, and up to a minute on the
/// simulated device. That something is wrong is told by the report. Errors: kInvalidArgument for a name that means nothing, kMachine for a
/// device that is not there, and for memory that the host lacks.
Result<DoctorReport> examine(const std::string& device, Telemetry* telemetry = nullptr) noexcept;

}  // namespace whorl
