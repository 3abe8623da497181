// What a command answers with --json: one object (docs/output.schema.json).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <whorl/check.hpp>
#include <whorl/error.hpp>
#include <whorl/field.hpp>
#include <whorl/params.hpp>
#include <whorl/security.hpp>
#include <whorl/verify.hpp>

#include "text/json_writer.hpp"

namespace whorl::cli {

/// An object that has "command" and whorl's "version", and is still open.
JsonWriter begin_answer(std::string_view command);
/// Closes the object; its text, ended by a newline.
std::string end_answer(JsonWriter json);

/// Members of an open object. Bits of security are null for steps that do not exist, and 0 where no theorem holds.
void write_security(JsonWriter& json, const SecurityBits& bits);
void write_digest(JsonWriter& json, std::string_view name, const Digest& digest);
/// The member "commitments" or the like: a list of digests.
void write_digests(JsonWriter& json, std::string_view name, std::span<const Digest> digests);
/// The member "error".
void write_error(JsonWriter& json, const VerifyError& error);
void write_error(JsonWriter& json, const Error& error);
/// All that check_constraints found.
void write_check(JsonWriter& json, const CheckReport& report, std::span<const std::string> air_names);

}  // namespace whorl::cli
