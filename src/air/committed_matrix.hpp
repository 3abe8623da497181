// What a CommittedMatrix shares.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include <whorl/params.hpp>
#include <whorl/trace.hpp>

namespace whorl {

struct CommittedMatrix::State : std::enable_shared_from_this<CommittedMatrix::State> {
    /// What a backend on the host keeps to open the commitment.
    struct HostPart {
        HostPart() = default;
        HostPart(const HostPart&) = delete;
        HostPart& operator=(const HostPart&) = delete;
        virtual ~HostPart() = default;
    };

    State(Matrix m, const SystemParams& p) : matrix(std::move(m)), params(p) {}

    /// The host's part; `make` makes it when it is first asked for, by whichever thread.
    template <class Make>
    const HostPart& host_part(const Make& make) {
        const std::lock_guard lock(mutex_);
        if (host_part_ == nullptr) host_part_ = make();
        return *host_part_;
    }

    bool has_host_part() const {
        const std::lock_guard lock(mutex_);
        return host_part_ != nullptr;
    }

    const Matrix matrix;
    const SystemParams params;
    Digest commit{};
    std::uint32_t stacking_width = 0;

private:
    mutable std::mutex mutex_;
    std::unique_ptr<const HostPart> host_part_;
};

/// Whether commitments made with `a` serve proofs with `b`: the stacked layout, the code and the leaves are the same.
inline bool commits_alike(const SystemParams& a, const SystemParams& b) {
    return a.l_skip == b.l_skip && a.n_stack == b.n_stack && a.log_blowup == b.log_blowup && a.whir.k == b.whir.k;
}

}  // namespace whorl
