// CommittedMatrix of whorl/trace.hpp.
#include "air/committed_matrix.hpp"

namespace whorl {

const Matrix& CommittedMatrix::matrix() const {
    static const Matrix none;
    return state_ != nullptr ? state_->matrix : none;
}

const SystemParams& CommittedMatrix::params() const {
    static const SystemParams none;
    return state_ != nullptr ? state_->params : none;
}

const Digest& CommittedMatrix::commit() const {
    static const Digest none{};
    return state_ != nullptr ? state_->commit : none;
}

std::uint32_t CommittedMatrix::stacking_width() const {
    return state_ != nullptr ? state_->stacking_width : 0;
}

}  // namespace whorl
