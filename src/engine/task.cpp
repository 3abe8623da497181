#include <whorl/task.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

#include "engine/check_traces.hpp"
#include "engine/files.hpp"
#include "engine/json_values.hpp"
#include "engine/notes_file.hpp"
#include "engine/task_files.hpp"
#include "key/params_difference.hpp"
#include "machine/guard.hpp"
#include "text/json.hpp"
#include "text/json_writer.hpp"
#include "text/printable.hpp"

namespace whorl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLoadStage = "task.load";
constexpr std::string_view kSaveStage = "task.save";
constexpr std::string_view kNotesFile = "notes.json";

template <class... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    json_fail(kLoadStage, code, format, std::forward<Args>(args)...);
}

template <class T>
T value_or_fail(Result<T> result) {
    if (!result) fail(result.error().code, "{}", result.error().message);
    return *std::move(result);
}

std::string shown(const fs::path& path) {
    return printable(path.native());
}

// Words on disk are little-endian u32.
constexpr std::uint32_t from_disk(std::uint32_t word) {
    if constexpr (std::endian::native == std::endian::big) {
        return (word >> 24) | ((word >> 8) & 0xff00U) | ((word << 8) & 0xff0000U) | (word << 24);
    }
    return word;
}

/// Reads a part in pieces straight into its matrix, so that a trace is never held twice.
Matrix read_part(const fs::path& path, std::size_t width, std::size_t height) {
    if (width == 0) return {0, height};
    const Descriptor file = value_or_fail(open_for_reading(path, FileKind::kRegular));
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) fail(ErrorCode::kIo, "{}", io_error(kLoadStage, path, errno).message);
    // Before memory is taken; width < 2^32 and height ≤ 2^27, so the product fits.
    const std::uint64_t expected_bytes = sizeof(std::uint32_t) * std::uint64_t{width} * height;
    if (const auto size = static_cast<std::uint64_t>(status.st_size); size != expected_bytes) {
        fail(ErrorCode::kBadFormat, "{} has {} bytes, expected {} (4 x width {} x height {})", shown(path), size,
             expected_bytes, width, height);
    }

    if (auto fits = check_memory_for(kLoadStage, path.native(), expected_bytes, 1); !fits) {
        fail(fits.error().code, "{}", fits.error().message);
    }

    Matrix matrix(width, height);
    if (!matrix.is_valid()) throw std::bad_alloc();
    const std::span<Fp> values = matrix.values();
    std::vector<std::uint32_t> words(std::min<std::size_t>(values.size(), std::size_t{1} << 18));
    for (std::size_t done = 0; done < values.size();) {
        const std::size_t count = std::min(words.size(), values.size() - done);
        for (std::size_t got = 0; got < count * sizeof(std::uint32_t);) {
            const ssize_t n =
                ::read(file.get(), reinterpret_cast<char*>(words.data()) + got, count * sizeof(std::uint32_t) - got);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) fail(ErrorCode::kIo, "{}", io_error(kLoadStage, path, errno).message);
            if (n == 0) fail(ErrorCode::kIo, "{}: became shorter while it was read", shown(path));
            got += static_cast<std::size_t>(n);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t value = from_disk(words[i]);
            if (value >= Fp::kModulus) {
                fail(ErrorCode::kBadFormat, "{}: column {}, row {} is {}, not below p = {}", shown(path),
                     (done + i) / height, (done + i) % height, value, Fp::kModulus);
            }
            values[done + i] = Fp::from_canonical(value);
        }
        done += count;
    }
    return matrix;
}

/// null stands for a part without columns.
Matrix part_from_json(const JsonPlace& json, const fs::path& folder, std::uint32_t key_width, std::size_t height) {
    if (json.is_null()) {
        if (key_width == 0) return {0, height};
        fail(ErrorCode::kBadFormat, "{} is null, the key says width {}", json.place(), key_width);
    }
    const auto width = json.at("width").number<std::uint32_t>();
    if (width != key_width) {
        fail(ErrorCode::kBadFormat, "{} has width {}, the key says {}", json.place(), width, key_width);
    }
    return read_part(json.at("file").file_in(folder), width, height);
}

