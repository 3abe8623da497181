#include "keys.hpp"

#include <nanobind/operators.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <whorl/notes.hpp>

#include "bytes.hpp"
#include "errors.hpp"
#include "field.hpp"
#include "matrices.hpp"
#include "released.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

// KeyNotes as tuples, for pickling.
using NoteState = std::tuple<std::string, std::uint32_t, std::string>;
using Names = std::vector<std::string>;
using AirNotesState =
    std::tuple<std::vector<NoteState>, std::vector<NoteState>, Names, std::vector<Names>, Names, Names>;
using NotesState = std::tuple<std::vector<AirNotesState>, std::map<std::uint16_t, std::string>>;

std::vector<NoteState> state_of(const std::vector<SourceNote>& notes) {
    std::vector<NoteState> out;
    out.reserve(notes.size());
    for (const SourceNote& n : notes) out.emplace_back(n.file, n.line, n.label);
    return out;
}
std::vector<SourceNote> notes_of(const std::vector<NoteState>& state) {
    std::vector<SourceNote> out;
    out.reserve(state.size());
    for (const auto& [file, line, label] : state) out.push_back({.file = file, .line = line, .label = label});
    return out;
}

NotesState state_of(const KeyNotes& notes) {
    NotesState out;
    for (const AirNotes& n : notes.airs) {
        std::get<0>(out).emplace_back(state_of(n.constraints), state_of(n.interactions), n.common_main, n.cached_mains,
                                      n.preprocessed, n.public_values);
    }
    std::get<1>(out) = notes.buses;
    return out;
}
KeyNotes notes_of(const NotesState& state) {
    KeyNotes out;
    for (const auto& [constraints, interactions, common_main, cached_mains, preprocessed, public_values] :
         std::get<0>(state)) {
        out.airs.push_back({.constraints = notes_of(constraints),
                            .interactions = notes_of(interactions),
                            .common_main = common_main,
                            .cached_mains = cached_mains,
                            .preprocessed = preprocessed,
                            .public_values = public_values});
    }
    out.buses = std::get<1>(state);
    return out;
}

std::string hex(const Digest& digest) {
    std::string out;
    for (const Fp x : digest) {
        std::array<char, 9> word{};
        std::snprintf(word.data(), word.size(), "%08x", x.canonical());
        out += word.data();
    }
    return out;
}

VerifyingKey key_from_bytes(const nb::bytes& bytes) {
    Result<VerifyingKey> key = [&] {
        const Released released;
        return decode_verifying_key(to_span(bytes));
    }();
    return take(std::move(key));
}

nb::bytes key_bytes(const VerifyingKey& vk) {
    return to_bytes(take(encode_verifying_key(vk)));
}

using ProvingState = std::tuple<nb::bytes, std::vector<std::string>, nb::list, KeyNotes>;

nb::list preprocessed_of(const ProvingKey& key) {
    nb::list out;
    for (const std::optional<Matrix>& columns : key.preprocessed) {
        out.append(columns ? nb::cast(hold(Matrix(*columns))) : nb::none());
    }
    return out;
}

ProvingKey proving_key(VerifyingKey vk, std::vector<std::string> names, const nb::list& preprocessed, KeyNotes notes) {
    ProvingKey key{.vk = std::move(vk), .air_names = std::move(names), .preprocessed = {}, .notes = std::move(notes)};
    for (const nb::handle part : preprocessed) {
        if (part.is_none()) {
            key.preprocessed.emplace_back();
            continue;
        }
        // A copy, since the key outlives the array.
        key.preprocessed.emplace_back(take(copy_of(nb::cast<const HeldMatrix&>(part).view())));
    }
    return key;
}

std::string repr(const VerifyingKey& vk) {
    return "<whorl.VerifyingKey " + hex(vk.pre_hash).substr(0, 16) + ", " + std::to_string(vk.airs.size()) +
           (vk.airs.size() == 1 ? " AIR>" : " AIRs>");
}

}  // namespace

const VerifyingKey& verifying_key(nb::handle key) {
    if (nb::isinstance<ProvingKey>(key)) return nb::cast<const ProvingKey&>(key).vk;
    if (nb::isinstance<VerifyingKey>(key)) return nb::cast<const VerifyingKey&>(key);
    raise_type("a VerifyingKey or a ProvingKey", key);
}

