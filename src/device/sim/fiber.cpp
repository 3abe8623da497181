#include "device/sim/fiber.hpp"

#include "machine/sanitizers.hpp"

#ifdef WHORL_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WHORL_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace whorl::gpu::sim {

namespace context = boost::context::detail;

namespace {

constexpr std::size_t kStackBytes = 64 * 1024;

}  // namespace

#ifdef WHORL_ASAN
void Fiber::leave(Stack& from, const Stack& to) {
    __sanitizer_start_switch_fiber(&from.frames, to.bottom, to.size);
}
void Fiber::arrive(const Stack& stack) {
    __sanitizer_finish_switch_fiber(stack.frames, nullptr, nullptr);
}
#elif defined(WHORL_TSAN)
// Not instrumented: it would enter on one stack and return on the other.
__attribute__((no_sanitize("thread"))) void Fiber::leave(Stack& from, const Stack& to) {
    from.frames = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to.frames, 0);
}
void Fiber::arrive(const Stack&) {}
#else
void Fiber::leave(Stack&, const Stack&) {}
void Fiber::arrive(const Stack&) {}
#endif

Fiber::Fiber(void (*run)())
    : run_(run),
      memory_(std::make_unique_for_overwrite<std::byte[]>(kStackBytes)),
      stack_{memory_.get(), kStackBytes},
      here_(context::make_fcontext(memory_.get() + kStackBytes, kStackBytes, &Fiber::start)) {
#ifdef WHORL_TSAN
    stack_.frames = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#ifdef WHORL_TSAN
    __tsan_destroy_fiber(stack_.frames);
#endif
}

void Fiber::start(context::transfer_t host) {
    Fiber& self = *static_cast<Fiber*>(host.data);
    self.host_ = host.fctx;
#ifdef WHORL_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &self.host_stack_.bottom, &self.host_stack_.size);
#endif
    self.run_();
}

void Fiber::resume() {
    leave(host_stack_, stack_);
    here_ = context::jump_fcontext(here_, this).fctx;
    arrive(host_stack_);
}

void Fiber::pause() {
    leave(stack_, host_stack_);
    host_ = context::jump_fcontext(host_, nullptr).fctx;
    arrive(stack_);
}

}  // namespace whorl::gpu::sim
