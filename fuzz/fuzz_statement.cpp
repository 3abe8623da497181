// Hostile statement files: the reader comes to an answer, and what it takes is written and read as the same statement.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <whorl/statement.hpp>

#include "engine/statement_file.hpp"
#include "require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace whorl;
    using fuzz::require;
    const auto statement = parse_statement({reinterpret_cast<const char*>(data), size}, "statement.json");
    if (!statement) {
        require(statement.error().code == ErrorCode::kBadFormat, "the only errors are those of the text");
        require(!statement.error().message.empty(), "an error has a message");
        return 0;
    }
    const auto text = statement_text(*statement);
    require(text.has_value(), "what was read can be written");
    const auto again = parse_statement(*text, "statement.json");
    require(again.has_value(), "what was written can be read");
    require(*again == *statement, "the statement stays as it was");
    return 0;
}