AirTrace trace_from_json(const JsonPlace& json, const fs::path& folder, std::uint32_t air_id,
                         const AirVerifyingKey& air) {
    const auto height = json.at("height").number<std::size_t>(std::uint64_t{1} << Fp::kTwoAdicity);
    if (!std::has_single_bit(height)) {
        fail(ErrorCode::kBadFormat, "{}/height is {}, not a power of two", json.place(), height);
    }
    AirTrace trace;
    trace.air_id = air_id;

    const JsonPlace public_values = json.at("public_values").array();
    if (public_values.size() != air.num_public_values) {
        fail(ErrorCode::kBadFormat, "{} has {} values, the key says {}", public_values.place(), public_values.size(),
             air.num_public_values);
    }
    for (std::size_t i = 0; i < public_values.size(); ++i) {
        trace.public_values.push_back(public_values.at(i).field_element());
    }

    const JsonPlace preprocessed = json.at("preprocessed");
    if (preprocessed.is_null() == air.width.preprocessed.has_value()) {
        fail(ErrorCode::kBadFormat, "{} is {}, but the key {} a preprocessed part", preprocessed.place(),
             preprocessed.is_null() ? "null" : "present", preprocessed.is_null() ? "has" : "does not have");
    }
    const JsonPlace cached = json.at("cached_mains").array();
    if (cached.size() != air.width.cached_mains.size()) {
        fail(ErrorCode::kBadFormat, "{} has {} parts, the key says {}", cached.place(), cached.size(),
             air.width.cached_mains.size());
    }

    trace.common_main = part_from_json(json.at("common_main"), folder, air.width.common_main, height);
    for (std::size_t i = 0; i < cached.size(); ++i) {
        trace.cached_mains.emplace_back(part_from_json(cached.at(i), folder, air.width.cached_mains[i], height));
    }
    if (!preprocessed.is_null()) {
        trace.preprocessed = part_from_json(preprocessed, folder, *air.width.preprocessed, height);
    }
    return trace;
}

JsonDocument read_document(const fs::path& json_path) {
    const std::vector<std::byte> bytes = value_or_fail(read_file(json_path, kTaskJsonLimit));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return value_or_fail(parse_json(text, kLoadStage, shown(json_path)));
}

// What load() opens.
std::vector<fs::path> files_of(const fs::path& folder) {
    std::vector<fs::path> files{path_in(folder, kTaskFile)};
    const JsonDocument document = read_document(files.front());
    const JsonPlace json(document.root(), shown(files.front()), kLoadStage);
    files.push_back(json.at("vk").file_in(folder));
    if (json.has("notes")) files.push_back(json.at("notes").file_in(folder));
    if (!json.has("airs")) return files;
    const JsonPlace airs = json.at("airs").array();
    const auto add_part = [&](const JsonPlace& part) {
        if (!part.is_null()) files.push_back(part.at("file").file_in(folder));
    };
    for (std::size_t i = 0; i < airs.size(); ++i) {
        const JsonPlace air = airs.at(i);
        add_part(air.at("common_main"));
        add_part(air.at("preprocessed"));
        const JsonPlace cached = air.at("cached_mains").array();
        for (std::size_t k = 0; k < cached.size(); ++k) add_part(cached.at(k));
    }
    return files;
}

