// What the handles of whorl/whorl.h are, and how its calls end.
#pragma once

#include <whorl/whorl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/key.hpp>
#include <whorl/notes.hpp>
#include <whorl/params.hpp>
#include <whorl/proof.hpp>
#include <whorl/transcript.hpp>

#include "machine/guard.hpp"

struct whorl_error {
    whorl_code code;
    std::string stage;
    std::string message;
};

struct whorl_bytes {
    std::vector<std::byte> bytes;
};

struct whorl_key {
    whorl::VerifyingKey vk;
    std::vector<std::string> air_names;
    whorl::KeyNotes notes;  // for messages
};

struct whorl_params {
    whorl::SystemParams params;
};

struct whorl_proof {
    whorl::Proof proof;
};

struct whorl_transcript {
    whorl::Transcript transcript;
};

namespace whorl::capi {

/// Hands an error to the caller, where it wants one and there is memory.
whorl_code fail(whorl_error** out, whorl_code code, std::string stage, std::string message) noexcept;
whorl_code fail(whorl_error** out, Error error) noexcept;

/// Runs `work`, which returns Result<void>.
template <class Work>
whorl_code call(whorl_error** error, std::string_view stage, const Work& work) noexcept {
    Result<void> result = guarded(stage, [&]() -> Result<void> { return work(); });
    return result ? WHORL_OK : fail(error, std::move(result).error());
}

inline Error bad_argument(std::string_view stage, std::string message) {
    return {ErrorCode::kInvalidArgument, std::string(stage), std::move(message)};
}
/// The error for a pointer that is NULL.
Error missing(std::string_view stage, std::string_view what);

/// Field elements of canonical words. Errors: kInvalidArgument (NULL, a word that is not below p).
Result<std::vector<Fp>> read_canonical(std::string_view stage, const uint32_t* words, std::size_t num_words);
Result<Digest> read_digest(std::string_view stage, const uint32_t* words, std::size_t num_words);
Result<void> write_digest(std::string_view stage, const Digest& digest, uint32_t* words, std::size_t num_words);

/// The caller's struct, with 0 for members that it was not compiled with. Errors: kInvalidArgument (struct_size is less than itself).
template <class Struct>
Result<Struct> read_struct(std::string_view stage, const Struct* given) {
    Struct read{};
    std::size_t size = 0;
    std::memcpy(&size, given, sizeof size);
    if (size < sizeof size) {
        return bad_argument(stage, "expected the size of the struct in struct_size, found " + std::to_string(size));
    }
    std::memcpy(static_cast<void*>(&read), given, std::min(size, sizeof read));
    read.struct_size = sizeof read;
    return read;
}
/// Writes as much of `value` as the caller's struct has.
template <class Struct>
Result<void> write_struct(std::string_view stage, const Struct& value, Struct* given) {
    const std::size_t size = given->struct_size;
    if (size < sizeof size) {
        return bad_argument(stage, "expected the size of the struct in struct_size, found " + std::to_string(size));
    }
    std::memcpy(given, &value, std::min(size, sizeof value));
    given->struct_size = size;
    return {};
}

}  // namespace whorl::capi
