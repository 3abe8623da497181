// Committed parts that stay in the memory of a device, from one proof to the next.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <whorl/trace.hpp>

#include "air/committed_matrix.hpp"
#include "backend/gpu/commitment.hpp"
#include "backend/gpu/device.hpp"
#include "backend/gpu/ntt.hpp"
#include "backend/gpu/traces.hpp"
#include "prover/input.hpp"

namespace whorl::gpu {

/// The columns of a CommittedMatrix, their code and its tree. Columns are wrapped where host and device share memory.
class ResidentPart {
public:
    /// Commits. Errors: DeviceError.
    ResidentPart(Device& device, CommittedMatrix::State& committed);
    ~ResidentPart();
    ResidentPart(const ResidentPart&) = delete;
    ResidentPart& operator=(const ResidentPart&) = delete;

    /// Whether the device has the memory for it, in pieces that it allocates at once.
    static bool fits(const Device& device, const CommittedMatrix::State& committed);

    const Digest& root() const { return root_; }
    const DeviceColumns& columns() const { return columns_; }
    const NttColumns& code() const { return code_; }
    const MerkleTree& tree() const { return *tree_; }
    /// Whether nobody else has the CommittedMatrix any more.
    bool is_last_owner() const { return committed_.use_count() == 1; }

private:
    Address take(std::uint64_t bytes);
    void release();
    void commit();

    Device& device_;
    std::shared_ptr<CommittedMatrix::State> committed_;  // its columns may be wrapped
    StackedLayout layout_;
    std::vector<Block> blocks_;
    std::vector<Address> bound_;
    DeviceColumns columns_;
    NttColumns code_;
    std::optional<MerkleTree> tree_;
    Digest root_{};
};

/// Those of one device, made when a proof first takes them.
class Residents {
public:
    explicit Residents(Device& device) : device_(device) {}

    const ResidentPart& make(CommittedMatrix::State& committed);
    /// Makes those of `input` that fit, and lets go of those that nobody has any more.
    void prepare(const ProverInput& input);
    void clear() { parts_.clear(); }
    bool is_empty() const { return parts_.empty(); }
    /// Null where `committed` is null or not resident.
    const ResidentPart* find(const CommittedMatrix* committed) const;

private:
    Device& device_;
    std::map<const CommittedMatrix::State*, std::unique_ptr<const ResidentPart>> parts_;
};

}  // namespace whorl::gpu
