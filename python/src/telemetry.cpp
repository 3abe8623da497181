#include <whorl/telemetry.hpp>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <optional>

#include <whorl/telemetry_export.hpp>

#include "errors.hpp"
#include "provers.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

nb::dict fields(const SpanRecord& span) {
    nb::dict out;
    for (const auto& [key, value] : span.fields) out[nb::str(key.c_str())] = value;
    return out;
}

}  // namespace

void bind_telemetry(nb::module_& module) {
    nb::class_<SpanRecord>(module, "Span", "A stretch of time with a name.")
        .def_ro("name", &SpanRecord::name)
        .def_prop_ro(
            "parent",
            [](const SpanRecord& s) {
                return s.parent == SpanRecord::kNoParent ? std::nullopt : std::optional(s.parent);
            },
            "Index into Telemetry.spans, or None.")
        .def_ro("start_ms", &SpanRecord::start_ms, "Since the Telemetry was made.")
        .def_ro("time_ms", &SpanRecord::time_ms)
        .def_prop_ro("fields", &fields)
        .def("__repr__",
             [](const SpanRecord& s) { return "<whorl.Span " + s.name + ", " + std::to_string(s.time_ms) + " ms>"; });
    nb::class_<Telemetry>(module, "Telemetry", R"(Where the time of proofs goes: a tree of spans.

Give it to one proof after another; ``str()`` of it is the tree as text.)")
        .def(nb::init<>())
        .def_prop_ro(
            "spans", [](const Telemetry& t) { return t.spans(); }, "In the order in which they opened.")
        .def("clear", &Telemetry::clear, "Forgets all spans.")
        .def(
            "timeline_json", [](const Telemetry& t) { return take(timeline_json(t)); },
            "The Chrome trace format, which Perfetto reads.")
        .def("__str__", &span_tree);
}

}  // namespace whorl::python