Task load(const fs::path& folder) {
    const fs::path json_path = path_in(folder, kTaskFile);
    const JsonDocument document = read_document(json_path);
    const JsonPlace json(document.root(), shown(json_path), kLoadStage);
    if (const auto format = json.at("format").number<std::uint32_t>(); format != kTaskFormat) {
        fail(ErrorCode::kBadFormat, "{}/format is {}, this program reads {}", json.place(), format, kTaskFormat);
    }

    Task task;
    task.name = json.at("name").text();
    const fs::path key_path = json.at("vk").file_in(folder);
    ReadLimit key_limit = kKeyLimit;
    key_limit.kind = FileKind::kRegular;
    Result<VerifyingKey> vk = decode_verifying_key(value_or_fail(read_file(key_path, key_limit)));
    if (!vk) fail(vk.error().code, "{}: {}", shown(key_path), to_string(vk.error()));
    task.vk = *std::move(vk);

    if (const auto num_airs = json.at("num_airs").number<std::uint32_t>(); num_airs != task.vk.airs.size()) {
        fail(ErrorCode::kBadFormat, "{}/num_airs is {}, the key {} has {}", json.place(), num_airs, shown(key_path),
             task.vk.airs.size());
    }
    if (const SystemParams params = params_from_json(json.at("params")); params != task.vk.params) {
        const ParamsDifference difference = *find_difference(params, task.vk.params);
        fail(ErrorCode::kBadFormat, "{}/params differ from the parameters in {}: {} is {}, there {}", json.place(),
             shown(key_path), difference.name, difference.first, difference.second);
    }
    const JsonPlace pre_hash = json.at("vk_pre_hash").array();
    if (pre_hash.size() != task.vk.pre_hash.size()) {
        fail(ErrorCode::kBadFormat, "{} has {} elements, expected {}", pre_hash.place(), pre_hash.size(),
             task.vk.pre_hash.size());
    }
    for (std::size_t i = 0; i < pre_hash.size(); ++i) {
        if (pre_hash.at(i).field_element() != task.vk.pre_hash[i]) {
            fail(ErrorCode::kBadFormat, "{} is not the pre-hash of {}", pre_hash.place(), shown(key_path));
        }
    }

    if (!json.has("airs")) {
        if (json.has("inputs")) {
            fail(ErrorCode::kBadFormat,
                 "{} has no \"airs\": this folder stores no traces, only the inputs that they follow from ({}); for "
                 "keccak-f run `whorl keccakf --inputs {}`",
                 json.place(), printable(json.at("inputs").text()), shown(json.at("inputs").file_in(folder)));
        }
        fail(ErrorCode::kBadFormat, "{} has no \"airs\": this folder stores no traces", json.place());
    }
    const JsonPlace airs = json.at("airs").array();
    task.air_names.resize(task.vk.airs.size());
    std::vector<bool> is_listed(task.vk.airs.size());
    for (std::size_t i = 0; i < airs.size(); ++i) {
        const JsonPlace air = airs.at(i);
        const auto air_id = air.at("air_id").number<std::uint32_t>();
        if (air_id >= task.vk.airs.size()) {
            fail(ErrorCode::kBadFormat, "{}/air_id is {}, the key has {} AIRs", air.place(), air_id,
                 task.vk.airs.size());
        }
        if (is_listed[air_id]) fail(ErrorCode::kBadFormat, "{}: AIR {} is listed twice", air.place(), air_id);
        is_listed[air_id] = true;
        task.air_names[air_id] = air.at("name").text();
        task.traces.push_back(trace_from_json(air, folder, air_id, task.vk.airs[air_id]));
    }
    if (json.has("notes")) {
        StoredNotes stored = read_notes(json.at("notes").file_in(folder), task.vk, kLoadStage);
        task.notes = std::move(stored.notes);
        // task.json has the names of AIRs with a trace.
        for (std::size_t i = 0; i < is_listed.size(); ++i) {
            if (!is_listed[i]) task.air_names[i] = std::move(stored.air_names[i]);
        }
    }
    // Every word was compared with p when it was read.
    const auto problems = trace_problems(task.vk, task.traces, task.air_names, task.notes, WordCheck::kSkip);
    if (const auto fits = summarize(problems, kLoadStage); !fits) {
        fail(fits.error().code, "{}: {}", shown(folder), fits.error().message);
    }
    return task;
}

Error with_stage(Error error) {
    error.stage = kSaveStage;
    return error;
}
Error save_error(ErrorCode code, std::string message) {
    return {.code = code, .stage = std::string(kSaveStage), .message = std::move(message)};
}

// What is larger is refused where it is read.
Result<void> check_size(const fs::path& path, std::size_t size, const ReadLimit& limit) {
    if (size <= limit.max_bytes) return {};
    return save_error(ErrorCode::kInvalidArgument, fmt::format("{} would have {} bytes, {} has at most {}", shown(path),
                                                               size, limit.content, limit.max_bytes));
}

/// A trace part and the name of its file.
struct NamedPart {
    std::string file;
    const Matrix* matrix;
};

// The record of a trace in task.json; its parts are added to `parts`.
void write_trace(JsonWriter& json, const AirTrace& trace, std::string_view name, std::vector<NamedPart>& parts) {
    const auto write_part = [&](const Matrix& matrix, std::string_view part) {
        parts.push_back({.file = part_file(trace.air_id, part), .matrix = &matrix});
        json.open('{');
        json.member("file", parts.back().file);
        json.member("width", matrix.width());
        json.close('}');
    };
    const auto write_part_or_null = [&](std::string_view key, const Matrix* matrix, std::string_view part) {
        json.key(key);
        if (matrix == nullptr) {
            json.value(nullptr);
        } else {
            write_part(*matrix, part);
        }
    };
    json.open('{');
    json.member("air_id", trace.air_id);
    json.member("name", name);
    json.member("height", trace.height());
    write_part_or_null("common_main", trace.common_main.width() == 0 ? nullptr : &trace.common_main, "main");
    json.open("cached_mains", '[');
    for (std::size_t i = 0; i < trace.cached_mains.size(); ++i) {
        json.item();
        write_part(trace.cached_mains[i], fmt::format("cached{}", i));
    }
    json.close(']');
    write_part_or_null("preprocessed", trace.preprocessed ? &trace.preprocessed->matrix() : nullptr, "preprocessed");
    write_elements(json, "public_values", trace.public_values);
    json.close('}');
}

