// How whorl says that something is wrong: every public call that can fail returns a Result, none throws.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
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
    kCancelled,        ///< the caller asked the call to stop
};

/// What failed, where, and what was expected and found. `message` alone is a whole sentence for a person.
struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string stage;    ///< the operation, e.g. "keygen" or "task.load"
    std::string message;  ///< names the place, and expected and found where both exist
};

/// "stage: message"; "out of memory" where there is none for that text.
inline std::string to_string(const Error& error) noexcept {
    try {
        return error.stage + ": " + error.message;
    } catch (...) {
        return "out of memory";
    }
}

namespace detail {

/// Ends the program: a value was taken from a Result that holds an error, or an error from one that holds a value.
template <class E>
[[noreturn]] void end_after_wrong_access(const E* error) noexcept {
    if (error == nullptr) {
        std::fputs("whorl: the error of a Result was asked for, but it holds a value; check has_value() first\n",
                   stderr);
    } else if constexpr (requires { to_string(*error); }) {
        std::fprintf(
            stderr, "whorl: the value of a Result was asked for, but it holds an error (%s); check has_value() first\n",
            to_string(*error).c_str());
    } else {
        std::fputs("whorl: the value of a Result was asked for, but it holds an error; check has_value() first\n",
                   stderr);
    }
    std::abort();
}

}  // namespace detail

/// A value or the reason there is none. (GCC 12 in C++20 mode has no std::expected.) Only value(), * and -> on an error, and
/// error() on a value, end the program, with a message that quotes the error: a mistake of the calling code.
template <class T, class E = Error>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T& value() & { return *checked_value(); }
    const T& value() const& { return *checked_value(); }
    T&& value() && { return std::move(*checked_value()); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return checked_value(); }
    const T* operator->() const { return checked_value(); }
    E& error() & { return *checked_error(); }
    const E& error() const& { return *checked_error(); }
    E&& error() && { return std::move(*checked_error()); }

private:
    T* checked_value() { return const_cast<T*>(std::as_const(*this).checked_value()); }
    const T* checked_value() const {
        if (const T* value = std::get_if<0>(&state_)) return value;
        detail::end_after_wrong_access(std::get_if<1>(&state_));
    }
    E* checked_error() { return const_cast<E*>(std::as_const(*this).checked_error()); }
    const E* checked_error() const {
        if (const E* error = std::get_if<1>(&state_)) return error;
        detail::end_after_wrong_access<E>(nullptr);
    }

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
    /// As Result<T>::value(): ends the program where there is an error.
    void value() const {
        if (error_) detail::end_after_wrong_access(&*error_);
    }
    E& error() & { return *checked_error(); }
    const E& error() const& { return *checked_error(); }
    E&& error() && { return std::move(*checked_error()); }

private:
    E* checked_error() { return const_cast<E*>(std::as_const(*this).checked_error()); }
    const E* checked_error() const {
        if (error_) return &*error_;
        detail::end_after_wrong_access<E>(nullptr);
    }

    std::optional<E> error_;
};

}  // namespace whorl
