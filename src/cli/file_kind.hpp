// What a file that is not what it should be is instead.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <whorl/error.hpp>

namespace whorl::cli {

/// What whole files of whorl are recognised as: "a verifying key", "a proof", "task.json", "a statement", "results of whorl bench",
/// and beside them "JSON", "text", "an empty file". Empty for anything else. Takes as long as decoding does.
std::string_view look_at_kind(std::span<const std::byte> bytes);

/// `error`, of reading `bytes` as `expected`, with what they are instead, where that is known.
Error with_kind(Error error, std::span<const std::byte> bytes, std::string_view expected);

}  // namespace whorl::cli
