// Reading bytes that nobody vouches for. The first failure sticks: every later read yields zeros and every later count
// is 0, so a decoder reads on without checks and asks once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <whorl/error.hpp>

namespace whorl {

class ByteReader {
public:
    /// `stage` goes into the Error.
    ByteReader(std::span<const std::byte> bytes, std::string_view stage) : bytes_(bytes), stage_(stage) {}

    /// Names what is read from here on; errors carry it.
    void enter(std::string section) { section_ = std::move(section); }

    bool ok() const { return !error_; }
    std::size_t offset() const { return position_; }
    std::size_t remaining() const { return ok() ? bytes_.size() - position_ : 0; }
    Error take_error() { return *std::move(error_); }

    /// The next `size` bytes, or nullptr after a failure.
    const std::byte* take(std::size_t size, std::string_view what) {
        if (!ok()) return nullptr;
        if (size > bytes_.size() - position_) {
            fail(what, fmt::format("{} bytes", size), fmt::format("{} bytes left", bytes_.size() - position_));
            return nullptr;
        }
        const std::byte* data = bytes_.data() + position_;
        position_ += size;
        return data;
    }

    /// Records the first failure, at the current offset.
    void fail(std::string_view what, std::string_view expected, std::string_view found) {
        fail_at(position_, what, expected, found);
    }
    void fail_at(std::size_t offset, std::string_view what, std::string_view expected, std::string_view found) {
        if (error_) return;
        error_ = Error{ErrorCode::kBadFormat, stage_,
                       fmt::format("{}, byte {}: {}: expected {}, found {}", section_, offset, what, expected, found)};
    }

    /// `count` items of at least `min_item_bytes` each must still be there: checked before memory is taken for them.
    /// Returns `count`, or 0 after a failure.
    std::uint64_t bounded(std::uint64_t count, std::uint64_t min_item_bytes, std::string_view what) {
        if (!ok()) return 0;
        if (min_item_bytes != 0 && count > remaining() / min_item_bytes) {
            fail(what, fmt::format("{} items of {} bytes or more", count, min_item_bytes),
                 fmt::format("{} bytes left", remaining()));
            return 0;
        }
        return count;
    }

    /// Nothing may follow.
    void finish() {
        if (ok() && position_ != bytes_.size()) {
            fail("trailing bytes", "none", fmt::format("{}", bytes_.size() - position_));
        }
    }

private:
    std::span<const std::byte> bytes_;
    std::string stage_;
    std::string section_ = "start";
    std::size_t position_ = 0;
    std::optional<Error> error_;
};

}  // namespace whorl
