#include "machine/stop.hpp"

#include <utility>

namespace whorl {
namespace {

thread_local const std::atomic<bool>* current = nullptr;

}  // namespace

const std::atomic<bool>* stop_flag() noexcept {
    return current;
}

StopScope::StopScope(const std::atomic<bool>* flag) noexcept : outer_(std::exchange(current, flag)) {}

StopScope::~StopScope() {
    current = outer_;
}

}  // namespace whorl
