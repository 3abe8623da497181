// Expressions of a key for people to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <whorl/key.hpp>
#include <whorl/notes.hpp>

namespace whorl {

/// "main[3]", "next main[3]", "next cached0[1]", "preprocessed[0]", "public[2]"; with the name of the column in `notes` "carry",
/// "next.carry", "next cached0.carry", "preprocessed.carry", "public.carry".
std::string variable_name(const AirVerifyingKey& air, const AirNotes& notes, const Variable& variable);

/// A number between −p/2 and p/2.
std::string signed_value(Fp value);

/// Node `root` as a formula of at most about `max_length` characters; what does not fit becomes "…".
std::string render_expression(const AirVerifyingKey& air, const AirNotes& notes, std::uint32_t root,
                              std::size_t max_length = 400);

/// What the constraint with node `root` asks for: "when_transition: next.n == n + 1", "bit * (bit - 1) == 0".
std::string render_constraint(const AirVerifyingKey& air, const AirNotes& notes, std::uint32_t root,
                              std::size_t max_length = 400);

/// The variables that node `root` depends on, in node order.
std::vector<Variable> variables_of(const AirVerifyingKey& air, std::uint32_t root);

/// "AIR 3 (Adder)", or "AIR 3" where `names` has no name for it.
std::string air_label(std::uint32_t air_id, std::span<const std::string> names);

/// `adder.hpp:54`, with its label `adder.hpp:54 "a label"`; empty where `note` has neither.
std::string render_note(const SourceNote& note);

/// The notes on an AIR, on one of its constraints or interactions; empty ones where there are none.
const AirNotes& notes_of(const KeyNotes& notes, std::uint32_t air_id);
const SourceNote& note_at(const std::vector<SourceNote>& notes, std::size_t position);

}  // namespace whorl
