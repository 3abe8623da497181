#include <whorl/check.hpp>

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include <whorl/notes.hpp>

#include "errors.hpp"
#include "field.hpp"
#include "keys.hpp"
#include "matrices.hpp"
#include "provers.hpp"
#include "run.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

// A report with the names that its text needs.
struct NamedReport {
    CheckReport report;
    std::vector<std::string> air_names;
};

NamedReport check(nb::handle key, nb::handle traces, std::vector<std::string> air_names, const KeyNotes& notes) {
    const VerifyingKey& vk = verifying_key(key);
    const std::vector<AirTrace> native = to_traces(traces);
    LongCall call(nb::none(), nullptr);
    CheckReport report =
        take(call.run([&](const ProveControl&) { return check_constraints(vk, native, air_names, notes); }));
    return {std::move(report), std::move(air_names)};
}

nb::dict variables(const ConstraintFailure& failure) {
    nb::dict out;
    for (const auto& [name, value] : failure.variables) out[nb::str(name.c_str())] = value;
    return out;
}

}  // namespace

void bind_checks(nb::module_& module) {
    nb::class_<SourceNote>(module, "SourceNote", "A line of code, with the label that it was given.")
        .def_ro("file", &SourceNote::file, "Without its folders; empty: unknown.")
        .def_ro("line", &SourceNote::line)
        .def_ro("label", &SourceNote::label)
        .def("__str__", [](const SourceNote& n) {
            if (n.file.empty()) return n.label;
            return n.file + ":" + std::to_string(n.line) + (n.label.empty() ? "" : " \"" + n.label + "\"");
        });
    nb::class_<ConstraintFailure>(module, "ConstraintFailure", "A constraint that is not zero on some rows.")
        .def_ro("air_id", &ConstraintFailure::air_id)
        .def_ro("row", &ConstraintFailure::row, "The first row on which it fails.")
        .def_ro("num_rows", &ConstraintFailure::num_rows, "How many rows it fails on.")
        .def_ro("constraint", &ConstraintFailure::constraint, "Its number among the AIR's constraints.")
        .def_ro("source", &ConstraintFailure::note, "Where it is written.")
        .def_ro("expression", &ConstraintFailure::expression)
        .def_ro("value", &ConstraintFailure::value)
        .def_prop_ro("variables", &variables, "Name and value of each column that it reads, on that row.")
        .def("__repr__", [](const ConstraintFailure& f) {
            return "<whorl.ConstraintFailure, AIR " + std::to_string(f.air_id) + ", row " + std::to_string(f.row) +
                   ": " + f.expression + ">";
        });
    using Contribution = UnbalancedMessage::Contribution;
    nb::class_<Contribution>(module, "Contribution", "A row that adds to a message or removes from it.")
        .def_ro("air_id", &Contribution::air_id)
        .def_ro("row", &Contribution::row)
        .def_ro("interaction", &Contribution::interaction)
        .def_ro("count", &Contribution::count)
        .def_ro("source", &Contribution::note);
    nb::class_<UnbalancedMessage>(module, "UnbalancedMessage", "A message whose counts do not add up to 0.")
        .def_ro("fields", &UnbalancedMessage::fields)
        .def_ro("net_count", &UnbalancedMessage::net_count)
        .def_ro("num_contributions", &UnbalancedMessage::num_contributions)
        .def_ro("contributions", &UnbalancedMessage::contributions, "The first few.");
    nb::class_<UnbalancedBus>(module, "UnbalancedBus", "A bus with such messages.")
        .def_ro("bus_index", &UnbalancedBus::bus_index)
        .def_ro("name", &UnbalancedBus::name)
        .def_ro("messages", &UnbalancedBus::messages, "Some of them.")
        .def_ro("has_more", &UnbalancedBus::has_more)
        .def_ro("absent_airs", &UnbalancedBus::absent_airs, "AIRs that have interactions on it, and no trace.");
    nb::class_<NamedReport>(module, "CheckReport",
                            R"(What is wrong with traces, row by row; ``str()`` of it is for people.

True where nothing is.)")
        .def_prop_ro(
            "failures", [](const NamedReport& r) { return r.report.failures; },
            "By AIR, first row and constraint: the first 32 of an AIR.")
        .def_prop_ro("unbalanced_buses", [](const NamedReport& r) { return r.report.unbalanced_buses; })
        .def_prop_ro(
            "num_constraints_checked", [](const NamedReport& r) { return r.report.num_constraints_checked; },
            "Constraints times rows.")
        .def_prop_ro(
            "num_messages_checked", [](const NamedReport& r) { return r.report.num_messages_checked; },
            "Interactions times rows.")
        .def_prop_ro("is_satisfied", [](const NamedReport& r) { return r.report.is_satisfied(); })
        .def("__bool__", [](const NamedReport& r) { return r.report.is_satisfied(); })
        .def("__str__", [](const NamedReport& r) { return describe(r.report, r.air_names); })
        .def("__repr__", [](const NamedReport& r) {
            return r.report.is_satisfied()
                       ? std::string("<whorl.CheckReport, satisfied>")
                       : "<whorl.CheckReport, " + std::to_string(r.report.failures.size()) + " constraints, " +
                             std::to_string(r.report.unbalanced_buses.size()) + " buses>";
        });
    module.def("check", &check, "key"_a, "traces"_a, "air_names"_a, "notes"_a);
}

}  // namespace whorl::python
