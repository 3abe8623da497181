// The line at the bottom of a terminal that says what the program is doing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <whorl/telemetry.hpp>

namespace whorl::cli {

/// Shows the open spans and the elapsed time on standard error, ten times a second, while it lives.
class Progress {
public:
    /// Whether standard error is a terminal that can rewrite a line.
    static bool is_possible();

    /// Observes `telemetry` until stop(); must not outlive it.
    explicit Progress(Telemetry& telemetry);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Writes to `file` with the line out of the way.
    void print_above(std::FILE* file, std::string_view text);
    /// Removes the line for good.
    void stop();

private:
    void draw();

    Telemetry& telemetry_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::string> open_spans_;
    bool is_stopped_ = false;
    std::thread thread_;
};

}  // namespace whorl::cli
