#include <whorl/task.hpp>

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

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

nb::tuple load(const std::filesystem::path& folder) {
    LongCall call(nb::none(), nullptr);
    Task task = take(call.run([&](const ProveControl&) { return load_task(folder); }));
    return nb::make_tuple(task.name, task.vk, task.air_names, from_traces(std::move(task.traces)), task.notes);
}

void save(const std::filesystem::path& folder, const std::string& name, nb::handle key,
          std::vector<std::string> air_names, nb::handle traces, const KeyNotes& notes) {
    Task task{.name = name,
              .vk = verifying_key(key),
              .air_names = std::move(air_names),
              .traces = to_traces(traces),
              .notes = notes};
    LongCall call(nb::none(), nullptr);
    take(call.run([&](const ProveControl&) { return save_task(task, folder); }));
}

}  // namespace

void bind_tasks(nb::module_& module) {
    module.def("load_task", &load, "folder"_a);
    module.def("save_task", &save, "folder"_a, "name"_a, "key"_a, "air_names"_a, "traces"_a, "notes"_a);
}

}  // namespace whorl::python
