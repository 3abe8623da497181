// Hostile task folders: load_task comes to an answer, and what it takes is saved and loaded as the same task.
#include <whorl/task.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "folder.hpp"
#include "require.hpp"

namespace {

using namespace whorl;
using fuzz::require;
namespace fs = std::filesystem;

// Two folders of this process, in memory where the system has such a place; removed at the end.
struct Folders {
    Folders() {
        const fs::path memory = "/dev/shm";
        const fs::path parent = fs::is_directory(memory) ? memory : fs::temp_directory_path();
        std::string name = (parent / "whorl_fuzz_task_XXXXXX").string();
        require(mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
        root = name;
    }
    Folders(const Folders&) = delete;
    Folders& operator=(const Folders&) = delete;
    ~Folders() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }

    fs::path fresh(const char* name) const {
        const fs::path folder = root / name;
        fs::remove_all(folder);
        fs::create_directory(folder);
        return folder;
    }

    fs::path root;
};

// Only plain names: the fuzzer is to write nowhere else.
bool is_plain(const std::string& name) {
    return !name.empty() && name.size() <= 64 && name.front() != '.' && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
}

bool is_same(const Matrix& a, const Matrix& b) {
    return a.width() == b.width() && a.height() == b.height() && std::ranges::equal(a.values(), b.values());
}

bool is_same(const AirTrace& a, const AirTrace& b) {
    const auto same_parts = [](const Matrix& x, const Matrix& y) { return is_same(x, y); };
    return a.air_id == b.air_id && is_same(a.common_main, b.common_main) &&
           std::ranges::equal(a.cached_mains, b.cached_mains, same_parts) &&
           a.preprocessed.has_value() == b.preprocessed.has_value() &&
           (!a.preprocessed || is_same(*a.preprocessed, *b.preprocessed)) && a.public_values == b.public_values;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    return whorl::fuzz::mutate_folder(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Folders folders;
    const fs::path folder = folders.fresh("task");
    for (const fuzz::File& file : fuzz::unpack_folder(data, size)) {
        if (!is_plain(file.name)) continue;
        std::ofstream out(folder / file.name, std::ios::binary);
        out.write(reinterpret_cast<const char*>(file.bytes.data()), static_cast<std::streamsize>(file.bytes.size()));
    }
    const auto task = load_task(folder);
    if (!task) {
        require(!task.error().message.empty(), "an error has a message");
        return 0;
    }
    const fs::path copy = folders.fresh("copy");
    require(save_task(*task, copy).has_value(), "what was loaded can be saved");
    const auto again = load_task(copy);
    require(again.has_value(), "what was saved can be loaded");
    require(again->vk == task->vk && again->name == task->name, "the key and the name stay as they were");
    require(again->notes == task->notes && again->air_names == task->air_names, "names and notes stay as they were");
    require(std::ranges::equal(again->traces, task->traces,
                               [](const AirTrace& a, const AirTrace& b) { return is_same(a, b); }),
            "the traces stay as they were");
    return 0;
}
