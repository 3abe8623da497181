#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "cli/output.hpp"

namespace whorl::cli {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr std::string_view kClearLine = "\r\x1b[2K";

std::size_t terminal_width() {
    constexpr std::size_t kUsualWidth = 80;
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualWidth;
}

void put_now(std::FILE* file, std::string_view text) {
    put(file, text);
    std::fflush(file);
}

}  // namespace

bool Progress::is_possible() {
    const char* term = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

Progress::Progress(Telemetry& telemetry) : telemetry_(telemetry) {
    telemetry_.set_observer([this](const SpanRecord& span, bool is_open) {
        const std::lock_guard lock(mutex_);
        if (is_open) {
            open_spans_.push_back(span.name);
        } else if (!open_spans_.empty()) {
            open_spans_.pop_back();
        }
    });
    try {
        thread_ = std::thread([this] {
            std::unique_lock lock(mutex_);
            while (!wake_.wait_for(lock, kInterval, [this] { return is_stopped_; })) draw();
        });
    } catch (const std::system_error&) {
        // No thread, no progress line: the work goes on without.
        is_stopped_ = true;
        telemetry_.set_observer({});
    }
}

Progress::~Progress() {
    stop();
}

void Progress::draw() {
    const double elapsed_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    std::string line = fmt::format("{:6.1f} s", elapsed_s);
    for (std::size_t i = 0; i < open_spans_.size(); ++i) line += (i == 0 ? "  " : " > ") + open_spans_[i];
    line.resize(std::min(line.size(), terminal_width() - 1));
    put_now(stderr, std::string(kClearLine) + line);
}

void Progress::print_above(std::FILE* file, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!is_stopped_) put_now(stderr, kClearLine);
    put_now(file, text);
}

void Progress::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (is_stopped_) return;
        is_stopped_ = true;
    }
    wake_.notify_all();
    thread_.join();
    telemetry_.set_observer({});
    put_now(stderr, kClearLine);
}

}  // namespace whorl::cli
