// A stack that takes turns with the host thread that made it.
#pragma once

#include <boost/context/detail/fcontext.hpp>

#include <cstddef>
#include <memory>

namespace whorl::gpu::sim {

/// Boost's jumps without its fiber class, whose ways to start, end and unwind sanitizers cannot be told of.
class Fiber {
public:
    /// The first resume() calls `run`, which neither returns nor throws.
    explicit Fiber(void (*run)());
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;
    /// Frees the stack; destroys nothing that lives on it.
    ~Fiber();

    /// Runs the fiber until it pauses. Only the thread that made it calls this.
    void resume();
    /// Called on the fiber: goes back to where it was resumed.
    void pause();

private:
    struct Stack {
        const void* bottom = nullptr;
        std::size_t size = 0;
        void* frames = nullptr;  // what a sanitizer keeps of it elsewhere
    };

    static void start(boost::context::detail::transfer_t host);
    static void leave(Stack& from, const Stack& to);
    static void arrive(const Stack& stack);

    void (*run_)();
    std::unique_ptr<std::byte[]> memory_;
    Stack stack_, host_stack_;
    boost::context::detail::fcontext_t here_;            // where the fiber goes on
    boost::context::detail::fcontext_t host_ = nullptr;  // where its host does
};

}  // namespace whorl::gpu::sim
