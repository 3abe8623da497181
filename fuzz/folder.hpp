// A folder of small files as one input: for each file a byte with its name's length, the name, a little-endian u32 with its
// size, its bytes; and a mutator that keeps to that form.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace whorl::fuzz {

struct File {
    std::string name;
    std::vector<std::uint8_t> bytes;
};

inline std::vector<File> unpack_folder(const std::uint8_t* data, std::size_t size) {
    std::vector<File> files;
    std::size_t at = 0;
    while (at < size) {
        const std::size_t name_size = data[at++];
        if (name_size + 4 > size - at) break;
        File file{std::string(reinterpret_cast<const char*>(data + at), name_size), {}};
        at += name_size;
        std::uint32_t file_size = 0;
        std::memcpy(&file_size, data + at, 4);
        at += 4;
        const std::size_t count = std::min<std::size_t>(file_size, size - at);
        file.bytes.assign(data + at, data + at + count);
        at += count;
        files.push_back(std::move(file));
    }
    return files;
}

/// Leaves out what does not fit.
inline std::size_t pack_folder(const std::vector<File>& files, std::uint8_t* data, std::size_t max_size) {
    std::size_t at = 0;
    for (const File& file : files) {
        const std::size_t needed = 1 + file.name.size() + 4 + file.bytes.size();
        if (file.name.size() > 255 || needed > max_size - at) continue;
        data[at++] = static_cast<std::uint8_t>(file.name.size());
        at = static_cast<std::size_t>(std::copy(file.name.begin(), file.name.end(), data + at) - data);
        const auto file_size = static_cast<std::uint32_t>(file.bytes.size());
        std::memcpy(data + at, &file_size, 4);
        at = static_cast<std::size_t>(std::copy(file.bytes.begin(), file.bytes.end(), data + at + 4) - data);
    }
    return at;
}

/// Mutates one file, most often the first, which is task.json in the seeds.
inline std::size_t mutate_folder(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<File> files = unpack_folder(data, size);
    if (files.empty()) return LLVMFuzzerMutate(data, size, max_size);
    File& file = files[random() % 4 == 0 ? random() % files.size() : 0];
    std::vector<std::uint8_t> bytes = file.bytes;
    bytes.resize(std::max<std::size_t>(bytes.size() + (max_size - std::min(max_size, size)), 1));
    bytes.resize(LLVMFuzzerMutate(bytes.data(), file.bytes.size(), bytes.size()));
    file.bytes = std::move(bytes);
    return pack_folder(files, data, max_size);
}

}  // namespace whorl::fuzz
