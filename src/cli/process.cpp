#include "cli/process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "engine/files.hpp"

namespace whorl::cli {
namespace {

extern "C" void end_by_signal(int signal) {
    remove_temporary_files();
    // The handler was reset when it was called (SA_RESETHAND): this one ends the program as the signal always does.
    ::raise(signal);
}

void clean_up_on(int signal) {
    struct sigaction current{};
    // What was ignored when the program started (nohup, a shell's background job) stays so.
    if (::sigaction(signal, nullptr, &current) != 0 || current.sa_handler == SIG_IGN) return;
    struct sigaction action{};
    action.sa_handler = end_by_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
}

// Opened so that using a stream that was closed fails as before.
void fill_closed_streams() {
    for (const auto& [fd, flags] :
         {std::pair(STDIN_FILENO, O_WRONLY), {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_RDONLY}}) {
        if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is this one: those below are taken by now.
        [[maybe_unused]] const int opened = ::open("/dev/null", flags);
    }
}

}  // namespace

void prepare_process() noexcept {
    fill_closed_streams();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU}) clean_up_on(signal);
    ::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace whorl::cli
