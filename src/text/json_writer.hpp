// JSON for others: written as it goes, in the order of the calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace whorl {

/// The JSON library's documents take memory when they are destroyed, and end the process where there is none; a writer takes
/// it in its calls alone, which throw std::bad_alloc.
class JsonWriter {
public:
    /// Every element stands on a line of its own, `indent` spaces in for each open array or object.
    explicit JsonWriter(unsigned indent) : indent_(indent) {}
    /// All on one line, without a newline at its end.
    static JsonWriter on_one_line() {
        JsonWriter json(0);
        json.is_one_line_ = true;
        return json;
    }

    /// `bracket` is '{' or '['.
    void open(char bracket);
    /// `bracket` is '}' or ']', as the innermost open one needs.
    void close(char bracket);
    /// Before each element of an array.
    void item();
    /// Before each value of an object.
    void key(std::string_view name);

    void value(std::nullptr_t /*null*/) { text_ += "null"; }
    /// Bytes that are not UTF-8 become U+FFFD.
    void value(std::string_view text);
    void value(const char* text) { value(std::string_view(text)); }
    /// Not a number and the infinities become null.
    void value(double number);
    void value(bool is_true) { text_ += is_true ? "true" : "false"; }
    template <class T>
        requires std::is_integral_v<T>
    void value(T number) {
        if constexpr (std::is_signed_v<T>) {
            integer(static_cast<std::int64_t>(number));
        } else {
            natural(number);
        }
    }

    /// A key with its value, and with an array or object that is opened.
    template <class T>
    void member(std::string_view name, const T& of) {
        key(name);
        value(of);
    }
    void open(std::string_view name, char bracket) {
        key(name);
        open(bracket);
    }

    /// What was written.
    std::string take() { return std::move(text_); }

private:
    void integer(std::int64_t number);
    void natural(std::uint64_t number);
    void new_line();

    unsigned indent_;
    bool is_one_line_ = false;
    std::string text_;
    std::vector<bool> has_items_;  // of the arrays and objects that are open
};

}  // namespace whorl