bool has_notes(const Task& task) {
    return task.notes != KeyNotes();
}

// task.json of `task`; the parts that it names are added to `parts`.
std::string task_text(const Task& task, std::vector<NamedPart>& parts) {
    JsonWriter json(2);
    json.open('{');
    json.member("format", kTaskFormat);
    json.member("name", task.name);
    json.member("num_airs", task.vk.airs.size());
    json.member("vk", kTaskKeyFile);
    if (has_notes(task)) json.member("notes", kNotesFile);
    write_elements(json, "vk_pre_hash", task.vk.pre_hash);
    write_params(json, task.vk.params);
    json.open("airs", '[');
    for (const AirTrace& trace : task.traces) {
        json.item();
        const bool has_name = trace.air_id < task.air_names.size();
        write_trace(json, trace, has_name ? std::string_view(task.air_names[trace.air_id]) : std::string_view(), parts);
    }
    json.close(']');
    json.close('}');
    return json.take() + '\n';
}

Result<void> write_part(const fs::path& path, const Matrix& matrix) {
    std::vector<std::uint32_t> words(matrix.values().size());
    std::ranges::transform(matrix.values(), words.begin(), [](Fp x) { return from_disk(x.canonical()); });
    return write_file(path, std::as_bytes(std::span(words)));
}

// What load_task would refuse.
Result<void> check_task(const Task& task) {
    if (auto valid = check_key(task.vk); !valid) return with_stage(std::move(valid).error());
    const Result<Digest> pre_hash = verifying_key_pre_hash(task.vk);
    if (!pre_hash) return with_stage(pre_hash.error());
    if (task.vk.pre_hash != *pre_hash) {
        return Error{.code = ErrorCode::kInvalidArgument,
                     .stage = std::string(kSaveStage),
                     .message = "pre_hash of the key: expected verifying_key_pre_hash(vk), found another digest"};
    }
    return summarize(trace_problems(task.vk, task.traces, task.air_names, task.notes, WordCheck::kCheck), kSaveStage);
}

Result<void> save(const Task& task, const fs::path& folder) {
    if (auto valid = check_task(task); !valid) return valid;
    std::vector<NamedPart> parts;
    const std::string text = task_text(task, parts);
    const Result<std::vector<std::byte>> key = encode_verifying_key(task.vk);
    if (!key) return with_stage(key.error());
    if (Result<void> fits = check_size(path_in(folder, kTaskFile), text.size(), kTaskJsonLimit); !fits) return fits;
    if (Result<void> fits = check_size(path_in(folder, kTaskKeyFile), key->size(), kKeyLimit); !fits) return fits;
    const std::string notes = has_notes(task) ? notes_text(task.vk, task.air_names, task.notes) : std::string();
    if (Result<void> fits = check_size(path_in(folder, kNotesFile), notes.size(), kNotesLimit); !fits) return fits;

    if (Result<void> made = create_folders(folder); !made) return with_stage(std::move(made).error());
    for (const NamedPart& part : parts) {
        if (Result<void> written = write_part(path_in(folder, part.file), *part.matrix); !written) {
            return with_stage(std::move(written).error());
        }
    }
    if (Result<void> written = write_file(path_in(folder, kTaskKeyFile), *key); !written) {
        return with_stage(std::move(written).error());
    }
    if (has_notes(task)) {
        if (Result<void> written = write_file(path_in(folder, kNotesFile), notes); !written) {
            return with_stage(std::move(written).error());
        }
    }
    if (Result<void> written = write_file(path_in(folder, kTaskFile), text); !written) {
        return with_stage(std::move(written).error());
    }
    return {};
}

// Runs `work` inside the guard; a fault of what it reads is its error.
template <class Work>
auto guarded_load(const Work& work) noexcept -> decltype(work()) {
    return guarded(kLoadStage, [&]() -> decltype(work()) {
        try {
            return work();
        } catch (JsonFault& fault) {
            return std::move(fault.error);
        }
    });
}

}  // namespace

std::string part_file(std::uint32_t air_id, std::string_view part) {
    return fmt::format("air{}_{}.bin", air_id, part);
}

Result<std::vector<fs::path>> task_files(const fs::path& folder) noexcept {
    return guarded_load([&]() -> Result<std::vector<fs::path>> { return files_of(folder); });
}

Result<Task> load_task(const fs::path& folder) noexcept {
    return guarded_load([&]() -> Result<Task> { return load(folder); });
}

Result<void> save_task(const Task& task, const fs::path& folder) noexcept {
    return guarded(kSaveStage, [&] { return save(task, folder); });
}

}  // namespace whorl