void bind_keys(nb::module_& module) {
    nb::class_<AirVerifyingKey>(module, "AirInfo", "What a key says of one AIR.")
        .def_prop_ro(
            "width", [](const AirVerifyingKey& a) { return a.width.common_main; }, "Columns of the common main.")
        .def_prop_ro("cached_main_widths", [](const AirVerifyingKey& a) { return a.width.cached_mains; })
        .def_prop_ro("preprocessed_width", [](const AirVerifyingKey& a) { return a.width.preprocessed; })
        .def_prop_ro(
            "preprocessed_commit",
            [](const AirVerifyingKey& a) {
                return a.preprocessed ? std::optional(a.preprocessed->commit) : std::optional<Digest>();
            },
            "The commitment to the preprocessed columns: 8 numbers.")
        .def_ro("num_public_values", &AirVerifyingKey::num_public_values)
        .def_ro("is_required", &AirVerifyingKey::is_required)
        .def_ro("reads_next_row", &AirVerifyingKey::need_rot)
        .def_ro("max_constraint_degree", &AirVerifyingKey::max_constraint_degree)
        .def_prop_ro("num_constraints", [](const AirVerifyingKey& a) { return a.constraint_idx.size(); })
        .def_prop_ro("num_interactions", [](const AirVerifyingKey& a) { return a.interactions.size(); })
        .def("__repr__", [](const AirVerifyingKey& a) {
            return "<whorl.AirInfo, " + std::to_string(a.width.common_main) + " columns, " +
                   std::to_string(a.constraint_idx.size()) + " constraints, " + std::to_string(a.interactions.size()) +
                   " interactions>";
        });

    nb::class_<VerifyingKey>(module, "VerifyingKey",
                             R"(What a verifier needs; ``bytes(key)`` is its encoding (vk.postcard).)")
        .def_static("from_bytes", &key_from_bytes, "data"_a, R"(Reads a key from untrusted bytes.

Raises
------
FormatError
    With the offset of the first byte that is wrong.)")
        .def("__bytes__", &key_bytes)
        .def_prop_ro(
            "digest", [](const VerifyingKey& vk) { return hex(vk.pre_hash); },
            "The key's pre-hash, which names it: 64 hexadecimal digits.")
        .def_prop_ro(
            "pre_hash", [](const VerifyingKey& vk) { return vk.pre_hash; }, "The same as 8 numbers.")
        .def_prop_ro(
            "params", [](const VerifyingKey& vk) { return vk.params; }, "A copy of the parameters.")
        .def_prop_ro(
            "airs", [](const VerifyingKey& vk) { return vk.airs; }, "One AirInfo an AIR, in order.")
        .def_prop_ro("num_airs", [](const VerifyingKey& vk) { return vk.airs.size(); })
        .def(nb::self == nb::self)
        .def("__hash__",
             [](const VerifyingKey& vk) {
                 return vk.pre_hash[0].canonical() | std::uint64_t{vk.pre_hash[1].canonical()} << 30;
             })
        .def("__getstate__", [](const VerifyingKey& vk) { return nb::make_tuple(key_bytes(vk)); })
        .def("__setstate__",
             [](VerifyingKey& vk, const std::tuple<nb::bytes>& state) {
                 new (&vk) VerifyingKey(key_from_bytes(std::get<0>(state)));
             })
        .def("__repr__", &repr);

    nb::class_<KeyNotes>(module, "KeyNotes",
                         R"(Names and lines of code for messages. No byte of a key or a proof depends on them.)")
        .def(nb::init<>())
        .def_ro("buses", &KeyNotes::buses, "Names of buses.")
        .def(
            "columns",
            [](const KeyNotes& notes, std::size_t air_id) {
                return air_id < notes.airs.size() ? notes.airs[air_id].common_main : std::vector<std::string>();
            },
            "air_id"_a, "Names of the columns of an AIR's common main; none where they have none.")
        .def(nb::self == nb::self)
        .def("__getstate__", [](const KeyNotes& notes) { return state_of(notes); })
        .def("__setstate__", [](KeyNotes& notes, const NotesState& state) { new (&notes) KeyNotes(notes_of(state)); });

    nb::class_<ProvingKey>(module, "ProvingKey",
                           R"(What a prover starts from: the verifying key, preprocessed columns, names and notes.)")
        .def(
            "__init__",
            [](ProvingKey* key, const VerifyingKey& vk, std::vector<std::string> names, const nb::list& preprocessed,
               const std::optional<KeyNotes>& notes) {
                new (key) ProvingKey(proving_key(vk, std::move(names), preprocessed, notes.value_or(KeyNotes())));
            },
            "vk"_a, "air_names"_a, "preprocessed"_a, "notes"_a = nb::none())
        .def_prop_ro(
            "vk", [](const ProvingKey& key) { return key.vk; }, "A copy of the verifying key.")
        .def_prop_ro("num_airs", [](const ProvingKey& key) { return key.vk.airs.size(); })
        .def_ro("air_names", &ProvingKey::air_names)
        .def_ro("notes", &ProvingKey::notes)
        .def_prop_ro("preprocessed", &preprocessed_of, "By AIR: a copy of the preprocessed columns as Matrix, or None.")
        .def_prop_ro(
            "digest", [](const ProvingKey& key) { return hex(key.vk.pre_hash); }, "As VerifyingKey.digest.")
        .def_prop_ro(
            "params", [](const ProvingKey& key) { return key.vk.params; }, "A copy of the parameters.")
        .def("__getstate__",
             [](const ProvingKey& key) {
                 return ProvingState(key_bytes(key.vk), key.air_names, preprocessed_of(key), key.notes);
             })
        .def("__setstate__",
             [](ProvingKey& key, const ProvingState& state) {
                 const auto& [vk, names, preprocessed, notes] = state;
                 new (&key) ProvingKey(proving_key(key_from_bytes(vk), names, preprocessed, notes));
             })
        .def("__repr__", [](const ProvingKey& key) {
            std::string names;
            for (const std::string& name : key.air_names) names += (names.empty() ? "" : ", ") + name;
            return "<whorl.ProvingKey " + hex(key.vk.pre_hash).substr(0, 16) + ", AIRs: " + names + ">";
        });
}

}  // namespace whorl::python
