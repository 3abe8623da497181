// How whorl says that something is wrong: every public call that can fail returns a Result, none throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace whorl {

enum class ErrorCode : std::uint8_t {
    kInvalidArgument,  ///< a call, parameter or trace that does not fit the key
    kBadFormat,        ///< bytes that are not a key, a proof or a task
    kIo,               ///< a file that cannot be read or written
    kUnsatisfied,      ///< traces that violate a constraint or leave a bus unbalanced
    kMachine,          ///< memory, threads or a device that this machine does not have
    kInternal,         ///< a bug in whorl
};

/// What failed, where, and what was expected and found. `message` alone is a whole sentence for a person.
struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string stage;    ///< the operation, e.g. "keygen" or "task.load"
    std::string message;  ///< names the place, and expected and found where both exist
};

/// "stage: message".
inline std::string to_string(const Error& error) {
    return error.stage + ": " + error.message;
}

/// A value or the reason there is none. (GCC 12 in C++20 mode has no std::expected.)
template <class T, class E = Error>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    E& error() & { return std::get<1>(state_); }
    const E& error() const& { return std::get<1>(state_); }
    E&& error() && { return std::get<1>(std::move(state_)); }

private:
    std::variant<T, E> state_;
};

/// Success, or an error.
template <class E>
class [[nodiscard]] Result<void, E> {
public:
    Result() = default;
    Result(E error) : error_(std::move(error)) {}

    bool has_value() const { return !error_.has_value(); }
    explicit operator bool() const { return has_value(); }
    E& error() & { return *error_; }
    const E& error() const& { return *error_; }
    E&& error() && { return *std::move(error_); }

private:
    std::optional<E> error_;
};

}  // namespace whorl
