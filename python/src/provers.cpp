#include "provers.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <whorl/air.hpp>
#include <whorl/device.hpp>
#include <whorl/prove.hpp>

#include "errors.hpp"
#include "field.hpp"
#include "keys.hpp"
#include "matrices.hpp"
#include "run.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

ProverOptions options_of(const std::string& device, std::uint32_t threads, bool verify,
                         std::vector<std::string> air_names, const KeyNotes& notes) {
    ProverOptions options;
    options.device = device;
    options.num_threads = threads;
    options.verify_after = verify;
    options.air_names = std::move(air_names);
    options.notes = notes;
    return options;
}

std::unique_ptr<Prover> make_prover(nb::handle key, const std::string& device, std::uint32_t threads, bool verify,
                                    std::vector<std::string> air_names, const KeyNotes& notes) {
    const ProverOptions options = options_of(device, threads, verify, std::move(air_names), notes);
    const VerifyingKey& vk = verifying_key(key);
    const ProvingKey* proving = nb::isinstance<ProvingKey>(key) ? &nb::cast<const ProvingKey&>(key) : nullptr;
    LongCall call(nb::none(), nullptr);
    Result<Prover> prover = call.run([&](const ProveControl&) {
        return proving != nullptr ? Prover::create(*proving, options) : Prover::create(vk, options);
    });
    return std::make_unique<Prover>(take(std::move(prover)));
}

Proof prove(Prover& prover, nb::handle traces, nb::handle progress, Stop* stop, std::uint64_t memory_limit,
            Telemetry* telemetry, Transcript* transcript) {
    const std::vector<AirTrace> native = to_traces(traces);
    LongCall call(progress, stop);
    call.control().memory_limit_bytes = memory_limit;
    call.control().telemetry = telemetry;
    call.control().transcript = transcript;
    return take(call.run([&](const ProveControl& control) { return prover.prove(native, control); }));
}

CommittedMatrix commit(Prover& prover, const HeldMatrix& matrix, nb::handle progress, Stop* stop) {
    LongCall call(progress, stop);
    // The commitment keeps its matrix, which may not be an array of another.
    Matrix own = matrix.view().is_on_device() ? matrix.view() : take(copy_of(matrix.view()));
    return take(call.run([&](const ProveControl& control) { return prover.commit(std::move(own), control); }));
}

MemoryPlan plan(Prover& prover, nb::handle traces) {
    const std::vector<AirTrace> native = to_traces(traces);
    LongCall call(nb::none(), nullptr);
    return take(call.run([&](const ProveControl&) { return prover.plan(native); }));
}

void bind_devices(nb::module_& module) {
    nb::class_<DeviceReport>(module, "Device", "A device that proofs can be made on.")
        .def_ro("id", &DeviceReport::id, "\"cpu\", \"sim\", \"cuda:0\": what the argument device takes.")
        .def_ro("name", &DeviceReport::name, "As its maker calls it.")
        .def_ro("memory_bytes", &DeviceReport::memory_bytes)
        .def_ro("free_bytes", &DeviceReport::free_bytes, "0 where the device does not tell.")
        .def_ro("driver", &DeviceReport::driver)
        .def_ro("problem", &DeviceReport::problem, "Why it cannot be used; empty where it can.")
        .def("__repr__", [](const DeviceReport& d) {
            return "<whorl.Device " + d.id + (d.problem.empty() ? ", " + d.name : ", not usable: " + d.problem) + ">";
        });
    module.def("devices", [] { return take(list_devices()); }, "Everything that this build knows of, usable or not.");
}

void bind_plan(nb::module_& module) {
    nb::class_<PlannedBuffer>(module, "PlannedBuffer", "One buffer of a memory plan.")
        .def_ro("name", &PlannedBuffer::name)
        .def_ro("stage", &PlannedBuffer::stage, "The span in which it is taken.")
        .def_ro("last_stage", &PlannedBuffer::last_stage, "The span in which it is given back.")
        .def_ro("bytes", &PlannedBuffer::bytes)
        .def_ro("offset", &PlannedBuffer::offset)
        .def_ro("taken", &PlannedBuffer::taken, "Position among all takings and returns, from 1.")
        .def_ro("returned", &PlannedBuffer::returned);
    nb::class_<MemoryPlan>(module, "MemoryPlan", "Everything that one proof takes on a device, in bytes.")
        .def_ro("buffers", &MemoryPlan::buffers, "In the order of taking.")
        .def_ro("arena_bytes", &MemoryPlan::arena_bytes)
        .def_ro("peak_live_bytes", &MemoryPlan::peak_live_bytes, "The most that is in use at once.")
        .def_ro("device_bytes", &MemoryPlan::device_bytes, "All of it that lies in the device's own memory.")
        .def_ro("upload_bytes", &MemoryPlan::upload_bytes)
        .def_ro("mailbox_bytes", &MemoryPlan::mailbox_bytes)
        .def("__repr__", [](const MemoryPlan& p) {
            return "<whorl.MemoryPlan, " + std::to_string(p.device_bytes) + " bytes, " +
                   std::to_string(p.buffers.size()) + " buffers>";
        });
}

}  // namespace

void bind_provers(nb::module_& module) {
    bind_devices(module);
    bind_plan(module);
    nb::class_<Stop>(module, "Stop",
                     R"(Ends proofs from another thread: those that were given it, and whose ``set`` is called.)")
        .def(nb::init<>())
        .def("set", &Stop::set, "Ends them with CancelledError, within milliseconds on the CPU.")
        .def_prop_ro("is_set", &Stop::is_set);
    nb::class_<Prover>(module, "Prover")
        .def_static("create", &make_prover, "key"_a, "device"_a, "threads"_a, "verify"_a, "air_names"_a, "notes"_a)
        .def("prove", &prove, "traces"_a, "progress"_a.none(), "stop"_a.none(), "memory_limit"_a, "telemetry"_a.none(),
             "transcript"_a.none())
        .def("commit", &commit, "matrix"_a, "progress"_a.none(), "stop"_a.none())
        .def("plan", &plan, "traces"_a);
}

}  // namespace whorl::python
